import {
  BadArgument,
  type Blocking,
  Exit,
  type Pid,
  type Process,
  type Runtime,
  type Started,
} from '../actors/index.js';
import type { Strategy } from './check-spec.js';
import type { ChildFields, ChildOverrides, ChildSpec, Restart, StartReturn } from './child-spec.js';
import type { Naming } from './initialize.js';
import type { Partitions } from './partitions.js';
import { isWaiting, runStart } from './start-child.js';
import { Supervisor } from './supervisor.js';
import * as calls from './supervisor-calls.js';
import type { RestartLimits, SupervisorSpec, SupervisorStart } from './supervisor-spec.js';

/** Starts the process of one partition, linked with the supervisor. */
type StartPartition<M> = (supervisor: Process<never>, index: number) => StartReturn<M>;

/** What all partitions have in common. */
export interface PartitionFields<M> extends RestartLimits, Naming, Omit<ChildFields, 'id' | 'start'> {
  readonly partitions: Partitions<M>;
  readonly restart?: Restart;
  /** Default one_for_one. */
  readonly strategy?: Strategy;
  /** Indexes of the partitions that this one runs. Default: all. Another scheduler's supervisor runs the others. */
  readonly only?: readonly number[];
}

/** Partitions that know their number. */
export interface NumberedPartitions<M> extends PartitionFields<M> {
  readonly start: StartPartition<M>;
}

/** Partitions that are made of a child specification that knows nothing of them. */
export interface PartitionsOf<M, Args extends readonly unknown[]> extends PartitionFields<M> {
  /** Its id does not count. Fields of its own are those of the partitions. */
  readonly child: Omit<ChildSpec<Args>, 'id'>;
  /** With what each is started. */
  readonly arguments: Args;
  /** Makes the arguments of one partition of them: Elixir's with_arguments. */
  readonly withArguments?: (args: Args, partition: number) => readonly [...Args];
}

export type PartitionSupervisorSpec<M, Args extends readonly unknown[] = []> =
  | NumberedPartitions<M>
  | PartitionsOf<M, Args>;

/**
 * The specification of a supervisor of partitions: as many like children, numbered from 0, found by their number or by
 * any key. See {@link PartitionSupervisor}.
 */
export function partitionSupervisor<M, Args extends readonly unknown[] = []>(
  spec: PartitionSupervisorSpec<M, Args>,
): SupervisorSpec {
  const { partitions, only, label, name, intensity, periodMs, strategy = 'one_for_one' } = spec;
  const indexes = only ?? Array.from({ length: partitions.max }, (_, index) => index);
  const start = startOf(spec);
  const children = indexes.map((index): ChildSpec => {
    if (!(index >= 0 && index < partitions.max)) throw new BadArgument(`no partition ${index}`);
    return {
      ...fieldsOf('child' in spec ? spec.child : {}),
      ...fieldsOf(spec),
      id: String(index),
      start: (supervisor) => noted(supervisor, partitions, index, start),
    };
  });
  return {
    strategy,
    children,
    ...(label === undefined ? {} : { label }),
    ...(name === undefined ? {} : { name }),
    ...(intensity === undefined ? {} : { intensity }),
    ...(periodMs === undefined ? {} : { periodMs }),
  };
}

