import { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import type { Receiver } from './receiver.js';
import { Ref, RefFlag } from './ref.js';
import type { Runtime } from './runtime.js';
import type { SystemMessage } from './system-message.js';
import type { Timer } from './timers.js';
import type { Blocking } from './wait.js';

/** What came of a call. */
export type CallOutcome<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly reason: ExitReason };

/** Who asked, as the server sees it. A reply to somebody who gave up, or a second reply, is dropped. */
export interface From<in R> {
  readonly caller: Pid;
  /** The caller stands on this very stack and takes no answer later: refuse with what says so, or answer now. */
  readonly immediate: boolean;
  reply(value: R): void;
  /** @internal See `Runtime.exportFrom`. */
  export(): number;
}

/** The caller of a synchronous call: see `Runtime.callNow`. */
export class ImmediateFrom<R> implements From<R> {
  readonly immediate = true;
  answered = false;
  value: R | undefined = undefined;

  constructor(readonly caller: Pid) {}

  reply(value: R): void {
    if (this.answered) return;
    this.answered = true;
    this.value = value;
  }

  export(): number {
    return 0;
  }
}

/** A caller on another scheduler. */
export class RemoteFrom<R> implements From<R> {
  readonly immediate = false;

  constructor(
    private readonly runtime: Runtime,
    readonly caller: Pid,
    private readonly ref: number,
  ) {}

  reply(value: R): void {
    const { runtime, caller, ref } = this;
    try {
      runtime.routeSignal(caller, { type: 'alias', ref, message: value });
    } catch (error) {
      // It cannot leave this scheduler. That fails the call; the server did what it was asked, and lives.
      const reason = ExitReason.ofThrown(error);
      runtime.routeSignal(caller, { type: 'down', from: runtime.current, ref, reason });
    }
  }

  export(): number {
    return this.ref;
  }
}

/** The message by which a call reaches a server. */
export class CallMessage {
  readonly type = '$call';

  constructor(
    readonly from: From<unknown>,
    readonly request: unknown,
  ) {}
}

/** The message by which a cast reaches a server. */
export class CastMessage {
  readonly type = '$cast';

  constructor(readonly message: unknown) {}
}

/** Asks a behaviour to end with `reason` after its terminate: the request behind `stop`. */
export class StopMessage {
  readonly type = '$stop';
  /** @internal Whether it was handled: if not, its target ended for another cause. */
  taken = false;
  /** @internal Who waits for the end. */
  from: From<unknown> | null = null;

  /** @internal `teller`: tells another scheduler, from which it came, that it was handled. */
  constructor(
    readonly reason: ExitReason,
    private readonly teller: From<unknown> | null = null,
  ) {}

  /** The reason to end with. To be called by who handles it. */
  take(): ExitReason {
    this.taken = true;
    this.teller?.reply(undefined);
    return this.reason;
  }

  /** @internal It is its own message: the end of the server is the answer. */
  frame(from: From<unknown>): StopMessage {
    this.from = from;
    return this;
  }
}

/**
 * A call under way: a monitor on the server and an alias for the reply in one. Whatever comes first (reply, the
 * server's end, the timeout) decides it and ends both; the request then goes through the caller's mailbox and its
 * callback runs in its turn.
 */
export class Request<R> extends Ref implements From<R> {
  readonly immediate = false;
  timer: Timer | null = null;
  /** @internal How long it may take. */
  timeoutMs = 0;
  /** @internal Whether it went out; whether the server's end decided it then. */
  sent = false;
  /** @internal */
  targetEnded = false;
  private outcome: CallOutcome<R> | null = null;

  constructor(
    owner: Process<never>,
    target: Pid | null,
    name: string | null,
    private readonly done: (outcome: CallOutcome<R>) => void,
  ) {
    super(owner, target, name, RefFlag.monitor | RefFlag.alias | RefFlag.reply);
  }

  get caller(): Pid {
    return this.owner;
  }

  reply(value: R): void {
    this.owner.runtime.sendAlias(this, value);
  }

  override down(reason: ExitReason): void {
    this.targetEnded = this.sent;
    this.decide({ ok: false, reason });
  }

  override aliased(message: unknown): void {
    this.decide({ ok: true, value: message as R });
  }

  /** @internal The time is over. */
  timedOut(): void {
    this.owner.runtime.signals.demonitor(this.owner, this, false);
    this.decide({ ok: false, reason: ExitReason.timeout });
  }

  /** @internal What came of it; it must have been decided. */
  get result(): CallOutcome<R> {
    return this.outcome!;
  }

  /** @internal Runs the callback, in the caller. */
  finish(): void {
    this.done(this.outcome!);
  }

  private decide(outcome: CallOutcome<R>): void {
    if (this.outcome !== null) return;
    this.outcome = outcome;
    if (this.timer !== null) this.owner.runtime.cancelTimer(this.timer);
    this.owner.deliver(this);
  }
}

/** A stop under way: what decides it is the end of the other. Before that it may hear that the other came to the request. */
export class StopRequest<R> extends Request<R> {
  constructor(
    owner: Process<never>,
    target: Pid | null,
    name: string | null,
    done: (outcome: CallOutcome<R>) => void,
    private readonly message: StopMessage,
  ) {
    super(owner, target, name, done);
    this.flags = RefFlag.monitor | RefFlag.alias | RefFlag.demonitor;
  }

  override aliased(): void {
    this.message.taken = true;
  }
}

/**
 * Stands before the receiver of a process that has made a request: finished requests are no business of it. Put
 * there at the first request, so that processes that make none pay nothing.
 */
export class RequestReceiver<M> implements Receiver<M> {
  constructor(readonly inner: Receiver<M>) {}

  receive(message: M | SystemMessage): void {
    if (message instanceof Request) message.finish();
    else this.inner.receive(message);
  }

  terminate(reason: ExitReason): void | Blocking<void> {
    return this.inner.terminate?.(reason);
  }
}
