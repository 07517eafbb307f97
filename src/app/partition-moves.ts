import type {
  MoveOutcome,
  PartitionsReport,
  PartitionsSource,
  SchedulerReport,
} from '../ops/pages/partitions-page.js';

export type { MoveOutcome, PartitionsReport };

import type { Clock } from '../structures/clock.js';
import type { SchedulerThread, SchedulerThreads } from './scheduler-threads.js';
import type { SchedulerStats } from './thread-messages.js';

/** How long the operator waits for partitions to arrive. */
const ARRIVAL_MS_MAX = 10_000;

interface Waiting {
  readonly to: number;
  readonly left: Set<number>;
  readonly done: () => void;
}

/** What the operator sees and wants of partitions. */
export class PartitionMoves implements PartitionsSource {
  readonly #schedulers: SchedulerThreads;
  readonly #clock: Clock;
  readonly #ask: (scheduler: SchedulerThread) => Promise<SchedulerStats | null>;
  readonly #waiting = new Set<Waiting>();

  constructor(
    schedulers: SchedulerThreads,
    clock: Clock,
    ask: (scheduler: SchedulerThread) => Promise<SchedulerStats | null>,
  ) {
    this.#schedulers = schedulers;
    this.#clock = clock;
    this.#ask = ask;
  }

  async report(): Promise<PartitionsReport> {
    const { all, placement } = this.#schedulers;
    const stats = await Promise.all(all.map((scheduler) => this.#ask(scheduler)));
    const owners = placement.owners();
    return {
      partitions: owners.map((owner, partition) => ({
        partition,
        scheduler: this.#schedulers.at(owner)?.name ?? null,
        moving: placement.isMoving(partition),
        users: stats[owner - 1]?.users[partition] ?? 0,
        atHome: stats[owner - 1]?.atHome[partition] ?? 0,
      })),
      schedulers: all.map(
        ({ name, place, running, homePort }, index): SchedulerReport => ({
          scheduler: name,
          state: !running ? 'restarting' : stats[index] == null ? 'silent' : 'running',
          partitions: owners.filter((owner) => owner === place).length,
          connections: stats[index]?.connections ?? 0,
          homePort,
        }),
      ),
    };
  }

  move(
    what: { readonly partitions: readonly number[] } | { readonly from: string },
    to: string,
  ): Promise<MoveOutcome> {
    const { placement } = this.#schedulers;
    const target = this.#named(to);
    const partitions = 'partitions' in what ? what.partitions : this.#of(this.#named(what.from));
    const moving = placement.move(partitions, target.place);
    return new Promise((resolve) => {
      const finish = () => {
        this.#clock.clearTimer(timer);
        this.#waiting.delete(waiting);
        const late = [...waiting.left];
        resolve({ to: target.name, moved: moving.filter((partition) => !waiting.left.has(partition)), late });
      };
      const timer = this.#clock.setTimer(finish, ARRIVAL_MS_MAX);
      const waiting: Waiting = { to: target.place, left: new Set(moving), done: finish };
      this.#waiting.add(waiting);
      if (moving.length === 0) finish();
    });
  }

  /** Partitions have arrived. */
  arrived(partitions: readonly number[], place: number): void {
    for (const { to, left, done } of [...this.#waiting]) {
      if (to !== place) continue;
      for (const partition of partitions) left.delete(partition);
      if (left.size === 0) done();
    }
  }

  #of({ place }: SchedulerThread): number[] {
    return this.#schedulers.placement.owners().flatMap((owner, index) => (owner === place ? [index] : []));
  }

  #named(name: string): SchedulerThread {
    const scheduler = this.#schedulers.all.find((one) => one.name === name || String(one.place) === name);
    if (scheduler === undefined) throw new RangeError(`there is no scheduler ${name}`);
    return scheduler;
  }
}
