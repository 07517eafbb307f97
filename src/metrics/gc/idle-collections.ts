import { type NativeCollector, placesOf, type StatsBlock } from '../../schedulers/index.js';
import type { Clock } from '../../structures/clock.js';
import { GC_COUNTERS, type GcCounter } from './gc-counters.js';

/** So long nobody had anything to do. */
const IDLE_MS = 2000;
/** The young generation is collected at leisure if so much stands in it. */
const YOUNG_BYTES_MIN = 2 * 1024 * 1024;
/** A full collection is worth it for so many bytes, in memory given up outside of the heap or in growth since the last one. */
const FULL_BYTES_MIN = 32 * 1024 * 1024;
/** Growth since the last full collection must be such a share of the heap, too. */
const FULL_SHARE_MIN = 0.25;
/** Between two full collections of ours. */
const FULL_EVERY_MS = 60_000;
/** Without the native collector a full collection stands still for all of its time: only for heaps up to this. */
const FULL_STILL_BYTES_MAX = 64 * 1024 * 1024;

/** How much stands in the heap. */
export interface HeapSlack {
  readonly youngBytes: number;
  readonly usedBytes: number;
}

/** What can be asked of V8. */
export interface Collector {
  slack(): HeapSlack;
  /** The young generation, now. */
  minor(): void;
  /** Everything, now. */
  full(): void;
}

export interface IdleCollectionsParts {
  readonly clock: Clock;
  readonly collector: Collector;
  /** Null: there is none. */
  readonly native: NativeCollector | null;
  readonly stats: StatsBlock<GcCounter>;
}

/**
 * Collections for which nobody has to wait: when a scheduler has had nothing to do for two seconds, once; then silence until
 * something happens again. A timer runs only between a turn and that.
 */
export class IdleCollections {
  /** May be changed at any time. */
  enabled = true;
  readonly #parts: IdleCollectionsParts;
  readonly #values: Float64Array;
  readonly #places: Readonly<Record<GcCounter, number>>;
  #waits = false;
  /** Something happened while it waited. */
  #again = false;
  #lastFull = Number.NEGATIVE_INFINITY;
  /** In use after the last full collection. */
  #usedBytes: number;

  constructor(parts: IdleCollectionsParts) {
    this.#parts = parts;
    this.#values = parts.stats.values;
    this.#places = placesOf(parts.stats.names, GC_COUNTERS);
    this.#usedBytes = parts.collector.slack().usedBytes;
  }

  /** A turn has ended and nobody has anything to do. */
  rests(): void {
    if (this.#waits) this.#again = true;
    else if (this.enabled) this.#wait();
  }

  /** There was a full collection, whoever had it made. */
  collected(): void {
    this.#usedBytes = this.#parts.collector.slack().usedBytes;
    this.#values[this.#places.droppedBytes] = 0;
  }

  #wait(): void {
    this.#waits = true;
    this.#again = false;
    this.#parts.clock.setTimer(() => {
      this.#waits = false;
      if (!this.enabled) return;
      if (this.#again) this.#wait();
      else this.#collect();
    }, IDLE_MS);
  }

  #collect(): void {
    const { clock, collector, native } = this.#parts;
    const { youngBytes, usedBytes } = collector.slack();
    const now = clock.now();
    if (now - this.#lastFull >= FULL_EVERY_MS && this.#worthFull(usedBytes)) {
      if (native !== null || usedBytes <= FULL_STILL_BYTES_MAX) {
        this.#lastFull = now;
        this.#values[this.#places.idleMajorRuns]! += 1;
        if (native !== null) native.begin();
        else collector.full();
        return;
      }
    }
    if (youngBytes < YOUNG_BYTES_MIN) return;
    this.#values[this.#places.idleMinorRuns]! += 1;
    collector.minor();
  }

  #worthFull(usedBytes: number): boolean {
    const grown = usedBytes - this.#usedBytes;
    const dropped = this.#values[this.#places.droppedBytes]!;
    return dropped >= FULL_BYTES_MIN || (grown >= FULL_BYTES_MIN && grown >= usedBytes * FULL_SHARE_MIN);
  }
}
