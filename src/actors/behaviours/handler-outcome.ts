import { ExitReason } from '../exit-reason.js';
import type { Blocking } from '../wait.js';
import type { HandlerError, HandlerReply } from './event-commands.js';
import type { Swapped } from './event-handler.js';
import { isPending, resultOf, thrownResult } from './returned.js';

/** What a callback came to: a value, or why it crashed. */
export type Outcome =
  | { readonly value: unknown; readonly crash?: undefined }
  | { readonly crash: ExitReason; readonly value?: undefined };

/** Calls a callback. */
export function attempt(callback: () => unknown): Outcome {
  try {
    return { value: callback() };
  } catch (thrown) {
    return outcomeOfThrown(thrown);
  }
}

/** Waits until a callback is done that may wait. */
export function* settledOutcome(outcome: Outcome): Blocking<Outcome> {
  if (outcome.crash !== undefined || !isPending(outcome.value)) return outcome;
  try {
    return { value: yield* resultOf(outcome.value) };
  } catch (thrown) {
    return outcomeOfThrown(thrown);
  }
}

export function outcomeOfThrown(thrown: unknown): Outcome {
  try {
    return { value: thrownResult(thrown) };
  } catch (crash) {
    return { crash: ExitReason.ofThrown(crash) };
  }
}

export function swappedOf(end: Outcome): Swapped {
  return end.crash === undefined
    ? { type: 'result', value: end.value }
    : { type: 'failed', reason: end.crash };
}

export function errorOf(outcome: Outcome): HandlerError {
  if (outcome.crash !== undefined) return { type: 'error', reason: outcome.crash };
  return { type: 'bad_return_value', value: outcome.value };
}

export function failed(error: HandlerError): { readonly error: HandlerError } {
  return { error };
}

export function replied(reply: unknown): HandlerReply<unknown> {
  return { ok: true, reply };
}

/** A handler's codeChange did not return `ok`. */
export class BadCodeChange extends Error {
  override readonly name = 'BadCodeChange';

  constructor(readonly value: unknown) {
    super(`the change of a handler's code returned ${String(value)}`);
  }
}
