import type { Process } from './process.js';
import { Wait, type WaitingMailbox } from './wait.js';

class Current extends Wait<Process<never>> {
  readonly afterMs = 0;

  override begin(_self: Process<never>, mailbox: WaitingMailbox): void {
    // There is nothing to be waited for: the mailbox is not to be looked at.
    mailbox.setAside();
  }

  matches(): boolean {
    return false;
  }

  finish(_message: unknown, self: Process<never>): Process<never> {
    return self;
  }

  expired(self: Process<never>): Process<never> {
    return self;
  }
}

/** The process that waits: Erlang's self(), for generators that are not handed it. `const self = yield* current()`. */
export function current(): Wait<Process<never>> {
  return new Current();
}
