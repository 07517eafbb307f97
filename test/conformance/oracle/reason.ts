import { ExitReason } from '../../../src/actors/index.js';
import { ErlangThrow, errorTerm, ScenarioError } from './errors.js';
import { isTuple, Opaque, type Term, Tuple, tuple } from './term.js';

const ATOMS: ReadonlyMap<unknown, ExitReason> = new Map<unknown, ExitReason>([
  ['normal', ExitReason.normal],
  ['shutdown', ExitReason.shutdown],
  ['kill', ExitReason.kill],
  ['killed', ExitReason.killed],
  ['noproc', ExitReason.noproc],
  ['noconnection', ExitReason.noconnection],
  ['timeout', ExitReason.timeout],
  ['calling_self', ExitReason.callingSelf],
]);

/** A term as an exit reason: those that mean something to OTP have types of their own, all others are `custom`. */
export function reasonOf(term: Term): ExitReason {
  const known = ATOMS.get(term);
  if (known !== undefined) return known;
  if (isTuple(term, 'shutdown') && term.items.length === 2) return ExitReason.shutdownWith(term.items[1]);
  return ExitReason.custom(term);
}

/** How reasons that the runtime makes look as terms; areas add theirs. */
type ToTerm = (reason: ExitReason) => Term | undefined;
const special: ToTerm[] = [];

/** Adds the terms of an area's own reasons: undefined for those that it does not know. */
export function addReasons(toTerm: ToTerm): void {
  special.push(toTerm);
}

/** A value inside of a reason: reasons may hold reasons. */
function valueTerm(value: unknown): Term {
  if (typeof value === 'object' && value !== null && 'type' in value && !(value instanceof Tuple)) {
    return termOf(value as ExitReason);
  }
  return value;
}

/** An exit reason as the term that it is in Erlang. */
export function termOf(reason: ExitReason): Term {
  for (const toTerm of special) {
    const term = toTerm(reason);
    if (term !== undefined) return term;
  }
  switch (reason.type) {
    case 'shutdown':
      return reason.detail === undefined ? 'shutdown' : tuple('shutdown', valueTerm(reason.detail));
    case 'error':
      if (reason.error instanceof ScenarioError) throw reason.error;
      return errorTerm(reason.error);
    case 'nocatch': {
      const value = reason.value instanceof ErlangThrow ? reason.value.term : reason.value;
      return tuple(tuple('nocatch', value), Opaque.stack);
    }
    case 'call':
      return tuple(termOf(reason.reason), Opaque.mfa);
    case 'bad_return_value':
      return tuple('bad_return_value', reason.value);
    case 'already_started':
      return tuple('already_started', reason.pid);
    case 'failed_to_start_child':
      return tuple('failed_to_start_child', reason.id, termOf(reason.reason));
    case 'custom':
      return reason.value;
    default:
      return reason.type;
  }
}
