import { BadArgument } from '../bad-argument.js';
import { Exit, ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { CallMessage, CastMessage, type From } from '../request.js';
import type { InitAck } from '../starting.js';
import { type Blocking, Token } from '../wait.js';
import { Behaviour, type BehaviourStatus } from './behaviour.js';
import { isPending, resultOf, thrownResult } from './returned.js';
import { sameState } from './same-state.js';
import { type AnyStatem, HandlerTable, isStatem, type StatemStatus } from './statem-callbacks.js';
import { StatemError } from './statem-error.js';
import { isEventType, MachineEvent } from './statem-event.js';
import type {
  Action,
  Actions,
  EventResult,
  NextEventAction,
  ReplyAction,
  StatemCodeChange,
  StatemInit,
} from './statem-result.js';
import { isTimeoutAction, Timeout, type TimeoutAction, Timeouts } from './statem-timeouts.js';

/** Types of which nothing is known. */
interface Unknown {
  readonly state: unknown;
  readonly data: unknown;
  readonly call: readonly [unknown, unknown];
  readonly cast: unknown;
  readonly info: unknown;
  readonly internal: unknown;
  readonly timeout: unknown;
}

/** What `sys.getState` shows of a machine. */
export interface StatemPlace {
  readonly state: unknown;
  readonly data: unknown;
}

/** A callback that is not done yet. */
const waiting = Symbol('waiting');

/** What stands for an event while there is none. */
const NONE = new MachineEvent('internal', 'init_state', null, undefined);

/** Has the machine enter its first state, after the start has returned and before anything else. */
class Enter extends Token {
  constructor(readonly actions: Actions<Action<Unknown>> | undefined) {
    super();
  }
}

/**
 * The process behind a state machine: OTP's loop of gen_statem. A message is one event. The events that its callbacks
 * insert or bring back, and timeouts of 0 ms, are handled before the next message:
 *
 *     message ──▶ event ──▶ handler ──▶ enter call, if the state changes ──▶ transition
 *                   ▲                                                           │
 *                   └── inserted, then brought back, then timeouts of 0 ms ◀────┘
 *
 * State and data are replaced in the transition: a callback that throws leaves what was before its event.
 */
export class StateMachine extends Behaviour {
  #state: unknown = undefined;
  #data: unknown = undefined;
  #initialized = false;
  /** The callbacks in use; before them those that were pushed aside. */
  readonly #modules: AnyStatem[];
  #callbacks: AnyStatem;
  /** For state functions. */
  #handlers: HandlerTable | null = null;
  #same: (one: unknown, other: unknown) => boolean = sameState;
  readonly #timeouts: Timeouts;
  /** Events to be handled before the next message, the next one last. */
  readonly #events: MachineEvent[] = [];
  /** Oldest first. */
  #postponed: MachineEvent[] = [];

  // What the event that is handled has led to so far.
  #event: MachineEvent = NONE;
  /** It is an enter call that is made now. */
  #entering = false;
  #nextState: unknown = undefined;
  #nextData: unknown = undefined;
  #postpone = false;
  readonly #inserted: MachineEvent[] = [];
  readonly #timeoutActions: TimeoutAction[] = [];

  /** What a callback came to that did not have to wait for it. */
  #settled: unknown = waiting;
  #settling = false;
  readonly #whenSettled = (result: unknown) => {
    if (this.#settling) this.#settled = result;
    else this.#proceed(result);
  };

  constructor(self: Process<never>, parent: Pid | null, callbacks: AnyStatem) {
    super(self, parent);
    this.#callbacks = callbacks;
    this.#modules = [callbacks];
    this.#timeouts = new Timeouts(self);
  }

  /** Runs `init`, which may wait. */
  init(ack: InitAck): void {
    let result: unknown;
    try {
      result = this.#callbacks.init(this.self);
    } catch (thrown) {
      result = thrownResult(thrown);
    }
    if (isPending(result)) this.self.block(resultOf(result), (value) => this.#initDone(value, ack));
    else this.#initDone(result, ack);
  }

  #initDone(returned: unknown, ack: InitAck): void {
    const result = returned as StatemInit<Unknown>;
    switch (result?.type) {
      case 'ok':
        this.#state = result.state;
        this.#data = result.data;
        this.#initialized = true;
        ack.ok();
        this.self.putFirst(new Enter(result.actions));
        return;
      case 'ignore':
        ack.ignore();
        throw new Exit(ExitReason.normal);
      case 'error':
        ack.error(result.reason);
        throw new Exit(ExitReason.normal);
      case 'stop':
        throw new Exit(result.reason);
    }
    throw new Exit({ type: 'bad_return_from_init', value: returned });
  }

  #enterFirst({ actions }: Enter): void {
    this.self.handledCount = (this.self.handledCount - 1) | 0;
    this.#use(this.#callbacks);
    this.#begin(NONE);
    this.#act(actions);
    // There is no event that could be kept.
    this.#postpone = false;
    if (this.#makesEnterCalls()) this.#proceed(this.#callEnter());
    else if (this.#transit()) this.#proceed(this.#callHandler());
  }

  // ---- events --------------------------------------------------------------------------------------------------

  override receive(message: unknown): void {
    if (message instanceof Enter) this.#enterFirst(message);
    else super.receive(message);
  }

  protected override handle(message: unknown): void {
    let event: MachineEvent;
    if (message instanceof CallMessage) {
      event = new MachineEvent('call', message.request, message.from, undefined);
    } else if (message instanceof CastMessage) {
      event = new MachineEvent('cast', message.message, null, undefined);
    } else if (message instanceof Timeout) {
      this.#timeouts.expired(message);
      event = new MachineEvent(message.type, message.content, null, message.name);
    } else {
      event = new MachineEvent('info', message, null, undefined);
    }
    this.#begin(event);
    this.#proceed(this.#callHandler());
  }

  #begin(event: MachineEvent): void {
    this.#event = event;
    this.#entering = false;
    this.#nextState = this.#state;
    this.#nextData = this.#data;
    this.#postpone = false;
  }

  #callHandler(): unknown {
    try {
      if (this.#handlers === null) {
        return this.#callbacks.handleEvent!(this.#event, this.#nextState, this.#nextData);
      }
      const { owner, handle } = this.#handlers.get(this.#nextState);
      return handle.call(owner, this.#event, this.#nextData);
    } catch (thrown) {
      return thrownResult(thrown);
    }
  }

  /** Whether the state that comes wants to hear that it is entered. */
  #makesEnterCalls(): boolean {
    if (this.#handlers === null) return this.#callbacks.enter !== undefined;
    return this.#handlers.get(this.#nextState).enter !== null;
  }

  #callEnter(): unknown {
    this.#entering = true;
    try {
      if (this.#handlers === null) {
        return this.#callbacks.enter!(this.#state, this.#nextState, this.#nextData);
      }
      const { owner, enter } = this.#handlers.get(this.#nextState);
      return enter!.call(owner, this.#state, this.#nextData);
    } catch (thrown) {
      return thrownResult(thrown);
    }
  }

  /** Goes on with what a callback returned, until the machine has no event left, or a callback waits. */
  #proceed(first: unknown): void {
    let returned = first;
    for (;;) {
      const { self } = this;
      if (!self.alive) return;
      if (!isResult(returned) && isPending(returned)) {
        returned = this.#settle(returned);
        if (returned === waiting || !self.alive) return;
      }
      if (this.#apply(returned) && this.#makesEnterCalls()) returned = this.#callEnter();
      else if (this.#transit()) returned = this.#callHandler();
      else return;
    }
  }

  #settle(pending: Blocking<unknown> | PromiseLike<unknown>): unknown {
    this.#settled = waiting;
    this.#settling = true;
    try {
      this.self.block(resultOf(pending), this.#whenSettled);
    } finally {
      this.#settling = false;
    }
    return this.#settled;
  }

  /** What a callback returned takes effect; true if the state is to be entered anew. */
  #apply(returned: unknown): boolean {
    const result = returned as EventResult<Unknown>;
    switch (result?.type) {
      case 'next_state': {
        const same = this.#same(result.state, this.#nextState);
        if (this.#entering && !same) this.#refuse('bad_state_enter_return_from_state_function', returned);
        if (!same) this.#nextState = result.state;
        this.#nextData = result.data;
        this.#act(result.actions);
        return !same;
      }
      case 'keep_state':
        this.#nextData = result.data;
        this.#act(result.actions);
        return false;
      case 'keep_state_and_data':
        this.#act(result.actions);
        return false;
      case 'repeat_state':
        this.#nextData = result.data;
        this.#act(result.actions);
        return true;
      case 'repeat_state_and_data':
        this.#act(result.actions);
        return true;
      case 'stop':
        this.#stopWith(result);
        throw new Exit(result.reason);
      case 'stop_and_reply':
        this.#stopWith(result);
        for (const action of listOf(result.replies)) {
          if (!isReply(action)) throw new StatemError('bad_reply_action_from_state_function', action);
          this.#reply(action);
        }
        throw new Exit(result.reason);
    }
    return this.#refuse('bad_return_from_state_function', returned);
  }

  #stopWith(result: { readonly data?: unknown }): void {
    if ('data' in result) this.#nextData = result.data;
    this.#replaceState();
  }

  /** Ends the machine in the state that it would have had. */
  #refuse(kind: StatemError['kind'], value: unknown): never {
    this.#replaceState();
    throw new StatemError(kind, value);
  }

  #replaceState(): void {
    this.#state = this.#nextState;
    this.#data = this.#nextData;
  }

  // ---- actions -------------------------------------------------------------------------------------------------

  #act(actions: Actions<Action<Unknown>> | undefined): void {
    if (actions === undefined) return;
    if (!Array.isArray(actions)) this.#perform(actions as Action<Unknown>);
    else for (let at = 0; at < actions.length; at++) this.#perform(actions[at] as Action<Unknown>);
  }

  #perform(action: Action<Unknown>): void {
    switch (action?.type) {
      case 'reply':
        if (!isReply(action)) break;
        this.#reply(action);
        return;
      case 'hibernate':
        if (typeof action.hibernate !== 'boolean') break;
        return;
      case 'postpone':
        if (typeof action.postpone !== 'boolean') break;
        if (this.#entering && action.postpone) this.#refuseInEnter(action);
        this.#postpone = action.postpone;
        return;
      case 'next_event':
        if (this.#entering) this.#refuseInEnter(action);
        if (!isInsertable(action)) break;
        this.#insert(action);
        return;
      case 'timeout':
      case 'state_timeout':
      case 'generic_timeout':
        if (!isTimeoutAction(action)) break;
        this.#timeoutActions.push(action);
        return;
      case 'change_callback_module':
      case 'push_callback_module':
        if (this.#entering) this.#refuseInEnter(action);
        if (!isStatem(action.callbacks)) this.#refuse('bad_return_from_callback_mode', action.callbacks);
        if (action.type === 'change_callback_module') this.#modules.pop();
        this.#modules.push(action.callbacks);
        this.#use(action.callbacks);
        return;
      case 'pop_callback_module':
        if (this.#modules.length === 1) break;
        if (this.#entering) this.#refuseInEnter(action);
        this.#modules.pop();
        this.#use(this.#modules.at(-1)!);
        return;
    }
    this.#refuse('bad_action_from_state_function', action);
  }

  #refuseInEnter(action: unknown): never {
    return this.#refuse('bad_state_enter_action_from_state_function', action);
  }

  #reply({ from, reply }: ReplyAction): void {
    (from as From<unknown>).reply(reply);
    if (this.debug !== null) this.debug.out(reply, from.caller);
  }

  #insert(action: NextEventAction<Unknown>): void {
    const { event, content, from, name } = action;
    const inserted = new MachineEvent(event, content, (from as From<unknown> | undefined) ?? null, name);
    if (this.debug !== null) this.debug.in(inserted);
    this.#inserted.push(inserted);
  }

  #use(callbacks: AnyStatem): void {
    if (!isStatem(callbacks)) this.#refuse('bad_return_from_callback_mode', callbacks);
    this.#callbacks = callbacks;
    this.#same = callbacks.sameState?.bind(callbacks) ?? sameState;
    this.#handlers = callbacks.states === undefined ? null : HandlerTable.of(callbacks.states);
  }

  // ---- transitions ---------------------------------------------------------------------------------------------

  /** The transition after all callbacks of an event. True if there is another event to be handled now. */
  #transit(): boolean {
    const changed = !this.#same(this.#nextState, this.#state);
    if (this.#postpone) this.#keep(this.#event);
    this.#timeouts.eventHandled();
    if (changed) {
      this.#timeouts.stateChanged();
      this.#bringBack();
    }
    this.#replaceState();
    if (this.#timeoutActions.length !== 0) {
      this.#timeouts.perform(this.#timeoutActions);
      this.#timeoutActions.length = 0;
    }
    if (this.#inserted.length !== 0) this.#insertEvents();
    const event = this.#nextEvent();
    this.#begin(event ?? NONE);
    return event !== null;
  }

  #keep(event: MachineEvent): void {
    // Nobody waits for the answer of a call that could not stand still.
    if (event.from?.immediate === true) return;
    this.#postponed.push(event);
    if (this.#postponed.length > this.self.runtime.mailboxMax) this.self.runtime.overflowed(this.self);
  }

  #bringBack(): void {
    const postponed = this.#postponed;
    if (postponed.length === 0) return;
    for (let at = postponed.length - 1; at >= 0; at--) this.#events.push(postponed[at]!);
    this.#postponed = [];
  }

  #insertEvents(): void {
    const inserted = this.#inserted;
    for (let at = inserted.length - 1; at >= 0; at--) this.#events.push(inserted[at]!);
    inserted.length = 0;
    if (this.#events.length > this.self.runtime.mailboxMax) this.self.runtime.overflowed(this.self);
  }

  #nextEvent(): MachineEvent | null {
    if (!this.self.alive) return null;
    const event = this.#events.pop();
    if (event !== undefined) return event;
    const due = this.#timeouts.takeDue();
    if (due === null) return null;
    const timeout = new MachineEvent(due.type, due.content, null, due.name);
    if (this.debug !== null) this.debug.in(timeout);
    return timeout;
  }

  // ---- end and sys ---------------------------------------------------------------------------------------------

  override terminate(reason: ExitReason): void | Blocking<void> {
    if (!this.#initialized) return;
    try {
      const result = this.#callbacks.terminate?.(reason, this.#state, this.#data);
      if (isPending(result)) return this.#terminating(result, reason);
    } catch (thrown) {
      this.#terminateThrew(thrown, reason);
      return;
    }
    this.#ended(reason);
  }

  *#terminating(pending: Blocking<unknown> | PromiseLike<unknown>, reason: ExitReason): Blocking<void> {
    try {
      yield* resultOf(pending);
    } catch (thrown) {
      this.#terminateThrew(thrown, reason);
    }
    this.#ended(reason);
  }

  /** A thrown value is what terminate returned: it concerns nobody. */
  #terminateThrew(thrown: unknown, reason: ExitReason): void {
    const returned = !(thrown instanceof Error || thrown instanceof Exit);
    this.#ended(returned ? reason : ExitReason.ofThrown(thrown));
    if (!returned) throw thrown;
  }

  #ended(reason: ExitReason): void {
    const event = this.#event;
    if (event === NONE) this.reportEnd(reason, undefined);
    else if (event.from === null) this.reportEnd(reason, event);
    else this.reportEnd(reason, new CallMessage(event.from, event.content));
  }

  override get behaviour(): string {
    return 'GenStatem';
  }

  override get version(): unknown {
    return this.#callbacks.version;
  }

  protected override getState(): StatemPlace {
    return { state: this.#state, data: this.#data };
  }

  protected override replaceState(replace: (state: unknown) => unknown): unknown {
    const place = replace(this.getState()) as StatemPlace | undefined;
    if (typeof place !== 'object' || place === null || !('state' in place) || !('data' in place)) {
      throw new BadArgument(`a machine has { state, data }, not ${String(place)}`);
    }
    this.#state = place.state;
    this.#data = place.data;
    return place;
  }

  protected override formatStatus(status: BehaviourStatus): BehaviourStatus {
    const state: StatemStatus = {
      state: this.#state,
      data: this.#data,
      postponed: this.#postponed as unknown as StatemStatus['postponed'],
      timeouts: [...this.#timeouts].map(({ type, name, content }) =>
        name === undefined ? { type, content } : { type, name, content },
      ),
    };
    const shown = { ...status, state };
    return this.#callbacks.formatStatus?.(shown) ?? shown;
  }

  protected override changeCode(given: unknown, oldVersion: unknown, extra: unknown): void | Blocking<void> {
    const callbacks = (given ?? this.#callbacks) as AnyStatem;
    let result: unknown;
    try {
      if (callbacks.codeChange === undefined) throw new BadArgument(`${this.self.label} has no codeChange`);
      result = callbacks.codeChange(oldVersion, this.#state, this.#data, extra);
    } catch (thrown) {
      result = thrownResult(thrown);
    }
    if (isPending(result)) return this.#changing(result, callbacks);
    this.#changed(result, callbacks);
  }

  *#changing(pending: Blocking<unknown> | PromiseLike<unknown>, callbacks: AnyStatem): Blocking<void> {
    this.#changed(yield* resultOf(pending), callbacks);
  }

  #changed(returned: unknown, callbacks: AnyStatem): void {
    const result = returned as StatemCodeChange<Unknown>;
    if (result?.type === 'error') throw new Exit(result.reason);
    if (result?.type !== 'ok') throw new Exit({ type: 'bad_return_value', value: returned });
    if (!isStatem(callbacks)) throw new StatemError('bad_return_from_callback_mode', callbacks);
    this.#state = result.state;
    this.#data = result.data;
    this.#modules[this.#modules.length - 1] = callbacks;
    this.#use(callbacks);
  }
}

function isResult(returned: unknown): boolean {
  return typeof (returned as { readonly type?: unknown } | null | undefined)?.type === 'string';
}

function listOf<A>(actions: Actions<A>): readonly A[] {
  return Array.isArray(actions) ? (actions as readonly A[]) : [actions as A];
}

function isReply(action: ReplyAction): boolean {
  return action?.type === 'reply' && typeof action.from?.reply === 'function';
}

function isInsertable({ event, from, name }: NextEventAction<Unknown>): boolean {
  if (!isEventType(event)) return false;
  if (event === 'call') return typeof from?.reply === 'function';
  return event !== 'generic_timeout' || name !== undefined;
}
