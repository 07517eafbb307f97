import { Exit, ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { CallMessage, type From } from '../request.js';
import type { InitAck } from '../starting.js';
import { ExitMessage } from '../system-message.js';
import type { Blocking } from '../wait.js';
import { Behaviour, type BehaviourStatus } from './behaviour.js';
import {
  AddHandler,
  CallHandler,
  DeleteHandler,
  EventCommand,
  type HandlerAdded,
  type HandlerDeleted,
  type HandlerError,
  type HandlerReply,
  NotifyMessage,
  SwapHandlers,
  SyncNotify,
  WhichHandlers,
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
import { isPending, resultOf, thrownResult } from './returned.js';

/** Callbacks as the manager calls them: it knows nothing of their types. */
interface Module {
  readonly init: (argument: unknown, swapped: Swapped | undefined) => unknown;
  readonly handleEvent: (event: unknown, state: unknown) => unknown;
  readonly handleCall?: (request: unknown, state: unknown) => unknown;
  readonly handleInfo?: (message: unknown, state: unknown) => unknown;
  readonly terminate?: (argument: TerminateArgument, state: unknown) => unknown;
  readonly codeChange?: (oldVersion: unknown, state: unknown, extra: unknown) => unknown;
  readonly formatStatus?: (state: unknown) => unknown;
}

/** A handler that is there. */
class Handler {
  state: unknown = undefined;

  constructor(
    readonly module: Module,
    /** Undefined: it has none. */
    readonly id: unknown,
    readonly hasId: boolean,
    /** Who is told of its end, and with whom it ends. */
    readonly owner: Pid | null,
  ) {}

  static of(ref: HandlerRef, owner: Pid | null): Handler {
    return 'module' in ref
      ? new Handler(ref.module as unknown as Module, ref.id, true, owner)
      : new Handler(ref as unknown as Module, undefined, false, owner);
  }

  get ref(): HandlerRef {
    const module = this.module as unknown as AnyHandler;
    return this.hasId ? { module, id: this.id } : module;
  }

  is(ref: HandlerRef): boolean {
    if ('module' in ref) return this.hasId && this.module === (ref.module as unknown) && this.id === ref.id;
    return !this.hasId && this.module === (ref as unknown);
  }
}

/** What a callback came to: a value, or why it crashed. */
type Outcome =
  | { readonly value: unknown; readonly crash?: undefined }
  | { readonly crash: ExitReason; readonly value?: undefined };

/** What `sys.getState` shows of a handler. */
export interface HandlerState {
  readonly handler: HandlerRef;
  readonly state: unknown;
}

type Kind = 'handleEvent' | 'handleInfo';

/**
 * The process behind an event manager: OTP's loop of gen_event. It traps exits. Handlers are called newest first, each to
 * its end before the next.
 *
 * What is usual, a callback that returns a new state at once, needs no generator; all else goes on in one.
 */
export class EventManager extends Behaviour {
  /** Newest first. */
  #handlers: Handler[] = [];

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
    if (message instanceof NotifyMessage) this.#notify('handleEvent', message.event, null);
    else if (message instanceof CallMessage && message.request instanceof EventCommand)
      this.#command(message.request, message.from);
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
    let outcome = yield* this.#settled(first);
    for (let next = at; next < handlers.length; next++) {
      const handler = handlers[next]!;
      if (next !== at) {
        const callback = handler.module[kind];
        if (callback === undefined) continue;
        outcome = yield* this.#settled(
          this.#attempt(() => callback.call(handler.module, event, handler.state)),
        );
      }
      yield* this.#update(handler, outcome, event);
    }
  }

  /** What becomes of a handler after a callback. */
  *#update(handler: Handler, outcome: Outcome, message: unknown): Blocking<void> {
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
  *#failed(handler: Handler, outcome: Outcome, message: unknown): Blocking<void> {
    const end: HandlerEnd & TerminateArgument =
      outcome.crash === undefined
        ? { type: 'bad_return_value', value: outcome.value }
        : { type: 'error', reason: outcome.crash };
    this.#drop(handler);
    yield* this.#terminate(handler, end, end, message);
  }

  *#swapItself(handler: Handler, swap: SwapHandler<unknown>): Blocking<void> {
    handler.state = swap.state;
    const { owner } = handler;
    const argument: TerminateArgument = { type: 'swap', argument: swap.argument };
    const end = yield* this.#terminate(handler, argument, { type: 'swapped', by: swap.other, owner });
    const other = Handler.of(swap.other, owner);
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

  #command(command: EventCommand, from: From<unknown>): void {
    const reply = (answer: unknown) => from.reply(answer);
    if (command instanceof CallHandler) this.#call(command, from);
    else if (command instanceof SyncNotify) this.#notify('handleEvent', command.event, from);
    else if (command instanceof AddHandler) {
      const owner = command.supervised ? from.caller : null;
      this.self.block(this.#add(command.handler, command.argument, undefined, owner), reply);
    } else if (command instanceof DeleteHandler) this.self.block(this.#delete(command), reply);
    else if (command instanceof SwapHandlers) this.self.block(this.#swap(command, from.caller), reply);
    else if (command instanceof WhichHandlers) reply(this.#handlers.map(({ ref }) => ref));
  }

  #call({ handler: ref, request }: CallHandler, from: From<unknown>): void {
    const handler = this.#handlers.find((one) => one.is(ref));
    if (handler === undefined) {
      from.reply(failed({ type: 'bad_module' }));
      return;
    }
    const outcome = this.#attempt(() => {
      if (handler.module.handleCall === undefined) throw new TypeError('the handler has no handleCall');
      return handler.module.handleCall(request, handler.state);
    });
    const result = outcome.value as (HandlerResult<unknown> & { readonly reply?: unknown }) | undefined;
    if (result?.type === 'ok' && 'reply' in result) {
      handler.state = result.state;
      from.reply(replied(result.reply));
      return;
    }
    this.self.block(this.#callOn(handler, outcome, request), (answer) => from.reply(answer));
  }

  *#callOn(handler: Handler, first: Outcome, request: unknown): Blocking<HandlerReply<unknown>> {
    const outcome = yield* this.#settled(first);
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
    const handler = Handler.of(ref, owner);
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

  *#delete({ handler: ref, argument }: DeleteHandler): Blocking<HandlerDeleted> {
    const handler = this.#handlers.find((one) => one.is(ref));
    if (handler === undefined) return failed({ type: 'module_not_found' });
    this.#drop(handler);
    const end = yield* this.#terminate(handler, { type: 'delete', argument }, { type: 'normal' });
    return end.crash === undefined ? { ok: true, result: end.value } : failed(errorOf(end));
  }

  *#swap({ one, other, supervised }: SwapHandlers, caller: Pid): Blocking<HandlerAdded> {
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

  #begin(handler: Handler, argument: unknown, swapped: Swapped | undefined): Blocking<Outcome> {
    return this.#settled(this.#attempt(() => handler.module.init(argument, swapped)));
  }

  /** Calls a callback. */
  #attempt(callback: () => unknown): Outcome {
    try {
      return { value: callback() };
    } catch (thrown) {
      return outcomeOfThrown(thrown);
    }
  }

  /** Waits until a callback is done that may wait. */
  *#settled(outcome: Outcome): Blocking<Outcome> {
    if (outcome.crash !== undefined || !isPending(outcome.value)) return outcome;
    try {
      return { value: yield* resultOf(outcome.value) };
    } catch (thrown) {
      return outcomeOfThrown(thrown);
    }
  }

  #drop(handler: Handler): void {
    this.#handlers = this.#handlers.filter((one) => one !== handler);
  }

  /** The terminate of a handler, and what is to be said of its end. */
  *#terminate(
    handler: Handler,
    argument: TerminateArgument,
    end: HandlerEnd,
    message?: unknown,
  ): Blocking<Outcome> {
    const { module, state } = handler;
    const outcome: Outcome =
      module.terminate === undefined
        ? { value: undefined }
        : yield* this.#settled(this.#attempt(() => module.terminate?.(argument, state)));
    if (end.type === 'error') this.#report(handler, end.reason, message);
    else if (end.type === 'bad_return_value') this.#report(handler, end, message);
    this.#tell(handler, end);
    return outcome;
  }

  #tell(handler: Handler, end: HandlerEnd): void {
    if (handler.owner === null) return;
    this.self.send(handler.owner as Pid<GenEventExit>, new GenEventExit(handler.ref, end));
  }

  #report(handler: Handler, reason: ExitReason, lastMessage: unknown): void {
    const { self } = this;
    self.runtime.emit({
      type: 'handler_crashed',
      pid: self,
      label: self.label,
      handler: nameOf(handler),
      reason,
      lastMessage,
      state: shown(handler),
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
      state: shown(handler),
      owner: handler.owner,
    }));
    return { ...status, state };
  }

  /** Those of the given callbacks; without any, all that know how to change. */
  protected override *changeCode(given: unknown, oldVersion: unknown, extra: unknown): Blocking<void> {
    const changed = new Map<Handler, Handler>();
    const { module: before, by } = (given ?? {}) as {
      readonly module?: AnyHandler;
      readonly by?: AnyHandler;
    };
    for (const handler of this.#handlers) {
      if (before !== undefined && handler.module !== (before as unknown)) continue;
      const module = ((before === undefined ? undefined : by) as Module | undefined) ?? handler.module;
      if (module.codeChange === undefined && before === undefined) continue;
      const next = new Handler(module, handler.id, handler.hasId, handler.owner);
      const returned = module.codeChange?.(oldVersion, handler.state, extra);
      const result = (isPending(returned) ? yield* resultOf(returned) : returned) as HandlerResult<unknown>;
      if (result?.type !== 'ok') throw new BadCodeChange(result);
      next.state = result.state;
      changed.set(handler, next);
    }
    this.#handlers = this.#handlers.map((handler) => changed.get(handler) ?? handler);
  }
}

