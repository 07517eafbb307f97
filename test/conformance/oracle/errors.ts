import { BadArgument } from '../../../src/actors/index.js';
import { Opaque, type Term, tuple } from './term.js';

/** The scenario itself is wrong: the whole of it fails, not a process in it. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** What Erlang's error/1 raises. */
export class ErlangError extends Error {
  override readonly name = 'ErlangError';

  constructor(readonly term: Term) {
    super(`error: ${JSON.stringify(term)}`);
  }
}

/** What Erlang's throw/1 raises. */
export class ErlangThrow {
  constructor(readonly term: Term) {}
}

/** What an Error is as the reason of an exit: `{Reason, Stack}`. */
export function errorTerm(error: Error): Term {
  if (error instanceof ErlangError) return tuple(error.term, Opaque.stack);
  if (error instanceof BadArgument) return tuple('badarg', Opaque.stack);
  return tuple(tuple('javascript', `${error.name}: ${error.message}`), Opaque.stack);
}
