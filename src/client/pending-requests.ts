import type { Clock, ClockTimer } from '../structures/clock.js';
import { ClientError } from './client-error.js';

/** What came of something: expected failures are values. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ClientError };

export type Done<T> = (outcome: Outcome<T>) => void;

interface Pending {
  readonly done: Done<unknown>;
  readonly timer: ClockTimer;
}

/** Requests without an answer yet, by their reference. At most `countMax`; more are refused at once. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #countMax: number;
  readonly #pending = new Map<number, Pending>();
  #nextRef = 1;

  constructor(clock: Clock, countMax: number) {
    this.#clock = clock;
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** A reference for a new request, or null at the bound (`done` was told). */
  add<T>(timeoutMs: number, done: Done<T>): number | null {
    if (this.#pending.size >= this.#countMax) {
      done({ ok: false, error: new ClientError('requestsFull', `${this.#countMax} requests are waiting`) });
      return null;
    }
    const ref = this.#nextRef;
    this.#nextRef += 1;
    const timer = this.#clock.setTimer(() => {
      this.fail(ref, new ClientError('timeout', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#pending.set(ref, { done: done as Done<unknown>, timer });
    return ref;
  }

  settle(ref: number, value: unknown): void {
    this.#take(ref)?.done({ ok: true, value });
  }

  fail(ref: number, error: ClientError): void {
    this.#take(ref)?.done({ ok: false, error });
  }

  /** @param except the reference of one that goes on waiting */
  failAll(error: ClientError, except = 0): void {
    for (const ref of [...this.#pending.keys()]) if (ref !== except) this.fail(ref, error);
  }

  #take(ref: number): Pending | undefined {
    const pending = this.#pending.get(ref);
    if (pending === undefined) return undefined;
    this.#pending.delete(ref);
    this.#clock.clearTimer(pending.timer);
    return pending;
  }
}

/** The promise form of a callback. */
export function promised<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((outcome) => {
      if (outcome.ok) resolve(outcome.value);
      else reject(outcome.error);
    });
  });
}
