import { BadArgument } from '../bad-argument.js';
import { Exit, ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { CallMessage, CastMessage, type From } from '../request.js';
import type { CallPair } from '../server-pid.js';
import type { InitAck } from '../starting.js';
import { ProcessTimer } from '../timers.js';
import type { Blocking } from '../wait.js';
import { Behaviour, type BehaviourStatus } from './behaviour.js';
import type { GenServer } from './gen-server.js';
import { isPending, resultOf, thrownResult } from './returned.js';
import {
  type CallResult,
  type CodeChange,
  type InitResult,
  isNext,
  type Next,
  type NotReplied,
  type Replied,
  serverTimeout,
} from './server-result.js';

/** The callbacks of any server. */
export type AnyServer = GenServer<unknown, CallPair, unknown, unknown, unknown>;

/** The timeout of a `next`. It is its own message: one that was overtaken by another message is void, and no message. */
class ServerTimer extends ProcessTimer {
  constructor(
    self: Process<never>,
    /** What `handleInfo` gets. */
    readonly due: unknown,
    /** The time, if a system message begins it anew. */
    readonly restartMs: number | null,
  ) {
    super(self, null, false);
  }

  override expired(): void {
    this.detach();
    this.process.deliver(this);
  }
}

/** A continuation. It is put before everything that waits, so nothing comes between. */
class ContinueMessage {
  constructor(readonly argument: unknown) {}
}

/** The process behind a {@link GenServer}: OTP's loop of gen_server. */
export class ServerProcess extends Behaviour {
  #callbacks: AnyServer;
  #state: unknown = undefined;
  #initialized = false;
  #timer: ServerTimer | null = null;
  #lastReply: { readonly from: From<unknown>; readonly value: unknown } | null = null;
  /** What it handled when it began to end. */
  #lastMessage: unknown = undefined;

  constructor(self: Process<never>, parent: Pid | null, callbacks: AnyServer) {
    super(self, parent);
    this.#callbacks = callbacks;
  }

  override get behaviour(): string {
    return 'GenServer';
  }

  override get version(): unknown {
    return this.#callbacks.version;
  }

  /** Runs `init`, which may wait. */
  init(ack: InitAck): void {
    let result: unknown;
    try {
      result = this.#callbacks.init(this.self as Process<unknown>);
    } catch (thrown) {
      result = thrownResult(thrown);
    }
    if (isPending(result)) this.self.block(resultOf(result), (value) => this.#initDone(value, ack));
    else this.#initDone(result, ack);
  }

  #initDone(returned: unknown, ack: InitAck): void {
    const result = returned as InitResult<unknown, unknown, unknown>;
    switch (result?.type) {
      case 'ok':
        if (!isNext(result.next)) break;
        this.#state = result.state;
        this.#initialized = true;
        ack.ok();
        if (result.next !== undefined) this.#then(result.next);
        return;
      case 'ignore':
        ack.fail('ignore', ExitReason.normal);
        break;
      case 'error':
        ack.fail({ error: result.reason }, ExitReason.normal);
        break;
      case 'stop':
        throw new Exit(result.reason);
    }
    throw new Exit({ type: 'bad_return_value', value: returned });
  }

  override receive(message: unknown): void {
    if (message instanceof CallMessage) {
      if (this.#timer !== null) this.#stopTimer();
      if (this.debug !== null) this.debug.in(message);
      this.#call(message);
    } else if (message instanceof CastMessage) {
      if (this.#timer !== null) this.#stopTimer();
      if (this.debug !== null) this.debug.in(message);
      this.#cast(message);
    } else if (message instanceof ServerTimer) {
      if (message !== this.#timer) return;
      this.#timer = null;
      if (this.debug !== null) this.debug.in(message.due);
      this.#info(message.due);
    } else if (message instanceof ContinueMessage) {
      this.self.handledCount = (this.self.handledCount - 1) | 0;
      this.#continue(message.argument);
    } else {
      super.receive(message);
    }
  }

  protected override handle(message: unknown): void {
    if (this.#timer !== null) this.#stopTimer();
    this.#info(message);
  }

  // The common results are looked at where the callback is called: there the compiler sees where they come from and
  // where they go, and never allocates them. It makes casts half as fast again.

  #call(message: CallMessage): void {
    const callbacks = this.#callbacks;
    let result: unknown;
    try {
      if (callbacks.handleCall === undefined) throw new BadArgument(`${this.self.label} takes no calls`);
      result = callbacks.handleCall(message.request, message.from, this.#state);
    } catch (thrown) {
      result = this.#thrown(thrown, message);
    }
    const common = result as Replied<unknown, unknown> | undefined | null;
    if (common?.type === 'reply' && common.next === undefined && this.debug === null) {
      this.#state = common.state;
      message.from.reply(common.reply);
      return;
    }
    this.#apply(result, message, message.from);
  }

  #cast(message: CastMessage): void {
    const callbacks = this.#callbacks;
    let result: unknown;
    try {
      if (callbacks.handleCast === undefined) throw new BadArgument(`${this.self.label} takes no casts`);
      result = callbacks.handleCast(message.message, this.#state);
    } catch (thrown) {
      result = this.#thrown(thrown, message);
    }
    const common = result as NotReplied<unknown> | undefined | null;
    if (common?.type === 'noreply' && common.next === undefined && this.debug === null) {
      this.#state = common.state;
      return;
    }
    this.#apply(result, message, null);
  }

  #info(message: unknown): void {
    const callbacks = this.#callbacks;
    if (callbacks.handleInfo === undefined) return;
    let result: unknown;
    try {
      result = callbacks.handleInfo(message, this.#state);
    } catch (thrown) {
      result = this.#thrown(thrown, message);
    }
    const common = result as NotReplied<unknown> | undefined | null;
    if (common?.type === 'noreply' && common.next === undefined && this.debug === null) {
      this.#state = common.state;
      return;
    }
    this.#apply(result, message, null);
  }

  #continue(argument: unknown): void {
    const callbacks = this.#callbacks;
    const message = { type: 'continue', argument };
    if (this.debug !== null) this.debug.event({ type: 'continue', argument });
    let result: unknown;
    try {
      if (callbacks.handleContinue === undefined) throw new BadArgument(`${this.self.label} cannot continue`);
      result = callbacks.handleContinue(argument, this.#state);
    } catch (thrown) {
      result = this.#thrown(thrown, message);
    }
    this.#apply(result, message, null);
  }

  #thrown(thrown: unknown, message: unknown): unknown {
    this.#lastMessage = message;
    return thrownResult(thrown);
  }

  #apply(returned: unknown, message: unknown, from: From<unknown> | null): void {
    const result = returned as CallResult<unknown, unknown, unknown, unknown>;
    switch (result?.type) {
      case 'reply': {
        const { next } = result;
        if (from === null || (next !== undefined && !isNext(next))) break;
        this.#state = result.state;
        from.reply(result.reply);
        if (this.debug !== null) this.debug.out(result.reply, from.caller, result.state);
        if (next !== undefined) this.#then(next);
        return;
      }
      case 'noreply': {
        const { next } = result;
        if (next !== undefined && !isNext(next)) break;
        this.#state = result.state;
        if (this.debug !== null) this.debug.event({ type: 'noreply', state: result.state });
        if (next !== undefined) this.#then(next);
        return;
      }
      case 'stop':
        this.#state = result.state;
        this.#stop(result.reason, message);
        return;
      case 'stop_reply':
        if (from === null) break;
        this.#state = result.state;
        this.#lastReply = { from, value: result.reply };
        this.#stop(result.reason, message);
        return;
    }
    if (isPending(returned)) {
      this.#lastMessage = message;
      this.self.block(resultOf(returned), (value) => this.#apply(value, message, from));
    } else {
      this.#stop({ type: 'bad_return_value', value: returned }, message);
    }
  }

  #stop(reason: ExitReason, message: unknown): never {
    this.#lastMessage = message;
    throw new Exit(reason);
  }

  #then(next: Next<unknown, unknown>): void {
    if (typeof next === 'number') {
      this.#startTimer(next, serverTimeout, next);
    } else if (typeof next === 'object') {
      if ('continue' in next) this.self.putFirst(new ContinueMessage(next.continue));
      else if (next.at !== undefined)
        this.#startTimer(Math.max(0, next.at - this.self.runtime.clock.now()), next.message, null);
      else if (next.afterMs === 0) this.#dueNow(next.message);
      else this.#startTimer(next.afterMs, next.message, null);
    }
  }

  #startTimer(delayMs: number, due: unknown, restartMs: number | null): void {
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#timer = new ServerTimer(this.self, due, restartMs);
    this.self.runtime.timers.start(this.#timer, delayMs);
  }

  #dueNow(due: unknown): void {
    this.#timer = new ServerTimer(this.self, due, null);
    this.#timer.detach();
    this.self.putFirst(this.#timer);
  }

  #stopTimer(): void {
    this.self.cancelTimer(this.#timer!);
    this.#timer = null;
  }

  /** What its timeout left in the mailbox, if it was over while it was suspended, is void then. */
  protected override resumed(): void {
    const timer = this.#timer;
    if (timer === null || timer.restartMs === null) return;
    this.self.cancelTimer(timer);
    this.#startTimer(timer.restartMs, timer.due, timer.restartMs);
  }

  override terminate(reason: ExitReason): void | Blocking<void> {
    if (!this.#initialized) return;
    return this.endWith(() => this.#callbacks.terminate?.(reason, this.#state), reason);
  }

  protected override terminated(reason: ExitReason): void {
    this.reportEnd(reason, this.#lastMessage);
    if (this.#lastReply === null) return;
    const { from, value } = this.#lastReply;
    from.reply(value);
    if (this.debug !== null) this.debug.out(value, from.caller, this.#state);
  }

  // ---- sys -----------------------------------------------------------------------------------------------------

  protected override getState(): unknown {
    return this.#state;
  }

  protected override replaceState(replace: (state: unknown) => unknown): unknown {
    this.#state = replace(this.#state);
    return this.#state;
  }

  protected override formatStatus(status: BehaviourStatus): BehaviourStatus {
    return this.#callbacks.formatStatus?.(status) ?? status;
  }

  protected override changeCode(given: unknown, oldVersion: unknown, extra: unknown): void | Blocking<void> {
    const callbacks = (given ?? this.#callbacks) as AnyServer;
    let result: unknown;
    try {
      if (callbacks.codeChange === undefined) throw new BadArgument(`${this.self.label} has no codeChange`);
      result = callbacks.codeChange(oldVersion, this.#state, extra);
    } catch (thrown) {
      result = thrownResult(thrown);
    }
    if (isPending(result)) return this.#changing(result, callbacks);
    this.#changed(result, callbacks);
  }

  *#changing(pending: Blocking<unknown> | PromiseLike<unknown>, callbacks: AnyServer): Blocking<void> {
    this.#changed(yield* resultOf(pending), callbacks);
  }

  #changed(returned: unknown, callbacks: AnyServer): void {
    const result = returned as CodeChange<unknown>;
    if (result?.type === 'error') throw new Exit(result.reason);
    if (result?.type !== 'ok') throw new Exit({ type: 'bad_return_value', value: returned });
    this.#state = result.state;
    this.#callbacks = callbacks;
  }
}
