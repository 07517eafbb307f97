import { BadArgument, type Pid, type Process, type StartResult } from '../actors/index.js';
import type { ChildSpec, Restart, Shutdown } from './child-spec.js';
import type { SupervisorSpec } from './supervisor-spec.js';

/**
 * Which process is which partition at the moment. Made before the supervisor, so that whoever sends to partitions can
 * have it, and kept up to date by it over all restarts.
 */
export class Partitions<M = never> {
  readonly #pids: (Pid<M> | undefined)[];

  /** @param count how many there are */
  constructor(readonly count: number) {
    if (!Number.isInteger(count) || count < 1) throw new BadArgument(`bad number of partitions: ${count}`);
    this.#pids = new Array<Pid<M> | undefined>(count).fill(undefined);
  }

  /** The process of a partition; undefined before its first start. One that has just ended may still be there. */
  get(index: number): Pid<M> | undefined {
    return this.#pids[index];
  }

  /** @internal */
  set(index: number, pid: Pid<M> | undefined): void {
    this.#pids[index] = pid;
  }
}

export interface PartitionSupervisorSpec<M> {
  readonly label?: string;
  readonly name?: string;
  readonly partitions: Partitions<M>;
  /** Starts the process of one partition, linked with the supervisor. */
  readonly start: (supervisor: Process<never>, index: number) => Pid<M> | StartResult<M>;
  readonly restart?: Restart;
  readonly shutdown?: Shutdown;
  readonly type?: 'worker' | 'supervisor';
  /** Restarts, of all partitions together, that are allowed in `periodMs`. Default 1. */
  readonly intensity?: number;
  readonly periodMs?: number;
  /** Indexes of the partitions that this one runs. Default: all. Another scheduler's supervisor runs the others. */
  readonly only?: readonly number[];
}

/**
 * The specification of a supervisor of partitions: as many like children, numbered from 0, one_for_one, found by their
 * number. Elixir's PartitionSupervisor, and like it nothing but a supervisor whose children were written by a loop:
 *
 *     const inboxes = new Partitions<InboxMessage>(64);
 *     Supervisor.child('inboxes', partitionSupervisor({ partitions: inboxes, start: (s, index) => … }));
 *     runtime.send(inboxes.get(partitionOf(user))!, message);
 */
export function partitionSupervisor<M>(spec: PartitionSupervisorSpec<M>): SupervisorSpec {
  const { partitions, start, restart, shutdown, type, only, label, name, intensity, periodMs } = spec;
  const indexes = only ?? Array.from({ length: partitions.count }, (_, index) => index);
  const children = indexes.map((index): ChildSpec => {
    if (!(index >= 0 && index < partitions.count)) throw new BadArgument(`no partition ${index}`);
    return {
      id: String(index),
      start: (supervisor) => {
        const result = start(supervisor, index);
        partitions.set(index, 'scheduler' in result ? result : result.ok);
        return result;
      },
      ...(restart === undefined ? {} : { restart }),
      ...(shutdown === undefined ? {} : { shutdown }),
      ...(type === undefined ? {} : { type }),
    };
  });
  return {
    strategy: 'one_for_one',
    children,
    ...(label === undefined ? {} : { label }),
    ...(name === undefined ? {} : { name }),
    ...(intensity === undefined ? {} : { intensity }),
    ...(periodMs === undefined ? {} : { periodMs }),
  };
}
