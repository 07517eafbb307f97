import type { ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { CallPair } from '../server-pid.js';
import type { SystemMessage } from '../system-message.js';
import type { Returned } from './server-result.js';

/** What the handler that this one was swapped in for has left: see {@link EventHandler.init}. */
export type Swapped =
  /** What its terminate returned. */
  | { readonly type: 'result'; readonly value: unknown }
  /** Its terminate crashed. */
  | { readonly type: 'failed'; readonly reason: ExitReason }
  /** There was no such handler. */
  | { readonly type: 'module_not_found' };

/**
 * Why a handler's terminate runs.
 *
 * | type | why |
 * | --- | --- |
 * | delete | `deleteHandler`, with its argument |
 * | swap | another handler takes its place; the argument is that of the swap |
 * | remove_handler | a callback of it returned `GenEvent.remove` |
 * | stop | the manager ends, or, with a reason, the process that owns the handler has |
 * | error | a callback of it crashed |
 * | bad_return_value | a callback of it returned what it must not |
 */
export type TerminateArgument =
  | { readonly type: 'delete'; readonly argument: unknown }
  | { readonly type: 'swap'; readonly argument: unknown }
  | { readonly type: 'remove_handler' }
  | { readonly type: 'stop'; readonly reason?: ExitReason }
  | { readonly type: 'error'; readonly reason: ExitReason }
  | { readonly type: 'bad_return_value'; readonly value: unknown };

/** Goes on with a new state. */
export interface HandlerOk<State> {
  readonly type: 'ok';
  readonly state: State;
  /** Nothing is due for long. There is nothing to be shrunk here, so nothing comes of it. */
  readonly hibernate?: boolean;
}

/** Another handler takes its place: it is terminated with `argument`, the other one begins with `otherArgument`. */
export interface SwapHandler<State> {
  readonly type: 'swap_handler';
  readonly argument: unknown;
  readonly state: State;
  readonly other: HandlerRef;
  readonly otherArgument: unknown;
}

/** What `init` returns; with `error` the handler is not added. */
export type HandlerInit<State> = HandlerOk<State> | { readonly type: 'error'; readonly reason: ExitReason };

/** What becomes of a handler after an event. */
export type HandlerResult<State> =
  | HandlerOk<State>
  | SwapHandler<State>
  | { readonly type: 'remove_handler' };

/** The same with the answer of a call. */
export type HandlerCallResult<State, Reply> =
  | (HandlerOk<State> & { readonly reply: Reply })
  | (SwapHandler<State> & { readonly reply: Reply })
  | { readonly type: 'remove_handler'; readonly reply: Reply };

/**
 * The callbacks of an event handler: what OTP calls its module. One object may serve any number of handlers, also of one
 * manager: the manager keeps the state of each.
 */
export interface EventHandler<
  State,
  Events = never,
  Calls extends CallPair = never,
  Argument = undefined,
  Info = never,
> {
  /**
   * Begins the handler, in the manager: with the argument of `addHandler`, or, with `swapped`, in the place of another one.
   */
  init: (argument: Argument, swapped: Swapped | undefined) => Returned<HandlerInit<State>>;
  handleEvent: (event: Events, state: State) => Returned<HandlerResult<State>>;
  /** What `GenEvent.call` asks of this handler. */
  handleCall?: (request: Calls[0], state: State) => Returned<HandlerCallResult<State, Calls[1]>>;
  /** All other messages of the manager. Without it they are dropped. */
  handleInfo?: (message: Info | SystemMessage, state: State) => Returned<HandlerResult<State>>;
  /** What it returns is the result of `deleteHandler`, and what a handler swapped in begins with. */
  terminate?: (argument: TerminateArgument, state: State) => unknown;
  /** See `sys.changeCode`. */
  codeChange?: (oldVersion: unknown, state: State, extra: unknown) => Returned<HandlerOk<State>>;
  /** What `sys.getStatus` and the report of a crash show in the place of the state. */
  formatStatus?: (state: State) => unknown;
}

/** Callbacks of any handler. */
export interface AnyHandler {
  init: (argument: never, swapped: Swapped | undefined) => unknown;
  handleEvent: (event: never, state: never) => unknown;
  handleCall?: (request: never, state: never) => unknown;
  handleInfo?: (message: never, state: never) => unknown;
  terminate?: (argument: TerminateArgument, state: never) => unknown;
  codeChange?: (oldVersion: unknown, state: never, extra: unknown) => unknown;
  formatStatus?: (state: never) => unknown;
}

/** Callbacks that a manager can use whose events and other messages are these. */
export interface HandlerFor<Events, Info, Argument, State> extends AnyHandler {
  init: (argument: Argument, swapped: Swapped | undefined) => Returned<HandlerInit<State>>;
  handleEvent: (event: Events, state: State) => Returned<HandlerResult<State>>;
  handleInfo?: (message: Info | SystemMessage, state: State) => Returned<HandlerResult<State>>;
}

/**
 * Which handler: its callbacks, and an `id` if there are several with the same callbacks. OTP's `Module` and `{Module, Id}`.
 * Ids are compared with `===`.
 */
export type HandlerRef<H extends AnyHandler = AnyHandler> = H | { readonly module: H; readonly id: unknown };

/** Why a handler is no more: as its owner hears it. */
export type HandlerEnd =
  /** It was removed, or has removed itself. */
  | { readonly type: 'normal' }
  /** The manager has ended. */
  | { readonly type: 'shutdown' }
  /** `by` has taken its place, which belongs to `owner`. */
  | { readonly type: 'swapped'; readonly by: HandlerRef; readonly owner: Pid | null }
  | { readonly type: 'error'; readonly reason: ExitReason }
  | { readonly type: 'bad_return_value'; readonly value: unknown }
  /** It was to take the place of another one that swapped itself, and could not begin. */
  | { readonly type: 'crash' };

/** Tells the owner of a handler (see `addSupHandler`) that it is no more. */
export class GenEventExit {
  readonly type = 'gen_event_EXIT';

  constructor(
    readonly handler: HandlerRef,
    readonly reason: HandlerEnd,
  ) {}
}
