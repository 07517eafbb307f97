import { whenDone } from '../coroutine.js';
import { Exit, ExitReason, isOrderly } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { receive } from '../receive.js';
import type { Receiver } from '../receiver.js';
import { CallMessage, StopMessage } from '../request.js';
import { actualParent, isParent } from '../stand-in.js';
import { SysMessage, type SysOperation, type SysReply } from '../sys-request.js';
import { ExitMessage } from '../system-message.js';
import type { Blocking } from '../wait.js';
import { isPending, resultOf } from './returned.js';
import { SysDebug, type SysEvent } from './sys-debug.js';

/**
 * What all behaviours have in common: system messages, the parent's EXIT, suspension, tracing. OTP's sys and the loop of
 * gen. A behaviour extends it, handles its own messages in {@link handle}, and calls {@link in} and {@link out} for the
 * messages that go in and out while it is traced.
 *
 * Suspended, it takes only system messages and its parent's EXIT; the rest stays in its mailbox.
 */
export abstract class Behaviour implements Receiver<unknown> {
  /** What is written down about this process: null while nobody asked for it, so that it costs one comparison. */
  protected debug: SysDebug | null = null;
  #suspended = false;

  constructor(
    protected readonly self: Process<never>,
    /** Whose EXIT ends it. */
    readonly parent: Pid | null,
  ) {}

  /** Whether `sys.suspend` holds it. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** What kind of behaviour it is: the name of its class, unless that says otherwise. */
  get behaviour(): string {
    return this.constructor.name;
  }

  /** The version of its code, for a change of code. */
  get version(): unknown {
    return undefined;
  }

  /** A message that is no business of the base's. */
  protected abstract handle(message: unknown): void;
  /** What `sys.getState` shows. */
  protected abstract getState(): unknown;
  /** Replaces it; returns what it is then. What it throws leaves everything as it was. */
  protected abstract replaceState(replace: (state: unknown) => unknown): unknown;
  /** New code, while it is suspended. What it throws leaves everything as it was. */
  protected abstract changeCode(
    callbacks: unknown,
    oldVersion: unknown,
    extra: unknown,
  ): void | Blocking<void>;
  /** See `Receiver.terminate`. */
  abstract terminate(reason: ExitReason): void | Blocking<void>;

  /** After it was resumed, or a system message was handled: the time of a timeout begins anew, as in OTP. */
  protected resumed(): void {}

  receive(message: unknown): void {
    if (message instanceof SysMessage) this.#system(message);
    else if (message instanceof StopMessage) this.stopRequested(message.take());
    else if (message instanceof ExitMessage && isParent(this.parent, message.from))
      this.parentExited(message.reason);
    else {
      if (this.debug !== null) this.debug.in(message);
      this.handle(message);
    }
  }

  /** Its parent has ended, while it traps exits. */
  protected parentExited(reason: ExitReason): void {
    throw new Exit(reason);
  }

  /** OTP's proc_lib:stop. */
  protected stopRequested(reason: ExitReason): void {
    throw new Exit(reason);
  }

  #system(message: SysMessage): void {
    const { operation, from } = message;
    if (operation.op === 'suspend') {
      from.reply(ok('ok'));
      this.#suspended = true;
      this.self.block(this.#suspendedLoop(), () => this.resumed());
      return;
    }
    if (operation.op === 'change_code') from.reply(failed(ExitReason.custom('unknown_system_msg')));
    else from.reply(this.#perform(operation));
    if (operation.op === 'terminate') this.stopRequested(operation.reason);
    this.resumed();
  }

  *#suspendedLoop(): Blocking<void> {
    while (this.#suspended) {
      const message = yield* receive((message) => this.#concernsSuspended(message));
      if (message instanceof StopMessage) this.stopRequested(message.take());
      else if (message instanceof ExitMessage) this.parentExited(message.reason);
      else if (message instanceof SysMessage) yield* this.#systemSuspended(message);
    }
  }

  #concernsSuspended(message: unknown): boolean {
    return (
      message instanceof SysMessage ||
      message instanceof StopMessage ||
      (message instanceof ExitMessage && isParent(this.parent, message.from))
    );
  }

  *#systemSuspended({ operation, from }: SysMessage): Blocking<void> {
    if (operation.op === 'resume') {
      this.#suspended = false;
      from.reply(ok('ok'));
      return;
    }
    if (operation.op !== 'change_code') {
      from.reply(this.#perform(operation));
      if (operation.op === 'terminate') this.stopRequested(operation.reason);
      return;
    }
    try {
      const { callbacks, oldVersion = this.version, extra } = operation;
      const change = this.changeCode(callbacks, oldVersion, extra);
      if (change !== undefined) yield* change;
    } catch (thrown) {
      from.reply(failed(ExitReason.ofThrown(thrown)));
      return;
    }
    from.reply(ok('ok'));
  }

