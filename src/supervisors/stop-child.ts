import {
  type Blocking,
  DownMessage,
  ExitMessage,
  ExitReason,
  type Pid,
  type Process,
  type Ref,
  receive,
  Wait,
  type WaitingMailbox,
} from '../actors/index.js';
import type { CheckedSpec } from './child-spec.js';

/**
 * Stops a child at once if nobody has to wait for it: it has ended before, or it does not trap exits. Returns why it
 * ended, or null: it has not been asked yet.
 */
export function stopNow(self: Process<never>, pid: Pid, spec: CheckedSpec): ExitReason | null {
  const { runtime } = self;
  const process = runtime.local(pid);
  if (process === null) return null;
  // Its EXIT waits in the mailbox, and will be from nobody.
  if (!process.alive) return runtime.exitReasonOf(pid);
  const brutal = spec.shutdown === 'brutal_kill';
  if (!brutal && process.trapExit) return null;
  // So that there is no EXIT of what is known.
  self.unlink(pid);
  runtime.exit(pid, brutal ? ExitReason.kill : ExitReason.shutdown);
  return runtime.exitReasonOf(pid);
}

/** Asks a child to end and waits for its end; null when the time is over. */
class Ending extends Wait<ExitReason | null> {
  ref!: Ref;

  constructor(
    private readonly pid: Pid,
    private readonly how: ExitReason,
    readonly afterMs: number,
  ) {
    super();
  }

  override begin(self: Process<never>, mailbox: WaitingMailbox): void {
    // The monitor is new: nothing that waits already can be of it, be it a hundred thousand EXITs.
    mailbox.setAside();
    this.ref = self.monitor(this.pid);
    self.runtime.exit(this.pid, this.how);
  }

  matches(message: unknown): boolean {
    return message instanceof DownMessage && message.ref === this.ref;
  }

  finish(message: unknown): ExitReason {
    return (message as DownMessage).reason;
  }

  expired(): null {
    return null;
  }
}

/**
 * Stops a child that has to be waited for, as a supervisor has to: monitor, ask with `shutdown` (or kill), wait, kill
 * when the time is over, wait again; then unlink. The monitor makes sure that a child that unlinked itself cannot hang
 * the supervisor. Returns why it ended.
 */
export function* stopWaiting(self: Process<never>, pid: Pid, spec: CheckedSpec): Blocking<ExitReason> {
  const { shutdown } = spec;
  const how = shutdown === 'brutal_kill' ? ExitReason.kill : ExitReason.shutdown;
  const ending = new Ending(pid, how, typeof shutdown === 'number' ? shutdown : Number.POSITIVE_INFINITY);
  let reason = yield* ending;
  if (reason === null) {
    self.runtime.exit(pid, ExitReason.kill);
    reason = (yield* receive(
      (message): message is DownMessage => message instanceof DownMessage && message.ref === ending.ref,
    )).reason;
  }
  self.unlink(pid);
  return reason.type === 'noproc' ? yield* reasonBefore(pid) : reason;
}

/** It had ended before it was asked, on another scheduler: its EXIT says why, unless it had unlinked itself. */
function* reasonBefore(pid: Pid): Blocking<ExitReason> {
  const exit = yield* receive(
    (message): message is ExitMessage => message instanceof ExitMessage && message.from === pid,
    0,
  );
  return exit?.reason ?? ExitReason.noproc;
}
