import { BadArgument } from '../bad-argument.js';
import { Exit, ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { CallMessage, type From } from '../request.js';
import type { InitAck } from '../starting.js';
import { ExitMessage } from '../system-message.js';
import type { Blocking } from '../wait.js';
import { Behaviour, type BehaviourStatus } from './behaviour.js';
import type {
  EventCommand,
  HandlerAdded,
  HandlerDeleted,
  HandlerReply,
  NotifyMessage,
} from './event-commands.js';
import {
  type AnyHandler,
  GenEventExit,
  type HandlerEnd,
  type HandlerRef,
  type HandlerResult,
  type SwapHandler,
  type Swapped,
  type TerminateArgument,
} from './event-handler.js';
import {
  attempt,
  BadCodeChange,
  errorOf,
  failed,
  type Outcome,
  outcomeOfThrown,
  replied,
  settledOutcome,
  swappedOf,
} from './handler-outcome.js';
import { type HandlerModule, InstalledHandler } from './installed-handler.js';
import { isPending, resultOf } from './returned.js';

/** What `sys.getState` shows of a handler. */
export interface HandlerState {
  readonly handler: HandlerRef;
  readonly state: unknown;
}

type Kind = 'handleEvent' | 'handleInfo';

type SwapCommand = Extract<EventCommand, { readonly type: '$swap_handler' }>;

function isNotify(message: unknown): message is NotifyMessage {
  return (message as NotifyMessage | null | undefined)?.type === '$notify';
}

/**
 * The process behind an event manager: OTP's loop of gen_event. It traps exits. Handlers are called newest first, each to
 * its end before the next.
 *
 * What is usual, a callback that returns a new state at once, needs no generator; all else goes on in one.
 */
export class EventManager extends Behaviour {
  /** Newest first. */
  #handlers: InstalledHandler[] = [];

  constructor(
    self: Process<never>,
    parent: Pid | null,
    /** A handler that is there from the start. */
    private readonly first: HandlerRef | null = null,
  ) {
    super(self, parent);
    self.trapExit = true;
  }

  override get behaviour(): string {
    return 'GenEvent';
  }

  init(ack: InitAck): void {
    if (this.first === null) ack.ok();
    else this.self.block(this.#add(this.first, undefined, undefined, null), () => ack.ok());
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  protected override handle(message: unknown): void {
    if (isNotify(message)) this.#notify('handleEvent', message.event, null);
    else if (message instanceof CallMessage) this.#command(message);
    else if (message instanceof ExitMessage) this.#ownerExited(message);
    else this.#notify('handleInfo', message, null);
  }

  #notify(kind: Kind, event: unknown, from: From<unknown> | null): void {
    const handlers = this.#handlers;
    for (let at = 0; at < handlers.length; at++) {
      const handler = handlers[at]!;
      const callback = handler.module[kind];
      if (callback === undefined) continue;
      let result: unknown;
      let crash: ExitReason | null = null;
      try {
        result = callback.call(handler.module, event, handler.state);
      } catch (thrown) {
        if (thrown instanceof Error || thrown instanceof Exit) crash = ExitReason.ofThrown(thrown);
        else result = thrown;
      }
      if (!this.self.alive) return;
      const ok = result as HandlerResult<unknown> | undefined;
      if (crash === null && ok?.type === 'ok') {
        handler.state = ok.state;
        continue;
      }
      const first: Outcome = crash === null ? { value: result } : { crash };
      this.self.block(this.#notifyOn(kind, event, at, first), () => from?.reply('ok'));
      return;
    }
    from?.reply('ok');
  }

  /** Goes on with the handler at `at`, whose callback did not just return a new state. */
  *#notifyOn(kind: Kind, event: unknown, at: number, first: Outcome): Blocking<void> {
    const handlers = [...this.#handlers];
    let outcome = yield* settledOutcome(first);
    for (let next = at; next < handlers.length; next++) {
      const handler = handlers[next]!;
      if (next !== at) {
        const callback = handler.module[kind];
        if (callback === undefined) continue;
        outcome = yield* settledOutcome(attempt(() => callback.call(handler.module, event, handler.state)));
      }
      yield* this.#update(handler, outcome, event);
    }
  }

  /** What becomes of a handler after a callback. */
  *#update(handler: InstalledHandler, outcome: Outcome, message: unknown): Blocking<void> {
    const result = outcome.value as HandlerResult<unknown> | undefined;
    switch (result?.type) {
      case 'ok':
        handler.state = result.state;
        return;
      case 'swap_handler':
        yield* this.#swapItself(handler, result);
        return;
      case 'remove_handler':
        this.#drop(handler);
        yield* this.#terminate(handler, { type: 'remove_handler' }, { type: 'normal' });
        return;
    }
    yield* this.#failed(handler, outcome, message);
  }

  /** A callback crashed, or returned what it must not: that is the end of its handler. */
  *#failed(handler: InstalledHandler, outcome: Outcome, message: unknown): Blocking<void> {
    const end: HandlerEnd & TerminateArgument =
      outcome.crash === undefined
        ? { type: 'bad_return_value', value: outcome.value }
        : { type: 'error', reason: outcome.crash };
    this.#drop(handler);
    yield* this.#terminate(handler, end, end, message);
  }

  *#swapItself(handler: InstalledHandler, swap: SwapHandler<unknown>): Blocking<void> {
    handler.state = swap.state;
    const { owner } = handler;
    const argument: TerminateArgument = { type: 'swap', argument: swap.argument };
    const end = yield* this.#terminate(handler, argument, { type: 'swapped', by: swap.other, owner });
    const other = InstalledHandler.of(swap.other, owner);
    const outcome = yield* this.#begin(other, swap.otherArgument, swappedOf(end));
    const result = outcome.value as HandlerResult<unknown> | undefined;
    if (result?.type === 'ok') {
      other.state = result.state;
      this.#handlers[this.#handlers.indexOf(handler)] = other;
      return;
    }
    this.#drop(handler);
    this.#tell(other, { type: 'crash' });
    this.#report(other, outcome.crash ?? { type: 'bad_return_value', value: outcome.value }, undefined);
  }

  /** An exit signal: handlers of that owner end, then the others hear of it. */
  #ownerExited(message: ExitMessage): void {
    if (this.#handlers.some(({ owner }) => owner === message.from)) {
      this.self.block(this.#endOwned(message), () => this.#notify('handleInfo', message, null));
    } else {
      this.#notify('handleInfo', message, null);
    }
  }

  *#endOwned({ from, reason }: ExitMessage): Blocking<void> {
    for (const handler of [...this.#handlers]) {
      if (handler.owner !== from) continue;
      this.#drop(handler);
      yield* this.#terminate(handler, { type: 'stop', reason }, { type: 'shutdown' });
    }
  }

  // ---- commands ------------------------------------------------------------------------------------------------

  #command(message: CallMessage): void {
    const { from } = message;
    const command = message.request as EventCommand | undefined;
    const reply = (answer: unknown) => from.reply(answer);
    switch (command?.type) {
      case '$call':
        this.#call(command.handler, command.request, from);
        return;
      case '$sync_notify':
        this.#notify('handleEvent', command.event, from);
        return;
      case '$add_handler': {
        const { handler, argument, supervised } = command;
        this.self.block(this.#add(handler, argument, undefined, supervised ? from.caller : null), reply);
        return;
      }
      case '$delete_handler':
        this.self.block(this.#delete(command.handler, command.argument), reply);
        return;
      case '$swap_handler':
        this.self.block(this.#swap(command, from.caller), reply);
        return;
      case '$which_handlers':
        reply(this.#handlers.map(({ ref }) => ref));
        return;
    }
    // A call of another kind: nobody here answers it.
    this.#notify('handleInfo', message, null);
  }

  #call(ref: HandlerRef, request: unknown, from: From<unknown>): void {
    const handler = this.#handlers.find((one) => one.is(ref));
    if (handler === undefined) {
      from.reply(failed({ type: 'bad_module' }));
      return;
    }
    let outcome: Outcome;
    try {
      if (handler.module.handleCall === undefined) throw new BadArgument(`${handler.name} takes no calls`);
      outcome = { value: handler.module.handleCall(request, handler.state) };
    } catch (thrown) {
      outcome = outcomeOfThrown(thrown);
    }
    const result = outcome.value as (HandlerResult<unknown> & { readonly reply?: unknown }) | undefined;
    if (result?.type === 'ok' && 'reply' in result) {
      handler.state = result.state;
      from.reply(replied(result.reply));
      return;
    }
    this.self.block(this.#callOn(handler, outcome, request), (answer) => from.reply(answer));
  }

  *#callOn(handler: InstalledHandler, first: Outcome, request: unknown): Blocking<HandlerReply<unknown>> {
    const outcome = yield* settledOutcome(first);
    const result = outcome.value as (HandlerResult<unknown> & { readonly reply?: unknown }) | undefined;
    const isResult =
      result?.type === 'ok' || result?.type === 'swap_handler' || result?.type === 'remove_handler';
    if (isResult && 'reply' in result) {
      yield* this.#update(handler, outcome, request);
      return replied(result.reply);
    }
    yield* this.#failed(handler, outcome, request);
    return failed(errorOf(outcome));
  }

  *#add(
    ref: HandlerRef,
    argument: unknown,
    swapped: Swapped | undefined,
    owner: Pid | null,
  ): Blocking<HandlerAdded> {
    // It stays when the handler goes: there may be other reasons for it.
    if (owner !== null) this.self.link(owner);
    const handler = InstalledHandler.of(ref, owner);
    const outcome = yield* this.#begin(handler, argument, swapped);
    const result = outcome.value as { readonly type?: unknown; readonly state?: unknown } | undefined;
    if (result?.type === 'ok') {
      handler.state = result.state;
      this.#handlers = [handler, ...this.#handlers];
      return { ok: true };
    }
    if (result?.type === 'error') {
      return failed({ type: 'refused', reason: (result as { readonly reason: ExitReason }).reason });
    }
    return failed(errorOf(outcome));
  }

  *#delete(ref: HandlerRef, argument: unknown): Blocking<HandlerDeleted> {
    const handler = this.#handlers.find((one) => one.is(ref));
    if (handler === undefined) return failed({ type: 'module_not_found' });
    this.#drop(handler);
    const end = yield* this.#terminate(handler, { type: 'delete', argument }, { type: 'normal' });
    return end.crash === undefined ? { ok: true, result: end.value } : failed(errorOf(end));
  }

  *#swap({ one, other, supervised }: SwapCommand, caller: Pid): Blocking<HandlerAdded> {
    const handler = this.#handlers.find((candidate) => candidate.is(one.handler));
    let owner = supervised ? caller : null;
    let swapped: Swapped = { type: 'module_not_found' };
    if (handler !== undefined) {
      owner ??= handler.owner;
      this.#drop(handler);
      const end: HandlerEnd = { type: 'swapped', by: other.handler, owner };
      swapped = swappedOf(yield* this.#terminate(handler, { type: 'swap', argument: one.argument }, end));
    }
    return yield* this.#add(other.handler, other.argument, swapped, owner);
  }

  // ---- handlers ------------------------------------------------------------------------------------------------

  #begin(handler: InstalledHandler, argument: unknown, swapped: Swapped | undefined): Blocking<Outcome> {
    return settledOutcome(attempt(() => handler.module.init(argument, swapped)));
  }

  #drop(handler: InstalledHandler): void {
    this.#handlers = this.#handlers.filter((one) => one !== handler);
  }

  /** The terminate of a handler, and what is to be said of its end. */
  *#terminate(
    handler: InstalledHandler,
    argument: TerminateArgument,
    end: HandlerEnd,
    message?: unknown,
  ): Blocking<Outcome> {
    const { module, state } = handler;
    const outcome: Outcome =
      module.terminate === undefined
        ? { value: undefined }
        : yield* settledOutcome(attempt(() => module.terminate?.(argument, state)));
    if (end.type === 'error') this.#report(handler, end.reason, message);
    else if (end.type === 'bad_return_value') this.#report(handler, end, message);
    this.#tell(handler, end);
    return outcome;
  }

  #tell(handler: InstalledHandler, end: HandlerEnd): void {
    if (handler.owner === null) return;
    this.self.send(handler.owner as Pid<GenEventExit>, new GenEventExit(handler.ref, end));
  }

  #report(handler: InstalledHandler, reason: ExitReason, lastMessage: unknown): void {
    const { self } = this;
    self.runtime.emit({
      type: 'handler_crashed',
      pid: self,
      label: self.label,
      handler: handler.name,
      reason,
      lastMessage,
      state: handler.shown,
    });
  }

  // ---- end and sys ---------------------------------------------------------------------------------------------

  override *terminate(): Blocking<void> {
    const { parent, self } = this;
    const handlers = this.#handlers;
    for (const handler of handlers) yield* this.#terminate(handler, { type: 'stop' }, { type: 'shutdown' });
    // Owners are told by a message; their links are the manager's doing, and must not end them.
    for (const { owner } of handlers) if (owner !== null && owner !== parent) self.unlink(owner);
  }

  protected override getState(): readonly HandlerState[] {
    return this.#handlers.map((handler) => ({ handler: handler.ref, state: handler.state }));
  }

  /** `replace` is given the state of each handler in turn; where it throws, or gives another handler, nothing changes. */
  protected override replaceState(replace: (state: unknown) => unknown): readonly HandlerState[] {
    for (const handler of this.#handlers) {
      try {
        const wanted = replace({ handler: handler.ref, state: handler.state }) as HandlerState | undefined;
        if (wanted !== undefined && handler.is(wanted.handler)) handler.state = wanted.state;
      } catch {
        // OTP's rule: the others are replaced all the same.
      }
    }
    return this.getState();
  }

  protected override formatStatus(status: BehaviourStatus): BehaviourStatus {
    const state = this.#handlers.map((handler) => ({
      handler: handler.ref,
      state: handler.shown,
      owner: handler.owner,
    }));
    return { ...status, state };
  }

  /** Those of the given callbacks; without any, all that know how to change. */
  protected override *changeCode(given: unknown, oldVersion: unknown, extra: unknown): Blocking<void> {
    const changed = new Map<InstalledHandler, InstalledHandler>();
    const { module: before, by } = (given ?? {}) as {
      readonly module?: AnyHandler;
      readonly by?: AnyHandler;
    };
    for (const handler of this.#handlers) {
      if (before !== undefined && handler.module !== (before as unknown)) continue;
      const module = ((before === undefined ? undefined : by) as HandlerModule | undefined) ?? handler.module;
      if (module.codeChange === undefined && before === undefined) continue;
      const next = new InstalledHandler(module, handler.id, handler.hasId, handler.owner);
      const returned = module.codeChange?.(oldVersion, handler.state, extra);
      const result = (isPending(returned) ? yield* resultOf(returned) : returned) as HandlerResult<unknown>;
      if (result?.type !== 'ok') throw new BadCodeChange(result);
      next.state = result.state;
      changed.set(handler, next);
    }
    this.#handlers = this.#handlers.map((handler) => changed.get(handler) ?? handler);
  }
}
