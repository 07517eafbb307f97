import type { Process } from '../actors/index.js';
import { Token, Wait } from '../actors/wait.js';

class Idle extends Token {}

/** The wait for the end of what keeps an actor busy. What ends it is no message, and not counted as one. */
export class UntilIdle extends Wait<void> {
  readonly afterMs = Number.POSITIVE_INFINITY;
  readonly #token = new Idle();

  matches(message: unknown): boolean {
    return message === this.#token;
  }

  finish(_message: unknown, self: Process<never>): void {
    self.handledCount = (self.handledCount - 1) | 0;
  }

  expired(): void {}

  /** The actor is idle. */
  wake(self: Process<never>): void {
    const longest = Math.max(self.mailboxLongest, self.messageQueueLength);
    self.putFirst(this.#token);
    self.mailboxLongest = longest;
  }
}
