import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { SystemMessage } from './system-message.js';
import type { Blocking } from './wait.js';

/** What a process does: the object that its start function returned. */
export interface Receiver<M> {
  /**
   * Handles the next message. Whatever it throws ends the process with that error as the reason; nobody else
   * notices, but for links and monitors. It must not block.
   */
  receive(message: M | SystemMessage): void;
  /**
   * Called when the process ends by its own doing: `receive` threw, or it called `self.exit`. Not called when an
   * exit signal ends it: what has to be let go of in any case belongs into `self.onExit`. Another error thrown
   * here becomes the reason. It may be a generator that waits: the process lives until it is done.
   */
  terminate?(reason: ExitReason): void | Blocking<void>;
  /**
   * What operators see of its state: sizes and phases. A behaviour has `sys.getStatus` for it. Called at any time but from
   * within the process; it must change nothing, and be quick.
   */
  summary?(): Readonly<Record<string, unknown>>;
  /** What inspection and reports call it, if that is not the name of its class. */
  readonly reportedAs?: string;
}

/**
 * Called when a process has ended, whatever the reason: after its name was released and before its links and
 * monitors hear of it. For what has to go with the process (Erlang closes a dead process's ports likewise).
 * Must not throw; an error is reported as an event and otherwise ignored.
 */
export interface ExitHook {
  processExited(process: Pid, reason: ExitReason): void;
}
