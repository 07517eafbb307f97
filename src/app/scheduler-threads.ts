import { RUNTIME_STATS, type RuntimeStat } from '../actors/runtime-stats.js';
import { createRegistrationMemory, type RegistrationMemory } from '../chat/registration-limits.js';
import type { CodeState } from '../hot-code/index.js';
import { GC_COUNTERS, type GcCounter } from '../metrics/gc/gc-counters.js';
import {
  createStats,
  type GuardHandle,
  type RingReport,
  SchedulerPool,
  type StatsMemory,
} from '../schedulers/index.js';

import { createStoreRings, type StoreRings } from '../storage/store-rings.js';
import { PARTITIONS } from '../storage/stores.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import type { Random } from '../structures/random.js';
import { ringCapacity, ringCounters } from '../structures/spsc-ring.js';
import {
  type AdmissionMemory,
  createAdmissionMemory,
  forgetAdmitted,
} from '../transport/admission-memory.js';
import type { Config } from './config.js';
import { Placement } from './placement.js';
import { Thread } from './thread.js';
import type { FromScheduler, SchedulerData, ToScheduler, ToWriter } from './thread-messages.js';
import { ThreadProcess, type ThreadProcessMessage } from './thread-process.js';
import type { MainTree } from './tree.js';
import { VERSION } from './version.js';

/** How long a scheduler that ended too often is left out. */
const LEFT_OUT_MS = 60_000;

export interface SchedulerThreadsOwner {
  /** As it is now. */
  config(): Config;
  /** Of the store, once it is open. */
  epoch(): number;
  secret(): Uint8Array;
  /** Of the last change of code that is effective, and where the code stands. */
  codeWord(): Int32Array;
  code(): CodeState;
  toWriter(message: ToWriter): void;
  /** A scheduler serves. */
  serves(scheduler: SchedulerThread): void;
  /** A scheduler can be watched. `idleMs`: how long its event loop has waited since its start. */
  guarded(scheduler: SchedulerThread, guard: GuardHandle, idleMs: () => number): void;
  /** Everything that is not about partitions. */
  schedulerSays(
    scheduler: SchedulerThread,
    message: Exclude<FromScheduler, { readonly type: `partition${string}` | 'listening' | 'guarded' }>,
  ): void;
  schedulerEnded(scheduler: SchedulerThread, code: number, error: Error | null): void;
  /** Partitions have moved. `from`: 0 for those of a scheduler that was lost. */
  partitionsMoved(partitions: readonly number[], from: number, to: number): void;
  /** It ended too often and is left out for a while. `left`: how many others there are. */
  leftOut(scheduler: SchedulerThread, left: number): void;
  /** Whether threads were told to end, or may not begin. */
  mayEnd(): boolean;
}

/** One scheduler, seen from the main thread, over its incarnations. */
export class SchedulerThread {
  readonly name: string;
  readonly thread: Thread<ToScheduler>;
  /** To the writer; each incarnation has its own. */
  rings: StoreRings | null = null;
  /** The number of the present incarnation among the schedulers of the node. */
  number = 0;
  /** 0: none. */
  homePort = 0;
  isLeftOut = false;
  /** What the runtime of the present incarnation counts; null before the first. */
  stats: StatsMemory<RuntimeStat> | null = null;
  /** What it counts of its garbage collector, likewise. */
  gc: StatsMemory<GcCounter> | null = null;

  constructor(readonly place: number) {
    this.name = `scheduler-${place}`;
    this.thread = new Thread(this.name);
  }

  get running(): boolean {
    return this.thread.running;
  }

  get runtimeStats(): StatsMemory<RuntimeStat> | null {
    return this.stats;
  }

  post(message: ToScheduler): void {
    this.thread.post(message);
  }
}

/**
 * The scheduler threads: starts them, joins them with each other and with the writer, and has the partitions run on
 * them. What is lost with one of them is given to the others at once.
 */
export class SchedulerThreads {
  readonly all: readonly SchedulerThread[];
  readonly placement: Placement;
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #tree: MainTree;
  readonly #owner: SchedulerThreadsOwner;
  readonly #pool: SchedulerPool;
  readonly #admission: AdmissionMemory;
  readonly #registrations: RegistrationMemory;
  #incarnations = 0;
  #port: number;
  #isFounded = false;
  #balancing: ClockTimer | null = null;

