import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { Ref } from './ref.js';
import type { Timer } from './timers.js';

/** An exit signal, as a process that traps exits sees it. */
export class ExitMessage {
  readonly type = 'EXIT';

  constructor(
    readonly from: Pid,
    readonly reason: ExitReason,
  ) {}
}

/** What a monitor tells, once. */
export class DownMessage {
  readonly type = 'DOWN';

  constructor(
    readonly ref: Ref,
    /** The process; the name, if the monitor was set by name. */
    readonly from: Pid | string,
    readonly reason: ExitReason,
    /** The tag given to `monitor`; undefined if none was. */
    readonly tag: unknown = undefined,
  ) {}
}

/** What a timer of `startTimer` sends. */
export class TimeoutMessage {
  readonly type = 'timeout';

  constructor(
    readonly ref: Timer,
    readonly message: unknown,
  ) {}
}

/** What the runtime itself puts into mailboxes. */
export type SystemMessage = ExitMessage | DownMessage | TimeoutMessage;
