import { BadArgument } from './bad-argument.js';
import { Request } from './request.js';
import { Token, Wait } from './wait.js';

type Class<T> = abstract new (...args: never[]) => T;

type Matcher = (message: unknown) => boolean;

/** A wait for a message. */
export class Receive<out T> extends Wait<T> {
  constructor(
    private readonly pattern: Matcher | null,
    readonly afterMs: number,
  ) {
    super();
  }

  matches(message: unknown): boolean {
    return (this.pattern === null || this.pattern(message)) && !isInternal(message);
  }

  override get matcher(): Matcher {
    const { pattern } = this;
    return pattern === null ? isNotInternal : (message) => pattern(message) && !isInternal(message);
  }

  finish(message: unknown): T {
    return message as T;
  }

  expired(): T {
    return undefined as T;
  }
}

/**
 * Waits for the first message in the mailbox that matches: Erlang's `receive … after`. A pattern is
 *
 * - a class: matches its instances;
 * - a function: those for which it returns true; a type guard (`message is Ping`) gives the type;
 * - an object: messages with these fields, compared with `===`, nested plain objects field by field;
 * - a string or number: messages that are this, or whose `type` is this;
 * - nothing: any message.
 *
 * With `afterMs` the value is undefined when none has come in that time; it is not begun anew by messages that do not
 * match, and 0 means: only what is there. Throws a {@link BadArgument} for a bad time.
 */
export function receive<T>(guard: (message: unknown) => message is T): Receive<T>;
export function receive<T>(
  guard: (message: unknown) => message is T,
  afterMs: number,
): Receive<T | undefined>;
export function receive<T>(type: Class<T>): Receive<T>;
export function receive<T>(type: Class<T>, afterMs: number): Receive<T | undefined>;
export function receive<T = unknown>(
  pattern?: string | number | object | ((message: unknown) => boolean),
): Receive<T>;
export function receive<T = unknown>(
  pattern: string | number | object | ((message: unknown) => boolean) | undefined,
  afterMs: number,
): Receive<T | undefined>;
export function receive(pattern?: unknown, afterMs: number = Number.POSITIVE_INFINITY): Receive<unknown> {
  if (!(afterMs >= 0))
    throw new BadArgument(`a time to wait must be a number of milliseconds ≥ 0, not ${afterMs}`);
  return new Receive(pattern === undefined ? null : matcherOf(pattern), afterMs);
}

/** What the core itself puts into mailboxes. Asked last: it is rare, and most looks have ended before. */
function isInternal(message: unknown): boolean {
  return message instanceof Token || message instanceof Request;
}

function isNotInternal(message: unknown): boolean {
  return !isInternal(message);
}

/** Waits for `ms` milliseconds. What comes meanwhile stays in the mailbox. */
export function sleep(ms: number): Receive<undefined> {
  if (!(ms >= 0)) throw new BadArgument(`a time to sleep must be a number of milliseconds ≥ 0, not ${ms}`);
  return new Receive<undefined>(never, ms);
}

function never(): boolean {
  return false;
}

function matcherOf(pattern: unknown): Matcher {
  if (typeof pattern === 'function')
    return isClass(pattern) ? (message) => message instanceof pattern : (pattern as Matcher);
  if (typeof pattern === 'object' && pattern !== null) return (message) => hasFields(message, pattern);
  return (message) =>
    message === pattern ||
    (typeof message === 'object' &&
      message !== null &&
      (message as { readonly type?: unknown }).type === pattern);
}

function isClass(value: object): value is Class<unknown> {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

function hasFields(message: unknown, pattern: object): boolean {
  if (typeof message !== 'object' || message === null) return false;
  for (const key in pattern) {
    const wanted = (pattern as Record<string, unknown>)[key];
    const value = (message as Record<string, unknown>)[key];
    if (wanted === value) continue;
    const plain =
      typeof wanted === 'object' && wanted !== null && Object.getPrototypeOf(wanted) === Object.prototype;
    if (!plain || !hasFields(value, wanted)) return false;
  }
  return true;
}
