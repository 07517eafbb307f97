import type { Random } from '../structures/random.js';

/**
 * Exponential back-off with full jitter: the n-th try in a row waits between nothing and initial × 2ⁿ, so
 * that a thousand clients that lost one server come back spread out instead of in waves.
 * (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
 */
export class ReconnectDelay {
  readonly #random: Random;
  readonly #initialMs: number;
  readonly #capMs: number;
  #failures = 0;

  constructor(random: Random, initialMs: number, capMs: number) {
    this.#random = random;
    this.#initialMs = initialMs;
    this.#capMs = capMs;
  }

  /** Tries in a row that did not lead to a stable connection. */
  get failures(): number {
    return this.#failures;
  }

  /** How long to wait before the next try. `atLeastMs` is what the server asked for. */
  next(atLeastMs: number): number {
    const ceiling = Math.min(this.#capMs, this.#initialMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return Math.max(atLeastMs, this.#random.next() * ceiling);
  }

  /** The same try at another address: no longer than the last wait, and not counted. */
  again(atLeastMs: number): number {
    const ceiling = Math.min(
      this.#capMs,
      this.#initialMs * 2 ** Math.min(Math.max(0, this.#failures - 1), 30),
    );
    return Math.max(atLeastMs, this.#random.next() * ceiling);
  }

  /** The connection held long enough to believe in it. */
  reset(): void {
    this.#failures = 0;
  }
}