/**
 * Partitions: as many like processes, each with a share of something, found by their number or by a key. Elixir's
 * PartitionSupervisor, and like it nothing but a supervisor whose children were written by a loop.
 *
 * ```ts
 * import { call, GenServer, Partitions, PartitionSupervisor, Runtime, SystemClock, SystemRandom } from 'rookery';
 *
 * const runtime = new Runtime({ clock: new SystemClock(), random: new SystemRandom() });
 * const visits = {
 *   init: () => GenServer.ok(new Map<string, number>()),
 *   handleCall: (user: string, _from: unknown, seen: Map<string, number>) => {
 *     seen.set(user, (seen.get(user) ?? 0) + 1);
 *     return GenServer.reply(seen.get(user), seen);
 *   },
 * };
 * const shards = new Partitions(8);
 * const { ok: top } = PartitionSupervisor.start(runtime, {
 *   partitions: shards,
 *   start: (supervisor) => GenServer.startLink(supervisor, visits),
 * });
 * await runtime.call(shards.via('alice'), 'alice');
 * console.log(await runtime.call(shards.via('alice'), 'alice')); // → 2
 * await runtime.stop(top!);
 * ```
 *
 * **Restarts** are those of any supervisor; `partitions` shows the new process when it has started. Until then messages
 * to the old pid are lost, and calls over `via` fail with `noproc`.
 *
 * **When not to use it.** When each thing has a process of its own: a `DynamicSupervisor` and a `Registry`.
 */
export const PartitionSupervisor = {
  start<M, Args extends readonly unknown[] = []>(
    runtime: Runtime,
    spec: PartitionSupervisorSpec<M, Args>,
  ): SupervisorStart {
    return Supervisor.start(runtime, partitionSupervisor(spec));
  },

  startLink<M, Args extends readonly unknown[] = []>(
    parent: Process<never>,
    spec: PartitionSupervisorSpec<M, Args>,
  ): SupervisorStart {
    return Supervisor.startLink(parent, partitionSupervisor(spec));
  },

  /** One as a child of another supervisor. */
  child<M, Args extends readonly unknown[] = []>(
    id: string,
    spec: PartitionSupervisorSpec<M, Args>,
    overrides: ChildOverrides = {},
  ): ChildSpec {
    return Supervisor.child(id, partitionSupervisor(spec), overrides);
  },

  resize,

  /** The id of each child is its number. */
  whichChildren: calls.whichChildren,

  countChildren: calls.countChildren,
} as const;

/**
 * Runs only the first `count` partitions, which is at most as many as there were at the start: keys are routed to those.
 * Partitions are stopped after, or started before, the routing changes. Returns how many there were. Throws a
 * BadArgument for a bad number, an Exit if a partition cannot be started.
 */
function* resize(supervisor: calls.Target, partitions: Partitions<never>, count: number): Blocking<number> {
  const { count: before, max } = partitions;
  if (!Number.isInteger(count) || count < 0 || count > max)
    throw new BadArgument(`the number of partitions is between 0 and ${max}, not ${count}`);
  for (let index = before; index < count; index++) {
    const { error } = yield* calls.restartChild(supervisor, String(index));
    if (error !== undefined && error.type !== 'running')
      throw new Exit({ type: 'failed_to_start_child', id: String(index), reason: error as never });
  }
  partitions.route(count);
  for (let index = count; index < before; index++) {
    yield* calls.terminateChild(supervisor, String(index));
    partitions.set(index, undefined);
  }
  return before;
}

function startOf<M, Args extends readonly unknown[]>(
  spec: PartitionSupervisorSpec<M, Args>,
): StartPartition<M> {
  if ('start' in spec) return spec.start;
  const { child, arguments: args, withArguments = (given: Args): readonly [...Args] => [...given] } = spec;
  return (supervisor, index) => child.start(supervisor, ...withArguments(args, index)) as StartReturn<M>;
}

function fieldsOf({ restart, shutdown, type, modules }: Partial<ChildSpec<never>>) {
  return {
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(type === undefined ? {} : { type }),
    ...(modules === undefined ? {} : { modules }),
  };
}

/** Runs the start of a partition and notes its process. */
function noted<M>(
  supervisor: Process<never>,
  partitions: Partitions<M>,
  index: number,
  start: StartPartition<M>,
): Started | Blocking<Started> {
  const begun = runStart(supervisor, (self: Process<never>) => start(self, index) as StartReturn, []);
  const note = (result: Started): Started => {
    partitions.set(index, result.ok as Pid<M> | undefined);
    return result;
  };
  if (!isWaiting(begun)) return note(begun);
  return (function* () {
    return note(yield* begun);
  })();
}
