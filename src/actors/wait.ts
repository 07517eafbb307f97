import type { Process } from './process.js';

/**
 * Something that a process waits for: a message, a reply, a time. A generator that runs as a process yields it, and goes
 * on with what came:
 *
 *     runtime.spawn(function* (self) {
 *       const ping = yield* receive(Ping);               // typed: Ping
 *       const count = yield* call(counter, { type: 'get' });
 *     });
 *
 * `yield* wait` and `yield wait` do the same; the first knows its type. A wait serves once.
 *
 * While a process waits it takes no other message: those that do not match stay in its mailbox in their order (Erlang's
 * selective receive).
 */
export abstract class Wait<out T> {
  /** Milliseconds after which {@link expired} decides; 0: as soon as nothing in the mailbox matches. */
  abstract readonly afterMs: number;

  /** Called when the process begins to wait. What it throws is thrown at the `yield`. */
  begin(_self: Process<never>, _mailbox: WaitingMailbox): void {}

  /** Whether this message ends the wait. */
  abstract matches(message: unknown): boolean;

  /** {@link matches} as a function of its own, for looks through long mailboxes. */
  get matcher(): (message: unknown) => boolean {
    return (message) => this.matches(message);
  }

  /** The value of the `yield`, made of the message that matched; what it throws is thrown at the `yield`. */
  abstract finish(message: unknown, self: Process<never>): T;

  /** The same when the time is over. */
  abstract expired(self: Process<never>): T;

  *[Symbol.iterator](): Generator<Wait<T>, T, unknown> {
    return (yield this) as T;
  }
}

/** @internal What the core itself puts into the mailbox of a process that waits: no `receive` takes it. */
export abstract class Token {}

/** What a {@link Wait} may do with the mailbox when it begins. */
export interface WaitingMailbox {
  /**
   * Nothing that waits in the mailbox now can match: do not look at it. For an answer to something that is only sent
   * after this: a call costs the same whatever waits (as in Erlang, where the compiler sees the new reference). O(1).
   */
  setAside(): void;
}

/** What a generator returns that waits: `T` at its end. To be used with `yield*`, or run by {@link Process.block}. */
export type Blocking<T> = Generator<Wait<unknown>, T, unknown>;

/** Whether a callback returned a generator, and so is not done yet. */
export function isBlocking(value: unknown): value is Blocking<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    // One look-up of a method: asking for the iterator costs 300 ns where each generator has a prototype of its own.
    typeof (value as { readonly next?: unknown }).next === 'function'
  );
}

/** Whether a callback returned a promise. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}
