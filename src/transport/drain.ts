import type { Clock, ClockTimer } from '../structures/clock.js';

/**
 * Waits until a listener's connections have closed, and cuts those off that have not by a deadline.
 *
 *     start(5000) ── … connectionClosed() … ──▶ resolved with 0
 *     start(5000) ── … ── deadline: terminateAll() ──▶ resolved with how many that were
 *     start(5000) ── start(0): the nearer deadline counts
 */
export class Drain {
  readonly #clock: Clock;
  readonly #open: () => number;
  readonly #terminateAll: () => void;
  #promise: Promise<number> | null = null;
  #resolve: (terminated: number) => void = () => {};
  #deadline: ClockTimer | null = null;
  #deadlineAt = Number.POSITIVE_INFINITY;
  #terminated = 0;

  /** @param open how many connections there are. @param terminateAll ends them, each calling connectionClosed. */
  constructor(clock: Clock, open: () => number, terminateAll: () => void) {
    this.#clock = clock;
    this.#open = open;
    this.#terminateAll = terminateAll;
  }

  /** @returns how many connections were terminated. Every call gets the same promise. */
  start(graceMs: number): Promise<number> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (this.#open() === 0) {
      this.#finish();
      return this.#promise;
    }
    const at = this.#clock.now() + graceMs;
    if (at < this.#deadlineAt) {
      this.#stopTimer();
      this.#deadlineAt = at;
      this.#deadline = this.#clock.setTimer(() => this.cut(), graceMs);
    }
    return this.#promise;
  }

  /** Terminates what is open, now. */
  cut(): void {
    this.#terminated += this.#open();
    this.#terminateAll();
    if (this.#promise !== null) this.#finish();
    else this.#stopTimer();
  }

  /** To be called after each connection that closes. */
  connectionClosed(): void {
    if (this.#promise !== null && this.#open() === 0) this.#finish();
  }

  #finish(): void {
    this.#stopTimer();
    this.#resolve(this.#terminated);
  }

  #stopTimer(): void {
    if (this.#deadline !== null) this.#clock.clearTimer(this.#deadline);
    this.#deadline = null;
  }
}
