import type { ControlResult } from '../storage/stores.js';

/** One that waits: what it is told. */
export interface StoreAsker {
  /** The store has answered. */
  stored(result: ControlResult): void;
  /** The store could not answer. */
  notStored(retryMs: number): void;
  /** Nobody waits for it any more. */
  dropped(): void;
}

/** An answer that has not come for so long was lost, or the store hangs: the client is told to ask again. */
export const ANSWER_MS_MAX = 10_000;

/** A ref travels as an int32. */
const REFS = 2 ** 31;

interface Waiting {
  readonly asker: StoreAsker;
  /** Clock ms. */
  readonly since: number;
}

/**
 * What a session has asked the store, by the numbers that come back with the answers: one that is lost, with a writer that
 * died, concerns its own request only, and one that comes too late nobody. Bounded by who adds to it.
 */
export class WaitingRequests {
  /** In the order of asking. */
  readonly #waiting = new Map<number, Waiting>();
  #latest = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** The number for the next question. */
  get nextRef(): number {
    return (this.#latest + 1) % REFS;
  }

  /** It was asked with {@link nextRef}. */
  add(asker: StoreAsker, nowMs: number): void {
    this.#latest = this.nextRef;
    this.#waiting.set(this.#latest, { asker, since: nowMs });
  }

  /** Takes out whom an answer is for. Undefined: it came too late, or twice. */
  take(ref: number): StoreAsker | undefined {
    const waiting = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    return waiting?.asker;
  }

  /** Refuses those whose answer was lost. Returns after how many ms to look again; 0: nobody waits. */
  expire(nowMs: number, retryMs: number): number {
    for (const [ref, { asker, since }] of this.#waiting) {
      const leftMs = since + ANSWER_MS_MAX - nowMs;
      if (leftMs > 0) return leftMs;
      this.#waiting.delete(ref);
      asker.notStored(retryMs);
    }
    return 0;
  }

  /** Their session is gone. */
  drop(): void {
    for (const { asker } of this.#waiting.values()) asker.dropped();
    this.#waiting.clear();
  }
}
