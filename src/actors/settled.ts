import type { Process } from './process.js';
import { Token, Wait } from './wait.js';

class Outcome extends Token {
  constructor(
    readonly ok: boolean,
    readonly value: unknown,
  ) {
    super();
  }
}

class Settled<T> extends Wait<T> {
  readonly afterMs = Number.POSITIVE_INFINITY;
  #outcome: Outcome | null = null;

  constructor(private readonly promise: PromiseLike<T>) {
    super();
  }

  override begin(self: Process<never>): void {
    const deliver = (ok: boolean, value: unknown) => {
      this.#outcome = new Outcome(ok, value);
      self.deliver(this.#outcome);
    };
    this.promise.then(
      (value) => deliver(true, value),
      (thrown: unknown) => deliver(false, thrown),
    );
  }

  matches(message: unknown): boolean {
    return this.#outcome !== null && message === this.#outcome;
  }

  finish(): T {
    const { ok, value } = this.#outcome!;
    if (!ok) throw value;
    return value as T;
  }

  expired(): T {
    throw new Error('a wait without a time has expired');
  }
}

/** Waits until a promise is settled: its value, or its error thrown. The process takes no message meanwhile. */
export function settled<T>(promise: PromiseLike<T>): Wait<T> {
  return new Settled(promise);
}