  #perform(operation: SysOperation): SysReply {
    try {
      return ok(this.#answer(operation));
    } catch (thrown) {
      return failed(ExitReason.ofThrown(thrown));
    }
  }

  #answer(operation: SysOperation): unknown {
    switch (operation.op) {
      case 'get_state':
        return this.getState();
      case 'replace_state':
        return this.replaceState(operation.replace);
      case 'get_status':
        return this.#status();
      case 'statistics':
      case 'log':
      case 'trace':
      case 'install':
      case 'remove':
      case 'no_debug':
        this.debug ??= new SysDebug(this.self);
        return this.#debugging(this.debug.perform(operation));
      default:
        return 'ok';
    }
  }

  #debugging(answer: unknown): unknown {
    if (this.debug?.idle === true) this.debug = null;
    return answer;
  }

  #status(): SysStatus {
    const { self } = this;
    const { state, log = [] } = this.#formatted({ state: this.getState(), log: this.debug?.log ?? [] });
    return {
      pid: self,
      label: self.label,
      behaviour: this.behaviour,
      version: this.version,
      sysState: this.#suspended ? 'suspended' : 'running',
      parent: actualParent(this.parent),
      messageQueueLength: self.messageQueueLength,
      state,
      log,
    };
  }

  #formatted(status: BehaviourStatus): BehaviourStatus {
    try {
      return this.formatStatus(status);
    } catch (error) {
      return { ...status, state: `formatStatus failed: ${String(error)}`, log: [] };
    }
  }

  /** What `sys.getStatus` and the report of an end show: for what is secret, or too much. */
  protected formatStatus(status: BehaviourStatus): BehaviourStatus {
    return status;
  }

  /** Reports that it ends, unless it does so in order. To be called behind its terminate. */
  protected reportEnd(reason: ExitReason, lastMessage: unknown): void {
    if (isOrderly(reason)) return;
    const status = this.#formatted({
      state: this.getState(),
      log: this.debug?.log ?? [],
      reason,
      message: lastMessage,
    });
    this.self.runtime.emit({
      type: 'behaviour_terminated',
      pid: this.self,
      label: this.self.label,
      behaviour: this.behaviour,
      reason: status.reason ?? reason,
      lastMessage: status.message,
      client: lastMessage instanceof CallMessage ? lastMessage.from.caller : null,
      state: status.state,
      log: status.log ?? [],
    });
  }

  /**
   * Runs the callback `terminate`, which may wait, and then {@link terminated}. A value that is thrown is what it returned: it concerns
   * nobody. An Error becomes the reason.
   */
  protected endWith(callback: () => unknown, reason: ExitReason): void | Blocking<void> {
    let result: unknown;
    try {
      result = callback();
    } catch (thrown) {
      this.#threwAtEnd(thrown, reason);
      return;
    }
    if (isPending(result)) return this.#ending(result, reason);
    this.terminated(reason);
  }

  *#ending(pending: Blocking<unknown> | PromiseLike<unknown>, reason: ExitReason): Blocking<void> {
    try {
      yield* resultOf(pending);
    } catch (thrown) {
      this.#threwAtEnd(thrown, reason);
      return;
    }
    this.terminated(reason);
  }

  /** It is reported in any case. */
  #threwAtEnd(thrown: unknown, reason: ExitReason): void {
    const returned = !(thrown instanceof Error || thrown instanceof Exit);
    this.terminated(returned ? reason : ExitReason.ofThrown(thrown));
    if (!returned) throw thrown;
  }

  /** Its `terminate` is over: what is to be reported, and to be answered, before it has ended. */
  protected terminated(_reason: ExitReason): void {}

  /** Hands the result of a callback on that may be a generator: the process is blocked until it is done. */
  protected whenDone<T>(result: T | Blocking<T>, then: (value: T) => void): void {
    whenDone(this.self, result, then);
  }
}

/** What `sys.getStatus` tells. */
export interface SysStatus {
  readonly pid: Pid;
  readonly label: string;
  /** Name of the behaviour's class. */
  readonly behaviour: string;
  /** That of its code; undefined if it has none. */
  readonly version: unknown;
  readonly sysState: 'running' | 'suspended';
  readonly parent: Pid | null;
  readonly messageQueueLength: number;
  readonly state: unknown;
  /** What `sys.log` has kept. */
  readonly log: readonly SysEvent[];
}

/** What is shown of a behaviour: for `sys.getStatus`, and, with a reason and the last message, when it ends. */
export interface BehaviourStatus {
  readonly state: unknown;
  readonly log?: readonly SysEvent[];
  readonly reason?: ExitReason;
  readonly message?: unknown;
}

function ok(value: unknown): SysReply {
  return { ok: true, value };
}

function failed(reason: ExitReason): SysReply {
  return { ok: false, reason };
}
