import type { Process } from '../actors/index.js';
import type { ClockTimer } from '../structures/clock.js';

/** nact's `shutdownAfter`, by the runtime's clock: runs while the actor is idle. */
export class IdleTimer {
  readonly #self: Process<never>;
  readonly #expired: () => void;
  #timer: ClockTimer | null = null;

  constructor(self: Process<never>, expired: () => void) {
    this.#self = self;
    this.#expired = expired;
  }

  start(afterMs: number): void {
    this.stop();
    const due = () => {
      this.#timer = null;
      // Sent by a process, and not handled yet.
      if (this.#self.messageQueueLength > 0) this.start(afterMs);
      else this.#expired();
    };
    this.#timer = this.#self.runtime.clock.setTimer(due, afterMs);
  }

  stop(): void {
    if (this.#timer === null) return;
    this.#self.runtime.clock.clearTimer(this.#timer);
    this.#timer = null;
  }
}