/** A handler's codeChange did not return `ok`. */
export class BadCodeChange extends Error {
  override readonly name = 'BadCodeChange';

  constructor(readonly value: unknown) {
    super(`the change of a handler's code returned ${String(value)}`);
  }
}

function outcomeOfThrown(thrown: unknown): Outcome {
  try {
    return { value: thrownResult(thrown) };
  } catch (crash) {
    return { crash: ExitReason.ofThrown(crash) };
  }
}

function swappedOf(end: Outcome): Swapped {
  return end.crash === undefined
    ? { type: 'result', value: end.value }
    : { type: 'failed', reason: end.crash };
}

function errorOf(outcome: Outcome): HandlerError {
  if (outcome.crash !== undefined) return { type: 'error', reason: outcome.crash };
  return { type: 'bad_return_value', value: outcome.value };
}

function failed(error: HandlerError): { readonly error: HandlerError } {
  return { error };
}

function replied(reply: unknown): HandlerReply<unknown> {
  return { ok: true, reply };
}

/** What people call a handler: the class of its callbacks, and its id. */
function nameOf({ module, id, hasId }: Handler): string {
  const name = module.constructor?.name ?? '';
  const kind = name === '' || name === 'Object' ? 'handler' : name;
  return hasId ? `${kind} ${String(id)}` : kind;
}

function shown({ module, state }: Handler): unknown {
  if (module.formatStatus === undefined) return state;
  try {
    return module.formatStatus(state);
  } catch (error) {
    return `formatStatus failed: ${String(error)}`;
  }
}