  constructor(config: Config, clock: Clock, random: Random, tree: MainTree, owner: SchedulerThreadsOwner) {
    this.#config = config;
    this.#clock = clock;
    this.#tree = tree;
    this.#owner = owner;
    this.#port = config.port;
    const { ringBytes, nameCapacity } = config;
    this.#pool = new SchedulerPool({ ringBytes, nameCapacity });
    this.all = Array.from({ length: config.schedulers }, (_, index) => new SchedulerThread(index + 1));
    const seed = () => Math.floor(random.next() * 2 ** 32) | 0;
    this.#admission = createAdmissionMemory(config.connectionsMax, config.schedulers + 1, seed());
    this.#registrations = createRegistrationMemory(seed());
    this.placement = new Placement(PARTITIONS, {
      stop: (place, partitions) => this.at(place)?.post({ type: 'stop-partitions', partitions }),
      route: (transfer, scheduler, partitions) =>
        owner.toWriter({ type: 'route', transfer, scheduler, partitions }),
      start: (place, partitions) => this.at(place)?.post({ type: 'start-partitions', partitions }),
      announce: (to, partition, place, address) => {
        const homePort = this.at(place)?.homePort ?? 0;
        for (const one of to)
          this.at(one)?.post({ type: 'partition-at', partition, place, address, homePort });
      },
      moved: (partitions, from, to) => owner.partitionsMoved(partitions, from, to),
    });
  }

  /** The common port, once the first one listens. */
  get port(): number {
    return this.#port;
  }

  /** Bytes of commands on their way to the writer, and the room that there is: of the fullest ring. */
  queued(): { readonly used: number; readonly limit: number } {
    let used = 0;
    let limit = 0;
    for (const { rings } of this.all) {
      if (rings === null) continue;
      used = Math.max(used, ringCounters(rings.commands).depthBytes);
      limit = Math.max(limit, ringCapacity(rings.commands));
    }
    return { used, limit };
  }

  get runningCount(): number {
    return this.all.filter(({ running }) => running).length;
  }

  at(place: number): SchedulerThread | undefined {
    return this.all[place - 1];
  }

  /** The rings between the schedulers. */
  ringReports(): readonly RingReport[] {
    return this.#pool.ringReports();
  }

  /** Times that a scheduler was woken by another one; null: there is none of this name now. */
  wakesOf(name: string): number | null {
    const scheduler = this.all.find((one) => one.name === name);
    return scheduler === undefined ? null : this.#pool.wakesOf(scheduler.number);
  }

  /** For a writer that begins now. */
  rings(): { scheduler: number; rings: StoreRings }[] {
    return this.all.flatMap(({ place, rings }) => (rings === null ? [] : [{ scheduler: place, rings }]));
  }

  /** The first one founds the common port: start the others when it serves. */
  start(scheduler: SchedulerThread): void {
    scheduler.isLeftOut = false;
    const begin = (self: ConstructorParameters<typeof ThreadProcess>[0]) => {
      if (scheduler.thread.dismissed) throw new Error('the server is stopping');
      const process = new ThreadProcess<ToScheduler, FromScheduler>(self, {
        name: scheduler.name,
        entry: new URL('./scheduler-main.js', import.meta.url),
        data: () => {
          const workerData = this.#data(scheduler);
          return { workerData, transferList: [workerData.links.news] };
        },
        onMessage: (message) => {
          if (message.type === 'guarded')
            this.#owner.guarded(scheduler, message.guard, () => process.idleMs());
          else this.#message(scheduler, message);
        },
        mayEnd: () => scheduler.thread.dismissed || this.#owner.mayEnd(),
        onEnd: (code, error) => this.#ended(scheduler, code, error),
      });
      scheduler.thread.started(process);
      return process;
    };
    this.#tree.addScheduler<ThreadProcessMessage>(scheduler.name, begin, () => this.#gaveUp(scheduler));
  }

  /**
   * Nobody hears this scheduler any more: what it has is given to the others, and its thread is to end. One that hangs
   * does so when it comes to itself, and is started again then.
   */
  leave(place: number): void {
    const scheduler = this.at(place);
    if (scheduler === undefined || scheduler.rings === null) return;
    scheduler.post({ type: 'left' });
    this.#lost(scheduler);
  }

