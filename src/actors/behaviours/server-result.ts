import type { ExitReason } from '../exit-reason.js';
import type { Blocking } from '../wait.js';

/**
 * What happens after a callback of a server:
 *
 * - a number: a timeout in ms. `handleInfo` gets {@link serverTimeout} unless a message comes first; 0 loses to a message
 *   that waits already; Infinity is none. A system message begins it anew;
 * - `{ continue: x }`: `handleContinue` runs before anything else;
 * - `'hibernate'`: nothing is due for long. There is nothing to be shrunk here, so it says only that there is no timeout;
 * - a {@link TimedMessage}.
 */
export type Next<Continue, Info = never> =
  | number
  | 'hibernate'
  | { readonly continue: Continue }
  | TimedMessage<Info>;

/**
 * A timeout with a message of its own for `handleInfo`. Any message ends it, but system messages do not touch it, and
 * `afterMs: 0` comes before messages that wait. `at` is a time of the runtime's clock.
 */
export type TimedMessage<Info> =
  | { readonly afterMs: number; readonly at?: undefined; readonly message: Info }
  | { readonly at: number; readonly afterMs?: undefined; readonly message: Info };

/** What `handleInfo` gets when the timeout of `next` is over. */
export interface ServerTimeout {
  readonly type: 'server_timeout';
}

export const serverTimeout: ServerTimeout = { type: 'server_timeout' };

export interface Initialized<State, Continue = never, Info = never> {
  readonly type: 'ok';
  readonly state: State;
  readonly next?: Next<Continue, Info> | undefined;
}

/** There is nothing to do: it ends with `normal`, and the start returns `ignore`. */
export interface Ignored {
  readonly type: 'ignore';
}

/** The start fails with `reason`, and the process ends with it. */
export interface InitStopped {
  readonly type: 'stop';
  readonly reason: ExitReason;
}

/** The start fails with `reason`, but nothing went wrong: the process ends with `normal`. */
export interface InitFailed {
  readonly type: 'error';
  readonly reason: ExitReason;
}

export interface Replied<State, Reply, Continue = never, Info = never> {
  readonly type: 'reply';
  readonly reply: Reply;
  readonly state: State;
  readonly next?: Next<Continue, Info> | undefined;
}

export interface NotReplied<State, Continue = never, Info = never> {
  readonly type: 'noreply';
  readonly state: State;
  readonly next?: Next<Continue, Info> | undefined;
}

export interface Stopped<State> {
  readonly type: 'stop';
  readonly reason: ExitReason;
  readonly state: State;
}

/** `terminate` runs, then the caller gets the reply, then the server ends. */
export interface StoppedReplying<State, Reply> {
  readonly type: 'stop_reply';
  readonly reason: ExitReason;
  readonly reply: Reply;
  readonly state: State;
}

export interface CodeChanged<State> {
  readonly type: 'ok';
  readonly state: State;
}

export type InitResult<State, Continue = never, Info = never> =
  | Initialized<State, Continue, Info>
  | Ignored
  | InitStopped
  | InitFailed;

/** What all callbacks for messages without a reply return. */
export type CastResult<State, Continue = never, Info = never> =
  | NotReplied<State, Continue, Info>
  | Stopped<State>;

export type CallResult<State, Reply, Continue = never, Info = never> =
  | CastResult<State, Continue, Info>
  | Replied<State, Reply, Continue, Info>
  | StoppedReplying<State, Reply>;

/** The new state, or why the old one stays. */
export type CodeChange<State> = CodeChanged<State> | InitFailed;

/**
 * How a callback may return its result: at once; as a generator (`*handleCall(…)`) that waits with `yield*`; or as a
 * promise (`async handleCall(…)`). The server handles nothing else until it is done.
 */
export type Returned<T> = T | Blocking<T> | PromiseLike<T>;

/** @internal Whether something may stand as the `next` of a result. */
export function isNext(next: Next<unknown, unknown> | undefined): boolean {
  switch (typeof next) {
    case 'undefined':
      return true;
    case 'number':
      return next >= 0;
    case 'string':
      return next === 'hibernate';
    case 'object':
      if (next === null) return false;
      if ('continue' in next) return true;
      return (
        'message' in next && (next.at !== undefined ? Number.isFinite(next.at) : Number(next.afterMs) >= 0)
      );
    default:
      return false;
  }
}
