import type { Clock, ClockTimer } from '../../src/structures/clock.js';

/** Wraps the callback so that it can be forgotten. */
class ScopedTimer {
  timer: ClockTimer = null;
  waiting = true;
}

/**
 * The clock as one machine or process sees it: when that ends, nothing that it had planned happens any more. Knows
 * how many timers it still holds, so that a leak shows.
 */
export class ScopedClock implements Clock {
  readonly #clock: Clock;
  #alive = true;
  #timers = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#timers;
  }

  /** From now on nothing fires. */
  end(): void {
    this.#alive = false;
    this.#timers = 0;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  setTimer(callback: () => void, delayMs: number): ClockTimer {
    const scoped = new ScopedTimer();
    this.#timers++;
    scoped.timer = this.#clock.setTimer(() => {
      if (!this.#alive || !scoped.waiting) return;
      scoped.waiting = false;
      this.#timers--;
      callback();
    }, delayMs);
    return scoped;
  }

  clearTimer(timer: ClockTimer): void {
    const scoped = timer as ScopedTimer | null;
    if (scoped === null || !scoped.waiting) return;
    scoped.waiting = false;
    if (this.#alive) this.#timers--;
    this.#clock.clearTimer(scoped.timer);
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => {
      if (this.#alive) callback();
    });
  }
}
