import type { ExitReason } from '../exit-reason.js';
import type { From } from '../request.js';
import type {
  Actions,
  CallbackModuleAction,
  EventTimeoutAction,
  GenericTimeoutAction,
  HibernateAction,
  PostponeAction,
  ReplyAction,
  StateTimeoutAction,
  TimeOptions,
} from './statem-result.js';

/** Types of which literals are kept when they are inferred. */
type Literal = string | number | symbol | boolean | bigint | null | undefined | object;

type Time = number | 'cancel' | 'update';

const KEEP_STATE_AND_DATA = { type: 'keep_state_and_data' } as const;

function nextEvent<
  const E extends 'internal' | 'cast' | 'info' | 'timeout' | 'state_timeout',
  C extends Literal,
>(event: E, content: C): { readonly type: 'next_event'; readonly event: E; readonly content: C };
function nextEvent<C extends Literal, R>(
  event: 'call',
  content: C,
  from: From<R>,
): { readonly type: 'next_event'; readonly event: 'call'; readonly content: C; readonly from: From<R> };
function nextEvent<C extends Literal>(
  event: 'generic_timeout',
  content: C,
  name: PropertyKey,
): {
  readonly type: 'next_event';
  readonly event: 'generic_timeout';
  readonly content: C;
  readonly name: PropertyKey;
};
function nextEvent(event: string, content: unknown, detail?: From<never> | PropertyKey): object {
  if (event === 'call') return { type: 'next_event', event, content, from: detail };
  if (event === 'generic_timeout') return { type: 'next_event', event, content, name: detail };
  return { type: 'next_event', event, content };
}

/** What `init`, handlers and enter calls return. */
export const results = {
  /** From `init`: begins in `state`. */
  ok<S extends Literal, D, A = never>(state: S, data: D, actions?: Actions<A>) {
    return { type: 'ok', state, data, actions } as const;
  },
  /** From `init`: there is nothing to do. */
  ignore: { type: 'ignore' } as const,
  /** From `init`: the start fails, but nothing went wrong; the process ends with `normal`. */
  error(reason: ExitReason) {
    return { type: 'error', reason } as const;
  },

  /** On to `state`. If it is the same one, this is {@link keepState}. */
  nextState<S extends Literal, D, A = never>(state: S, data: D, actions?: Actions<A>) {
    return { type: 'next_state', state, data, actions } as const;
  },
  /** Stays, with new data. */
  keepState<D, A = never>(data: D, actions?: Actions<A>) {
    return { type: 'keep_state', data, actions } as const;
  },
  keepStateAndData<A = never>(
    actions?: Actions<A>,
  ): {
    readonly type: 'keep_state_and_data';
    readonly actions?: Actions<A> | undefined;
  } {
    return actions === undefined ? KEEP_STATE_AND_DATA : { type: 'keep_state_and_data', actions };
  },
  /** Enters the same state again, with an enter call. It is no change of state: nothing postponed comes back. */
  repeatState<D, A = never>(data: D, actions?: Actions<A>) {
    return { type: 'repeat_state', data, actions } as const;
  },
  repeatStateAndData<A = never>(actions?: Actions<A>) {
    return { type: 'repeat_state_and_data', actions } as const;
  },

  /** Ends the machine, with other data for `terminate` if some are given. */
  stop<D = never>(reason: ExitReason = { type: 'normal' }, ...data: [] | [data: D]) {
    const result: { readonly type: 'stop'; readonly reason: ExitReason; readonly data?: D } =
      data.length === 0 ? { type: 'stop', reason } : { type: 'stop', reason, data: data[0] };
    return result;
  },
  /** The same, with replies that go out before `terminate`. */
  stopAndReply<D = never>(reason: ExitReason, replies: Actions<ReplyAction>, ...data: [] | [data: D]) {
    const result: {
      readonly type: 'stop_and_reply';
      readonly reason: ExitReason;
      readonly replies: Actions<ReplyAction>;
      readonly data?: D;
    } =
      data.length === 0
        ? { type: 'stop_and_reply', reason, replies }
        : { type: 'stop_and_reply', reason, replies, data: data[0] };
    return result;
  },
} as const;

/** What can be asked for besides. */
export const actions = {
  /** Answers a call; `from` is that of its event. */
  reply<R>(from: From<R>, reply: NoInfer<R>): ReplyAction {
    return { type: 'reply', from, reply };
  },
  /** Keeps the event for the next state. */
  postpone: { type: 'postpone', postpone: true } as PostponeAction,
  /** Takes {@link postpone} back. */
  dontPostpone: { type: 'postpone', postpone: false } as PostponeAction,
  /** Sends an answer at once, from anywhere; it is no action. To somebody who gave up, and a second time, nothing happens. */
  replyTo<R>(from: From<R>, reply: NoInfer<R>): void {
    from.reply(reply);
  },
  /** Says that nothing is due for long. There is nothing to be shrunk here, so nothing comes of it. */
  hibernate: { type: 'hibernate', hibernate: true } as HibernateAction,
  nextEvent,
  /** The event timeout: over unless another event comes before. */
  timeout<C extends Literal = undefined>(
    time: Time,
    content?: C,
    options?: TimeOptions,
  ): EventTimeoutAction<C> {
    return { type: 'timeout', time, content: content as C, absolute: options?.absolute === true };
  },
  /** The state timeout: over unless the state changes before. */
  stateTimeout<C extends Literal = undefined>(
    time: Time,
    content?: C,
    options?: TimeOptions,
  ): StateTimeoutAction<C> {
    return { type: 'state_timeout', time, content: content as C, absolute: options?.absolute === true };
  },
  /** The timeout of a name. */
  genericTimeout<C extends Literal = undefined>(
    name: PropertyKey,
    time: Time,
    content?: C,
    options?: TimeOptions,
  ): GenericTimeoutAction<C> {
    return {
      type: 'generic_timeout',
      name,
      time,
      content: content as C,
      absolute: options?.absolute === true,
    };
  },
  /** Other callbacks in the place of these. */
  changeCallbackModule(callbacks: object): CallbackModuleAction {
    return { type: 'change_callback_module', callbacks };
  },
  /** Other callbacks, until {@link popCallbackModule} brings these back. */
  pushCallbackModule(callbacks: object): CallbackModuleAction {
    return { type: 'push_callback_module', callbacks };
  },
  popCallbackModule: { type: 'pop_callback_module' } as CallbackModuleAction,
} as const;
