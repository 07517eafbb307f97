import { SharedKeys, WINDOW } from './shared-keys.js';
import { type TokenRate, takeTokens } from './token-bucket.js';

/**
 * A token bucket that several threads take from. As in token-bucket.ts a bucket is the time
 * at which it will be full again, here in nanoseconds as an int64, exchanged atomically. All threads must hand in
 * times of one clock.
 */
export class SharedTokenBucket {
  readonly #fullAt: BigInt64Array;
  /** Of takes from now on; it may be changed at any time. */
  rate: TokenRate;

  constructor(memory: SharedArrayBuffer, byteOffset: number, rate: TokenRate) {
    this.#fullAt = new BigInt64Array(memory, byteOffset, 1);
    this.rate = rate;
  }

  static readonly bytes = 8;

  /** As {@link takeTokens}: 0 or below means refused, and the negated number is the ms to wait. */
  take(now: number, count: number): number {
    return exchange(this.#fullAt, 0, this.rate, now, count);
  }

  /** What was taken was not used. */
  giveBack(count: number): void {
    Atomics.sub(this.#fullAt, 0, nanos(count * this.rate.msPerToken) + ROUNDING_NS);
  }
}

/**
 * In a table of bounded size: a new key takes the place of one whose bucket is the fullest among those beside it
 * (and which would begin with a full one if it came back).
 */
export class SharedTokenBuckets {
  readonly #keys: SharedKeys;
  readonly #fullAt: BigInt64Array;
  /** Of takes from now on; it may be changed at any time. */
  rate: TokenRate;

  constructor(memory: SharedArrayBuffer, byteOffset: number, slots: number, rate: TokenRate, seed: number) {
    this.#keys = new SharedKeys(memory, byteOffset, slots, seed);
    this.#fullAt = new BigInt64Array(memory, byteOffset + SharedKeys.bytesOf(slots), slots);
    this.rate = rate;
  }

  static bytesOf(slots: number): number {
    return SharedKeys.bytesOf(slots) + slots * 8;
  }

  /** As {@link takeTokens}: 0 or below means refused, and the negated number is the ms to wait. */
  take(key: string, now: number, count: number): number {
    const hash = this.#keys.hash(key);
    for (let tries = 0; tries < WINDOW; tries++) {
      const slot = this.#keys.find(hash);
      if (slot >= 0) return exchange(this.#fullAt, slot, this.rate, now, count);
      const fullest = this.#fullest(hash);
      this.#keys.take(fullest, this.#keys.at(fullest), hash, () => {
        Atomics.store(this.#fullAt, fullest, 0n);
        return true;
      });
    }
    // Others were quicker again and again: a flood of new keys. The bucket that is next must do.
    return exchange(this.#fullAt, this.#keys.slotAt(hash, 0), this.rate, now, count);
  }

  #fullest(hash: bigint): number {
    let best = this.#keys.slotAt(hash, 0);
    for (let offset = 0; offset < WINDOW; offset++) {
      const slot = this.#keys.slotAt(hash, offset);
      if (this.#keys.isFree(slot)) return slot;
      if (Atomics.load(this.#fullAt, slot) < Atomics.load(this.#fullAt, best)) best = slot;
    }
    return best;
  }
}

function exchange(cells: BigInt64Array, at: number, rate: TokenRate, now: number, count: number): number {
  for (;;) {
    const before = Atomics.load(cells, at);
    const next = takeTokens(rate, Number(before) / 1e6, now, count);
    if (next <= 0) return next;
    if (Atomics.compareExchange(cells, at, before, nanos(next)) === before) return next;
  }
}

/** A microsecond more than was taken: rounding must not keep a token back. */
const ROUNDING_NS = 1000n;

/** Rounded down: a burst taken in single tokens must not come out smaller than in one. */
function nanos(ms: number): bigint {
  return BigInt(Math.floor(ms * 1e6));
}
