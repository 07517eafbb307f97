import {
  BadCodeChange,
  type ExitReason,
  GenEvent,
  type HandlerEnd,
  type HandlerError,
  type HandlerRef,
  type Swapped,
  type TerminateArgument,
} from '../../../src/actors/index.js';
import type { JsonObject } from './json.js';
import { addReasons, termOf } from './reason.js';
import { Opaque, type Term, Tuple, tuple } from './term.js';

/** What a scripted handler is: its id, its table, and its state as the scenario knows it. */
export interface Scripted {
  readonly id: Term;
  readonly table: JsonObject;
  readonly value: Term;
}

addReasons((reason) => {
  if (reason.type !== 'error' || !(reason.error instanceof BadCodeChange)) return undefined;
  return tuple(tuple('badmatch', reason.error.value), Opaque.stack);
});

function exitTerm(reason: ExitReason): Term {
  return tuple('EXIT', termOf(reason));
}

export function handlerTerm(handler: HandlerRef): Term {
  return tuple('handler', (handler as { readonly id: unknown }).id);
}

/** What a terminate is called with. */
export function terminateTerm(argument: TerminateArgument): Term {
  switch (argument.type) {
    case 'delete':
    case 'swap':
      return argument.argument;
    case 'remove_handler':
      return argument.type;
    case 'stop':
      return argument.reason === undefined ? 'stop' : tuple('stop', termOf(argument.reason));
    case 'error':
      return tuple('error', exitTerm(argument.reason));
    case 'bad_return_value':
      return tuple('error', argument.value);
  }
}

/** What an owner is told. */
export function endTerm(end: HandlerEnd): Term {
  switch (end.type) {
    case 'swapped':
      return tuple('swapped', handlerTerm(end.by), end.owner ?? false);
    case 'error':
      return exitTerm(end.reason);
    case 'bad_return_value':
      return end.value;
    default:
      return end.type;
  }
}

/** Why a handler is not there, bare. */
export function errorOf(error: HandlerError): Term {
  switch (error.type) {
    case 'error':
      return exitTerm(error.reason);
    case 'refused':
      return termOf(error.reason);
    case 'bad_return_value':
      return error.value;
    default:
      return error.type;
  }
}

/** What a handler that was swapped in begins with. */
export function swappedTerm(swapped: Swapped): Term {
  if (swapped.type === 'result') return swapped.value;
  return swapped.type === 'failed' ? exitTerm(swapped.reason) : 'error';
}

/** The handlers that may swap themselves find the others in their tables. */
type OtherOf = (id: Term) => { readonly handler: HandlerRef; readonly argument: unknown };

/**
 * What a callback returns, for a handler that goes on as `next` says; what is nothing of the kind stays as it is.
 * An `init_by_handler` is that of a handler that another one has swapped itself for: OTP lets it not hibernate.
 */
export function handlerResult(
  term: Term,
  callback: string,
  next: (value: Term) => Scripted,
  other: OtherOf,
): unknown {
  if (term === 'remove_handler' && callback !== 'handle_call' && !callback.startsWith('init'))
    return GenEvent.remove;
  if (!(term instanceof Tuple)) return term;
  const [name, ...rest] = term.items;
  const { length } = rest;
  const answers = callback === 'handle_call';
  if (name === 'ok') {
    if (answers) return length === 2 ? GenEvent.reply(rest[0], next(rest[1])) : term;
    const hibernates = length === 2 && rest[1] === 'hibernate' && callback !== 'init_by_handler';
    return length === 1 || hibernates ? GenEvent.ok(next(rest[0])) : term;
  }
  if (name === 'remove_handler') return answers && length === 1 ? GenEvent.removeReplying(rest[0]) : term;
  if (name !== 'swap_handler' || length !== (answers ? 5 : 4) || callback.startsWith('init')) return term;
  const [argument, state, id] = answers ? rest.slice(1) : rest;
  const { handler, argument: otherArgument } = other(id);
  return answers
    ? GenEvent.swapReplying(rest[0], argument, next(state), handler, otherArgument)
    : GenEvent.swap(argument, next(state), handler, otherArgument);
}