  /** Sends all clients away, and resolves when all are gone. Called again, it hurries. */
  drain(graceMs: number, jitterMs: number): void {
    for (const scheduler of this.all) {
      scheduler.thread.dismissed = true;
      scheduler.post({ type: 'drain', graceMs, jitterMs });
    }
  }

  /** Ends the threads, and resolves when they are gone. */
  async end(): Promise<void> {
    await Promise.all(this.all.map(({ thread }) => thread.dismiss({ type: 'end' })));
  }

  #data(scheduler: SchedulerThread): SchedulerData {
    const { place } = scheduler;
    const links = this.#pool.open(place);
    const rings = createStoreRings();
    scheduler.number = links.number;
    // A dead scheduler's rings may hold what was meant for its sessions: the next one gets rings of its own.
    scheduler.rings = rings;
    scheduler.stats = createStats(RUNTIME_STATS);
    scheduler.gc = createStats(GC_COUNTERS);
    this.#owner.toWriter({ type: 'attach', scheduler: place, rings });
    const { schedulers, homePort, announceHomePorts } = this.#config;
    const isAlone = schedulers === 1;
    const founds = !this.#isFounded;
    const fixed = homePort === 0 ? 0 : homePort + place - 1;
    return {
      role: 'scheduler',
      place,
      incarnation: ++this.#incarnations,
      config: this.#owner.config(),
      port: this.#port,
      sharing: isAlone ? 'none' : founds ? 'founds' : 'joins',
      homePort: isAlone || !announceHomePorts ? null : scheduler.homePort || fixed,
      epoch: this.#owner.epoch(),
      secret: this.#owner.secret(),
      version: VERSION,
      links,
      rings,
      stats: scheduler.stats,
      gc: scheduler.gc,
      admission: this.#admission,
      registrations: this.#registrations,
      codeWord: this.#owner.codeWord(),
      code: this.#owner.code(),
    };
  }

  /**
   * A scheduler that comes while others serve has come back from the dead: its clients are just connecting to the others, and
   * shall not be sent away again before they have arrived.
   */
  #isUp(place: number): void {
    const { rebalanceDelayMs } = this.#owner.config();
    const isBack = this.placement.isServing && rebalanceDelayMs > 0;
    this.placement.schedulerUp(place, !isBack);
    if (!isBack) return;
    this.#clock.clearTimer(this.#balancing);
    this.#balancing = this.#clock.setTimer(() => this.placement.balance(), rebalanceDelayMs);
  }

  #message(scheduler: SchedulerThread, message: Exclude<FromScheduler, { type: 'guarded' }>): void {
    const { place } = scheduler;
    switch (message.type) {
      case 'listening':
        this.#port = message.port;
        this.#isFounded = true;
        scheduler.homePort = message.homePort;
        scheduler.thread.running = true;
        this.#isUp(place);
        this.#owner.serves(scheduler);
        break;
      case 'partition-started':
        this.placement.started(place, message.partition, message.address);
        break;
      case 'partitions-stopped':
        this.placement.stopped(place, message.partitions);
        break;
      default:
        this.#owner.schedulerSays(scheduler, message);
        break;
    }
  }

  #ended(scheduler: SchedulerThread, code: number, error: Error | null): void {
    scheduler.thread.ended();
    this.#lost(scheduler);
    this.#owner.schedulerEnded(scheduler, code, error);
  }

  #lost(scheduler: SchedulerThread): void {
    const { place } = scheduler;
    scheduler.thread.running = false;
    if (scheduler.rings === null) return;
    scheduler.rings = null;
    this.#pool.close(scheduler.number);
    // Before anybody else gets its partitions: nothing that it left behind is applied later.
    this.#owner.toWriter({ type: 'detach', scheduler: place });
    forgetAdmitted(this.#admission, place);
    this.placement.schedulerDown(place);
  }

  #gaveUp(scheduler: SchedulerThread): void {
    if (this.#owner.mayEnd() || scheduler.thread.dismissed) return;
    scheduler.isLeftOut = true;
    const left = this.all.filter(({ isLeftOut }) => !isLeftOut).length;
    this.#owner.leftOut(scheduler, left);
    if (left === 0) return;
    this.#clock.setTimer(() => {
      if (!scheduler.thread.dismissed) this.start(scheduler);
    }, LEFT_OUT_MS);
  }
}
