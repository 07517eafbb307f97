import { constants, PerformanceObserver } from 'node:perf_hooks';
import { placesOf, type StatsBlock } from '../../schedulers/index.js';
import { GC_COUNTERS, type GcCounter } from './gc-counters.js';

/** One collection, as V8 told it. */
export interface Collection {
  /** One of `NODE_PERFORMANCE_GC_*`. */
  readonly kind: number;
  readonly ms: number;
}

/**
 * Counts the collections of the thread in which it is made, by V8's own word: pauses, not what V8 does beside the thread. It
 * hears of them a moment later, and costs nothing but then. Steps of marking between the beginning and the end of
 * a full collection are not reported by V8.
 */
export class GcObserver {
  /** Called for each full collection. */
  onMajor: (() => void) | null = null;
  readonly #values: Float64Array;
  readonly #places: Readonly<Record<GcCounter, number>>;
  readonly #observer: PerformanceObserver;

  constructor(stats: StatsBlock<GcCounter>) {
    this.#values = stats.values;
    this.#places = placesOf(stats.names, GC_COUNTERS);
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { detail } = entry as unknown as { readonly detail: { readonly kind: number } };
        this.collected({ kind: detail.kind, ms: entry.duration });
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  collected({ kind, ms }: Collection): void {
    const name = NAMES[kind];
    if (name === undefined) return;
    const values = this.#values;
    const places = this.#places;
    values[places[`${name}Runs`]]! += 1;
    values[places[`${name}Ms`]]! += ms;
    const read = values[places.longestRead]!;
    if (values[places.longestOf] !== read || ms > values[places.longestMs]!) {
      values[places.longestMs] = ms;
      values[places.longestOf] = read;
    }
    if (name === 'major') this.onMajor?.();
  }

  close(): void {
    this.#observer.disconnect();
  }
}

const NAMES: Readonly<Record<number, 'minor' | 'major' | 'incremental' | 'weak'>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak',
};
