import type { Runtime } from '../actors/runtime.js';
import type { SliceGuard } from '../actors/slice-guard.js';
import type { GcCounter } from '../metrics/gc/gc-counters.js';
import { GcDeferral } from '../metrics/gc/gc-deferral.js';
import { GcObserver } from '../metrics/gc/gc-observer.js';
import { IdleCollections } from '../metrics/gc/idle-collections.js';
import { heapUse, V8Collector } from '../metrics/gc/v8-heap.js';
import { nativeCollector, SpillStore, StatsBlock, type StatsMemory } from '../schedulers/index.js';
import type { Clock } from '../structures/clock.js';
import { chatCodecs } from './chat-codecs.js';
import type { Config } from './config.js';

/** What can be changed about it while the server runs. */
export type CollectorKnobs = Pick<
  Config,
  | 'gcMode'
  | 'mailboxSpillAt'
  | 'mailboxSpillBytesMax'
  | 'gcDeferMsMax'
  | 'gcDeferHeapPercentMax'
  | 'gcWhenIdle'
>;

/**
 * What a scheduler does about its garbage collector: long mailboxes leave the heap, full collections wait while there are
 * any, and some are made while nobody waits for them. All of it is counted. See docs/operations/gc.md.
 */
export class SchedulerCollector {
  readonly #spill: SpillStore;
  readonly #deferral: GcDeferral;
  readonly #idle: IdleCollections;

  constructor(
    knobs: CollectorKnobs,
    clock: Clock,
    counters: StatsMemory<GcCounter>,
    guard: SliceGuard | null,
  ) {
    const stats = new StatsBlock(counters);
    const native = nativeCollector();
    const spill = new SpillStore({ codecs: chatCodecs, guard, stats });
    this.#spill = spill;
    this.#deferral = new GcDeferral({
      clock,
      collector: native,
      heap: heapUse,
      spilled: () => spill.stats.read('spilledMessages'),
      stats,
      limits: { enabled: false, msMax: 1, heapShareMax: 1 },
    });
    spill.onGrowth = () => this.#deferral.grows();
    this.#idle = new IdleCollections({ clock, collector: new V8Collector(), native, stats });
    new GcObserver(stats).onMajor = () => this.#idle.collected();
    this.set(knobs);
  }

  /** For `RuntimeOptions.spill`. */
  start(runtime: Runtime): SpillStore {
    runtime.onRest = () => this.#idle.rests();
    return this.#spill.start(runtime);
  }

  /** Effective at once. What is outside of the heap stays there until its turn comes. */
  set(knobs: CollectorKnobs): void {
    this.#spill.storeAt = knobs.gcMode === 'off' ? Number.POSITIVE_INFINITY : knobs.mailboxSpillAt;
    this.#spill.bytesMax = knobs.mailboxSpillBytesMax;
    this.#deferral.limits.enabled = knobs.gcMode === 'spill+defer';
    this.#deferral.limits.msMax = knobs.gcDeferMsMax;
    this.#deferral.limits.heapShareMax = knobs.gcDeferHeapPercentMax / 100;
    this.#idle.enabled = knobs.gcWhenIdle;
  }
}
