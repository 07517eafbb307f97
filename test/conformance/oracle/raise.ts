import { BadArgument, Exit, type ExitReason } from '../../../src/actors/index.js';
import { ErlangError, ErlangThrow, ScenarioError } from './errors.js';
import { reasonOf, termOf } from './reason.js';
import { Opaque, type Term, tuple } from './term.js';

export type ErlangClass = 'error' | 'exit' | 'throw';

/** An exception as `catch Class:Reason` sees it. */
export function caught(thrown: unknown): { readonly class: ErlangClass; readonly reason: Term } {
  if (thrown instanceof ScenarioError) throw thrown;
  if (thrown instanceof Exit) return { class: 'exit', reason: termOf(thrown.reason) };
  if (thrown instanceof ErlangThrow) return { class: 'throw', reason: thrown.term };
  if (thrown instanceof ErlangError) return { class: 'error', reason: thrown.term };
  if (thrown instanceof BadArgument) return { class: 'error', reason: 'badarg' };
  throw thrown;
}

/** exit/1. */
export function exit(term: Term): never {
  throw new Exit(reasonOf(term));
}

/** The exit of a call that failed: `{Reason, {Module, Function, Arguments}}`. */
export function exitOfCall(reason: ExitReason): never {
  exit(tuple(termOf(reason), Opaque.mfa));
}
