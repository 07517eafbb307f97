import { type TokenRate, takeTokens } from './token-bucket.js';

/**
 * A token bucket for each key, in a table of bounded size: when it is full the least recently used key goes
 * first (and would start with a full bucket if it came back). A Map keeps its keys in the order of insertion,
 * so taking a key out and putting it back makes it the most recently used.
 */
export class TokenBuckets {
  readonly #rate: TokenRate;
  readonly #sizeMax: number;
  readonly #fullAt = new Map<string, number>();

  constructor(rate: TokenRate, sizeMax: number) {
    if (!(Number.isInteger(sizeMax) && sizeMax >= 1)) {
      throw new RangeError(`A table of token buckets must hold at least 1, not ${sizeMax}`);
    }
    this.#rate = rate;
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** As {@link takeTokens}: 0 or below means refused, and the negated number is the ms to wait. */
  take(key: string, now: number, count: number): number {
    const fullAt = this.#fullAt.get(key);
    const next = takeTokens(this.#rate, fullAt ?? 0, now, count);
    if (fullAt !== undefined) this.#fullAt.delete(key);
    else if (this.#fullAt.size >= this.#sizeMax) this.#evict();
    // A refused key is used as well: forgetting it would hand it a full bucket.
    this.#fullAt.set(key, next > 0 ? next : (fullAt ?? 0));
    return next;
  }

  #evict(): void {
    for (const key of this.#fullAt.keys()) {
      this.#fullAt.delete(key);
      return;
    }
  }
}
