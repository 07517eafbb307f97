/** Buckets for each power of two: the middle of one is off by at most 1/64. */
const STEPS = 32;
const BUCKETS = 28 * STEPS;

/**
 * Counts times in buckets that widen with the value (as HdrHistogram does), so that recording costs no memory.
 *
 *     µs      0 … 63   64 … 127   128 … 255   …   up to 2^31 (35 minutes)
 *     bucket  0 … 63   64 … 95    96 … 127    …
 */
export class Latencies {
  count = 0;
  readonly #buckets = new Uint32Array(BUCKETS);

  record(ms: number): void {
    const us = ms <= 0 ? 0 : (ms * 1000) | 0;
    const power = us < 2 * STEPS ? 0 : 26 - Math.clz32(us);
    this.#buckets[power * STEPS + (us >>> power)]!++;
    this.count++;
  }

  reset(): void {
    this.count = 0;
    this.#buckets.fill(0);
  }

  /** In ms: the value that `fraction` of all do not exceed; NaN when there are none. */
  percentile(fraction: number): number {
    if (this.count === 0) return Number.NaN;
    let left = Math.max(1, Math.ceil(this.count * fraction));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#buckets[bucket]!;
      if (left <= 0) return middleUs(bucket) / 1000;
    }
    return Number.NaN;
  }
}

function middleUs(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket + 0.5;
  const power = Math.floor(bucket / STEPS) - 1;
  return (bucket - power * STEPS + 0.5) * 2 ** power;
}
