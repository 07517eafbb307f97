import type { ExitReason } from '../exit-reason.js';
import type { From } from '../request.js';
import type { CallPair } from '../server-pid.js';
import type {
  CallsOf,
  CastsOf,
  DataIn,
  InfoOf,
  InternalOf,
  StateOf,
  StatesOf,
  TimeoutOf,
} from './statem-event.js';

/** Milliseconds from now, or, with `absolute`, a time of the runtime's clock; Infinity is none. */
export interface TimeOptions {
  readonly absolute?: boolean;
}

/** Answers a call. */
export interface ReplyAction {
  readonly type: 'reply';
  readonly from: From<never>;
  readonly reply: unknown;
}

/** Nothing is due for long: what the machine holds for its own use is let go of until the next event. */
export interface HibernateAction {
  readonly type: 'hibernate';
  readonly hibernate: boolean;
}

interface Time<Content> {
  /** `cancel` ends the timeout; `update` changes the content of one that runs, or is 0 ms if none does. */
  readonly time: number | 'cancel' | 'update';
  readonly content: Content;
  readonly absolute: boolean;
}

/** Sets, changes or ends the event timeout: it is over unless another event comes before. */
export interface EventTimeoutAction<Content> extends Time<Content> {
  readonly type: 'timeout';
}

/** The state timeout: it is over unless the state changes before. */
export interface StateTimeoutAction<Content> extends Time<Content> {
  readonly type: 'state_timeout';
}

/** The timeout of a name: nothing but an action ends it. */
export interface GenericTimeoutAction<Content> extends Time<Content> {
  readonly type: 'generic_timeout';
  readonly name: PropertyKey;
}

/** Keeps the event, to be handled again when the state has changed. The last of several counts. */
export interface PostponeAction {
  readonly type: 'postpone';
  readonly postpone: boolean;
}

type NextCall<Pair extends CallPair> = Pair extends readonly [infer Request, infer Reply]
  ? {
      readonly type: 'next_event';
      readonly event: 'call';
      readonly content: Request;
      readonly from: From<Reply>;
      readonly name?: undefined;
    }
  : never;

interface Next<Type extends string, Content> {
  readonly type: 'next_event';
  readonly event: Type;
  readonly content: Content;
  readonly from?: undefined;
  readonly name?: undefined;
}

/** Inserts an event, to be handled before all that wait. */
export type NextEventAction<T> =
  | Next<'internal', InternalOf<T>>
  | Next<'cast', CastsOf<T>>
  | Next<'info', InfoOf<T>>
  | NextCall<CallsOf<T>>
  | Next<'timeout' | 'state_timeout', TimeoutOf<T>>
  | {
      readonly type: 'next_event';
      readonly event: 'generic_timeout';
      readonly content: TimeoutOf<T>;
      readonly from?: undefined;
      readonly name: PropertyKey;
    };

/** Has other callbacks handle what comes: from the next callback on, that is from the enter call if there is one. */
export type CallbackModuleAction =
  | { readonly type: 'change_callback_module'; readonly callbacks: object }
  | { readonly type: 'push_callback_module'; readonly callbacks: object }
  | { readonly type: 'pop_callback_module' };

/** What an enter call may ask for. */
export type EnterAction<T> =
  | ReplyAction
  | HibernateAction
  | EventTimeoutAction<TimeoutOf<T>>
  | StateTimeoutAction<TimeoutOf<T>>
  | GenericTimeoutAction<TimeoutOf<T>>;

/** What a handler may ask for, in the order in which it is done. Of several timeouts of a kind the last counts. */
export type Action<T> = EnterAction<T> | PostponeAction | NextEventAction<T> | CallbackModuleAction;

/** None, one or several. */
export type Actions<A> = A | readonly A[];

/** To a state, with data that go with it. */
type Into<T, Type extends string, A> = T extends { readonly states: object }
  ? {
      [S in keyof StatesOf<T>]: {
        readonly type: Type;
        readonly state: S;
        readonly data: StatesOf<T>[S];
        readonly actions?: Actions<A> | undefined;
      };
    }[keyof StatesOf<T>]
  : {
      readonly type: Type;
      readonly state: StateOf<T>;
      readonly data: DataIn<T, StateOf<T>>;
      readonly actions?: Actions<A> | undefined;
    };

type Keep<Data, A> =
  | { readonly type: 'keep_state'; readonly data: Data; readonly actions?: Actions<A> | undefined }
  | { readonly type: 'keep_state_and_data'; readonly actions?: Actions<A> | undefined }
  | { readonly type: 'repeat_state'; readonly data: Data; readonly actions?: Actions<A> | undefined }
  | { readonly type: 'repeat_state_and_data'; readonly actions?: Actions<A> | undefined };

type Stop<Data> =
  | { readonly type: 'stop'; readonly reason: ExitReason; readonly data?: Data }
  | {
      readonly type: 'stop_and_reply';
      readonly reason: ExitReason;
      readonly replies: Actions<ReplyAction>;
      readonly data?: Data;
    };

/** What becomes of an event that was handled in state `S`. */
export type EventResult<T, S = StateOf<T>> =
  | Into<T, 'next_state', Action<T>>
  | Keep<DataIn<T, S>, Action<T>>
  | Stop<DataIn<T, S>>;

/** What may become of an enter call of state `S`: it cannot leave the state that it enters. */
export type EnterResult<T, S = StateOf<T>> = Keep<DataIn<T, S>, EnterAction<T>> | Stop<DataIn<T, S>>;

/** What `init` returns. */
export type StatemInit<T> =
  | Into<T, 'ok', Action<T>>
  | { readonly type: 'ignore' }
  | { readonly type: 'stop'; readonly reason: ExitReason }
  | { readonly type: 'error'; readonly reason: ExitReason };

/** What `codeChange` returns: the new state and data, or why the old ones stay. */
export type StatemCodeChange<T> =
  | Into<T, 'ok', never>
  | { readonly type: 'error'; readonly reason: ExitReason };
