import { SimulatedClock } from '../../src/structures/simulated-clock.js';

/**
 * A simulated clock that goes round as an event loop does: timers that are due, then what was deferred, and again. For
 * work that takes simulated time ({@link SimulatedClock.stall}) and never ends.
 */
export class LoopClock extends SimulatedClock {
  #deferred: (() => void)[] = [];

  override defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Goes round until so much time has passed. */
  spin(ms: number): void {
    const until = this.now() + ms;
    while (this.now() < until) {
      super.advance(0);
      const callbacks = this.#deferred;
      this.#deferred = [];
      for (const callback of callbacks) callback();
      if (callbacks.length === 0)
        super.advance(Math.max(0, Math.min(this.nextDeadline(), until) - this.now()));
    }
  }
}
