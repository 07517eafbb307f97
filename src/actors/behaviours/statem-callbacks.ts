import { BadArgument } from '../bad-argument.js';
import type { ExitReason } from '../exit-reason.js';
import type { Process } from '../process.js';
import type { BehaviourStatus } from './behaviour.js';
import type { Returned } from './server-result.js';
import type { DataIn, InfoOf, StatemEvent, StatemTypes, StateOf, StatesOf } from './statem-event.js';
import type { EnterResult, EventResult, StatemCodeChange, StatemInit } from './statem-result.js';

/** What both modes have in common. */
interface StatemCallbacks<T> {
  /** Runs before `start` returns. Throwing, or `stop`, makes the start fail. */
  init(self: Process<InfoOf<T>>): Returned<StatemInit<T>>;
  /** Runs when the machine stops, when a callback throws, and on its parent's EXIT if it traps exits. */
  terminate?(reason: ExitReason, state: StateOf<T>, data: DataIn<T, StateOf<T>>): unknown;
  /** State and data for new code: see `sys.changeCode`. */
  codeChange?(
    oldVersion: unknown,
    state: StateOf<T>,
    data: DataIn<T, StateOf<T>>,
    extra: unknown,
  ): Returned<StatemCodeChange<T>>;
  /** What is shown in the place of what `status` has, by `sys.getStatus` and when it ends: its `state` is a {@link StatemStatus}. */
  formatStatus?(status: BehaviourStatus): BehaviourStatus;
  /** The version of this code. */
  readonly version?: unknown;
  /** Whether two states are the same, where it is not what {@link sameState} says. */
  sameState?(one: StateOf<T>, other: StateOf<T>): boolean;
}

/** What handles the events of one state: a function, or one with an enter call. */
export type StateHandler<T, S> = StateFunction<T, S> | StateHandlers<T, S>;

export type StateFunction<T, S> = (event: StatemEvent<T>, data: DataIn<T, S>) => Returned<EventResult<T, S>>;

export interface StateHandlers<T, S> {
  handle(event: StatemEvent<T>, data: DataIn<T, S>): Returned<EventResult<T, S>>;
  /** Called when the state is entered: with the state before, which is the same one at the start and when it is repeated. */
  enter?(before: StateOf<T>, data: DataIn<T, S>): Returned<EnterResult<T, S>>;
}

/** A machine whose states are names, with handlers for each: OTP's callback mode state_functions. */
export interface StateFunctions<T extends StatemTypes> extends StatemCallbacks<T> {
  readonly states: { readonly [S in keyof StatesOf<T>]: StateHandler<T, S> };
}

/** A machine whose states may be anything, with one handler: OTP's callback mode handle_event_function. */
export interface HandleEventFunction<T extends StatemTypes> extends StatemCallbacks<T> {
  handleEvent(
    event: StatemEvent<T>,
    state: StateOf<T>,
    data: DataIn<T, StateOf<T>>,
  ): Returned<EventResult<T>>;
  /** Called when a state is entered: see {@link StateHandlers}. */
  enter?(before: StateOf<T>, state: StateOf<T>, data: DataIn<T, StateOf<T>>): Returned<EnterResult<T>>;
}

/** The callbacks of a state machine, in either mode. */
export type GenStatem<T extends StatemTypes> = StateFunctions<T> | HandleEventFunction<T>;

/** What is to be known of a machine. */
export interface StatemStatus {
  readonly state: unknown;
  readonly data: unknown;
  /** Oldest first. */
  readonly postponed: readonly { readonly type: string; readonly content: unknown }[];
  /** The timeouts that are set. */
  readonly timeouts: readonly {
    readonly type: 'timeout' | 'state_timeout' | 'generic_timeout';
    readonly name?: PropertyKey;
    readonly content: unknown;
  }[];
}

/** @internal Callbacks whose types are not known. */
export interface AnyStatem {
  readonly states?: { readonly [state: PropertyKey]: unknown };
  init(self: Process<never>): unknown;
  readonly handleEvent?: (event: unknown, state: unknown, data: unknown) => unknown;
  readonly enter?: (before: unknown, state: unknown, data: unknown) => unknown;
  terminate?(reason: ExitReason, state: unknown, data: unknown): unknown;
  codeChange?(oldVersion: unknown, state: unknown, data: unknown, extra: unknown): unknown;
  formatStatus?(status: BehaviourStatus): BehaviourStatus;
  readonly version?: unknown;
  sameState?(one: unknown, other: unknown): boolean;
}

/** @internal The handlers of one state. */
export interface AnyHandlers {
  /** Their `this`. */
  readonly owner: object;
  handle(event: unknown, data: unknown): unknown;
  readonly enter: ((before: unknown, data: unknown) => unknown) | null;
}

/** @internal Whether they are callbacks of one mode. */
export function isStatem(callbacks: unknown): callbacks is AnyStatem {
  if (typeof callbacks !== 'object' || callbacks === null) return false;
  const { states, handleEvent } = callbacks as AnyStatem;
  return typeof handleEvent === 'function' || (typeof states === 'object' && states !== null);
}

/** @internal The handlers of each state, by its name. */
export class HandlerTable {
  static readonly #tables = new WeakMap<object, HandlerTable>();
  readonly #handlers = new Map<unknown, AnyHandlers>();

  private constructor(private readonly states: { readonly [state: PropertyKey]: unknown }) {}

  /** One for all machines that share the `states` of their callbacks. */
  static of(states: { readonly [state: PropertyKey]: unknown }): HandlerTable {
    let table = HandlerTable.#tables.get(states);
    if (table === undefined) {
      table = new HandlerTable(states);
      HandlerTable.#tables.set(states, table);
    }
    return table;
  }

  /** Those of a state. Throws a {@link BadArgument} if there are none. */
  get(state: unknown): AnyHandlers {
    const known = this.#handlers.get(state);
    if (known !== undefined) return known;
    const handlers = this.#find(state as PropertyKey);
    this.#handlers.set(state, handlers);
    return handlers;
  }

  #find(state: PropertyKey): AnyHandlers {
    const { states } = this;
    const own = Object.hasOwn(states, state) ? states[state] : undefined;
    if (typeof own === 'function')
      return { owner: states, handle: own as AnyHandlers['handle'], enter: null };
    if (typeof own === 'object' && own !== null) {
      const { handle, enter = null } = own as AnyHandlers;
      if (typeof handle === 'function') return { owner: own, handle, enter };
    }
    throw new BadArgument(`the machine has no handler for the state ${String(state)}`);
  }
}
