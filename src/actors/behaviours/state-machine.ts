import { Exit } from '../exit-reason.js';
import { CallMessage, CastMessage, type From } from '../request.js';
import type { Blocking } from '../wait.js';
import { isPending, resultOf, thrownResult } from './returned.js';
import { isStatem } from './statem-callbacks.js';
import { StatemError } from './statem-error.js';
import { isEventType, MachineEvent } from './statem-event.js';
import { Enter, NONE, StatemProcess, type Unknown } from './statem-process.js';
import type { Action, Actions, EventResult, NextEventAction, ReplyAction } from './statem-result.js';
import { isTimeoutAction, Timeout, type TimeoutAction, Timeouts } from './statem-timeouts.js';

/** A callback that is not done yet. */
const waiting = Symbol('waiting');

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
export class StateMachine extends StatemProcess {
  /** Events to be handled before the next message, the next one last. Null until there is one. */
  #events: MachineEvent[] | null = null;

  // What the event that is handled has led to so far.
  /** It is an enter call that is made now. */
  #entering = false;
  #nextState: unknown = undefined;
  #nextData: unknown = undefined;
  #postpone = false;
  #inserted: MachineEvent[] | null = null;
  #timeoutActions: TimeoutAction[] | null = null;

  /** What a callback came to that did not have to wait for it. */
  #settled: unknown = waiting;
  #settling = false;
  #whenSettled: ((result: unknown) => void) | null = null;

  #enterFirst({ actions }: Enter): void {
    this.self.handledCount = (this.self.handledCount - 1) | 0;
    this.use(this.callbacks);
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
      this.timeouts!.expired(message);
      event = new MachineEvent(message.type, message.content, null, message.name);
    } else {
      event = new MachineEvent('info', message, null, undefined);
    }
    this.#begin(event);
    this.#proceed(this.#callHandler());
  }

  #begin(event: MachineEvent): void {
    this.event = event;
    this.#entering = false;
    this.#nextState = this.state;
    this.#nextData = this.data;
    this.#postpone = false;
  }

  #callHandler(): unknown {
    try {
      if (this.handlers === null) {
        return this.callbacks.handleEvent!(this.event, this.#nextState, this.#nextData);
      }
      const { owner, handle } = this.handlers.get(this.#nextState);
      return handle.call(owner, this.event, this.#nextData);
    } catch (thrown) {
      return thrownResult(thrown);
    }
  }

  /** Whether the state that comes wants to hear that it is entered. */
  #makesEnterCalls(): boolean {
    if (this.handlers === null) return this.callbacks.enter !== undefined;
    return this.handlers.get(this.#nextState).enter !== null;
  }

  #callEnter(): unknown {
    this.#entering = true;
    try {
      if (this.handlers === null) {
        return this.callbacks.enter!(this.state, this.#nextState, this.#nextData);
      }
      const { owner, enter } = this.handlers.get(this.#nextState);
      return enter!.call(owner, this.state, this.#nextData);
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
      this.#whenSettled ??= (result) => {
        if (this.#settling) this.#settled = result;
        else this.#proceed(result);
      };
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
        const same = result.state === this.#nextState || this.same(result.state, this.#nextState);
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
    this.state = this.#nextState;
    this.data = this.#nextData;
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
        this.#timeoutActions ??= [];
        this.#timeoutActions.push(action);
        return;
      case 'change_callback_module':
      case 'push_callback_module':
        if (this.#entering) this.#refuseInEnter(action);
        if (!isStatem(action.callbacks)) this.#refuse('bad_return_from_callback_mode', action.callbacks);
        if (action.type === 'push_callback_module') {
          this.pushed ??= [];
          this.pushed.push(this.callbacks);
        }
        this.use(action.callbacks);
        return;
      case 'pop_callback_module': {
        const before = this.pushed?.at(-1);
        if (before === undefined) break;
        if (this.#entering) this.#refuseInEnter(action);
        this.pushed!.pop();
        this.use(before);
        return;
      }
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
    this.#inserted ??= [];
    this.#inserted.push(inserted);
  }

  // ---- transitions ---------------------------------------------------------------------------------------------

  /** The transition after all callbacks of an event. True if there is another event to be handled now. */
  #transit(): boolean {
    const changed = this.#nextState !== this.state && !this.same(this.#nextState, this.state);
    if (this.#postpone) this.#keep(this.event);
    if (this.timeouts !== null) {
      this.timeouts.eventHandled();
      if (changed) this.timeouts.stateChanged();
    }
    if (changed && this.postponed !== null) {
      this.#putBack(this.postponed);
      this.postponed = null;
    }
    this.#replaceState();
    if (this.#timeoutActions !== null) {
      this.timeouts ??= new Timeouts(this.self);
      this.timeouts.perform(this.#timeoutActions);
      this.#timeoutActions = null;
    }
    if (this.#inserted !== null) {
      this.#putBack(this.#inserted);
      this.#inserted = null;
    }
    const event = this.#nextEvent();
    this.#begin(event ?? NONE);
    return event !== null;
  }

  #keep(event: MachineEvent): void {
    // Nobody waits for the answer of a call that could not stand still.
    if (event.from?.immediate === true) return;
    this.postponed ??= [];
    this.postponed.push(event);
    if (this.postponed.length > this.self.runtime.mailboxMax) this.self.runtime.overflowed(this.self);
  }

  /** Has these events handled next, in their order. */
  #putBack(events: readonly MachineEvent[]): void {
    this.#events ??= [];
    for (let at = events.length - 1; at >= 0; at--) this.#events.push(events[at]!);
    if (this.#events.length > this.self.runtime.mailboxMax) this.self.runtime.overflowed(this.self);
  }

  #nextEvent(): MachineEvent | null {
    if (!this.self.alive) return null;
    const event = this.#events?.pop();
    if (event !== undefined) return event;
    this.#events = null;
    const due = this.timeouts?.takeDue() ?? null;
    if (due === null) return null;
    const timeout = new MachineEvent(due.type, due.content, null, due.name);
    if (this.debug !== null) this.debug.in(timeout);
    return timeout;
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
