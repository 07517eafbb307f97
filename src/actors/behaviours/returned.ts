import { Exit } from '../exit-reason.js';
import { settled } from '../settled.js';
import { type Blocking, isBlocking, isPromise } from '../wait.js';

/**
 * Whether a callback is not done when it returns. Looked at only when what it returned is no result, so that the others
 * pay nothing for it.
 */
export function isPending(returned: unknown): returned is Blocking<unknown> | PromiseLike<unknown> {
  return isBlocking(returned) || isPromise(returned);
}

/** Waits until a callback is done. A thrown value is its result: see {@link thrownResult}. */
export function* resultOf(pending: Blocking<unknown> | PromiseLike<unknown>): Blocking<unknown> {
  try {
    return isBlocking(pending) ? yield* pending : yield* settled(pending);
  } catch (thrown) {
    return thrownResult(thrown);
  }
}

/**
 * In OTP a value that a callback throws is what it returns, so that it can leave from deep within: `throw
 * GenServer.reply(…)`. An Error or an {@link Exit} is thrown again: those are what Erlang calls error and exit.
 */
export function thrownResult(thrown: unknown): unknown {
  if (thrown instanceof Error || thrown instanceof Exit) throw thrown;
  return thrown;
}
