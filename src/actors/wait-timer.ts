import type { Process } from './process.js';
import { ProcessTimer } from './timers.js';
import { Token } from './wait.js';

/** What stands in the mailbox when the time of a wait is over. */
class Expired extends Token {}

/** The time of a wait. When it is over its token comes through the mailbox, so that the process goes on in its own slice. */
export class WaitTimer extends ProcessTimer {
  readonly token: Token = new Expired();

  constructor(self: Process<never>, afterMs: number) {
    super(self, null, false);
    self.runtime.timers.start(this, afterMs);
  }

  override expired(): void {
    this.detach();
    this.process.deliver(this.token);
  }

  /** Afterwards neither the timer runs nor does its token wait. */
  cancel(): void {
    const { process, token } = this;
    if (process.cancelTimer(this) !== false) return;
    if (process.flush((message) => message === token)) process.handledCount = (process.handledCount - 1) | 0;
  }
}
