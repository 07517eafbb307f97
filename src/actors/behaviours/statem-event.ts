import type { From } from '../request.js';
import type { CallPair } from '../server-pid.js';
import type { SystemMessage } from '../system-message.js';

/**
 * The types of one state machine, as one interface. Give what the machine has:
 *
 * - `states`: for state functions. The type of the data in each state, by the state's name;
 * - `state` and `data`: for one handler of all events. The state may be of any type;
 * - `call`: pairs of a request and its reply; `cast`, `info`, `internal`: what comes as such an event;
 * - `timeout`: the content of all timeouts.
 */
export interface StatemTypes {
  readonly states?: object;
  readonly state?: unknown;
  readonly data?: unknown;
  readonly call?: CallPair;
  readonly cast?: unknown;
  readonly info?: unknown;
  readonly internal?: unknown;
  readonly timeout?: unknown;
}

type Field<T, K extends keyof StatemTypes, Otherwise> = K extends keyof T ? T[K] : Otherwise;

/** States and their data. */
export type StatesOf<T> = T extends { readonly states: infer S } ? S : never;
/** What the state of a machine may be. */
export type StateOf<T> = T extends { readonly states: infer S } ? keyof S : Field<T, 'state', never>;
/** What the data may be in state `S`. */
export type DataIn<T, S> = T extends { readonly states: infer D }
  ? S extends keyof D
    ? D[S]
    : never
  : Field<T, 'data', undefined>;
export type CallsOf<T> = Extract<Field<T, 'call', never>, CallPair>;
export type CastsOf<T> = Field<T, 'cast', never>;
export type InfoOf<T> = Field<T, 'info', never>;
export type InternalOf<T> = Field<T, 'internal', never>;
export type TimeoutOf<T> = Field<T, 'timeout', undefined>;

/** What tells contents apart: a content that is a name itself, or its `type`. */
export type TagOf<C> = C extends PropertyKey ? C : C extends { readonly type: infer Tag } ? Tag : undefined;

/** An event of a kind whose content may be `C`, one for each `C`. */
type EventOf<Type extends string, C> = C extends unknown
  ? { readonly type: Type; readonly content: C; readonly tag: TagOf<C> }
  : never;

/** A request, with who waits for its reply: one for each pair, told apart by `tag`. */
export type CallEvent<Pair extends CallPair> = Pair extends readonly [infer Request, infer Reply]
  ? {
      readonly type: 'call';
      readonly content: Request;
      readonly tag: TagOf<Request>;
      readonly from: From<Reply>;
    }
  : never;

/**
 * What happens to a machine of types `T`.
 *
 * | type | content |
 * | --- | --- |
 * | call | a request; its answer goes to `from`, now or later |
 * | cast | a message without an answer |
 * | info | any other message of the process: a plain one, an EXIT, a DOWN |
 * | internal | from the action `nextEvent` of the machine itself |
 * | timeout | the event timeout is over: no event has come in that time |
 * | state_timeout | the state timeout is over: the state has not changed in that time |
 * | generic_timeout | the timeout of that `name` is over |
 */
export type StatemEvent<T> =
  | CallEvent<CallsOf<T>>
  | EventOf<'cast', CastsOf<T>>
  | EventOf<'info', InfoOf<T> | SystemMessage>
  | EventOf<'internal', InternalOf<T>>
  | EventOf<'timeout', TimeoutOf<T>>
  | EventOf<'state_timeout', TimeoutOf<T>>
  | { readonly type: 'generic_timeout'; readonly name: PropertyKey; readonly content: TimeoutOf<T> };

export type EventType =
  | 'call'
  | 'cast'
  | 'info'
  | 'internal'
  | 'timeout'
  | 'state_timeout'
  | 'generic_timeout';

/** The types that the action `nextEvent` may insert. */
const EVENT_TYPES: ReadonlySet<unknown> = new Set<EventType>([
  'call',
  'cast',
  'info',
  'internal',
  'timeout',
  'state_timeout',
  'generic_timeout',
]);

export function isEventType(type: unknown): type is EventType {
  return EVENT_TYPES.has(type);
}

/** @internal One event: what handlers see as a {@link StatemEvent}. It is kept when it is postponed. */
export class MachineEvent {
  constructor(
    readonly type: EventType,
    readonly content: unknown,
    /** Of a call; else null. */
    readonly from: From<unknown> | null,
    /** Of a generic timeout; else undefined. */
    readonly name: PropertyKey | undefined,
  ) {}

  get tag(): unknown {
    const { content } = this;
    if (typeof content === 'object' && content !== null) return (content as { readonly type?: unknown }).type;
    return content;
  }
}
