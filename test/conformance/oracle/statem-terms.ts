import { type ExitReason, StatemError } from '../../../src/actors/index.js';
import { encode } from './json.js';
import { addReasons, reasonOf, termOf } from './reason.js';
import { isTuple, Opaque, type Term, Tuple, tuple } from './term.js';
import type { World } from './world.js';

/** The terms of which results and actions were made: what is refused is shown as the term that it was. */
const origins = new WeakMap<object, Term>();

function madeOf<T extends object>(term: Term, thing: T): T {
  origins.set(thing, term);
  return thing;
}

addReasons((reason) => {
  if (reason.type === 'bad_return_from_init') return tuple('bad_return_from_init', reason.value);
  if (reason.type !== 'error' || !(reason.error instanceof StatemError)) return undefined;
  const { kind, value } = reason.error;
  const term = typeof value === 'object' && value !== null ? (origins.get(value) ?? value) : value;
  return tuple(tuple(kind, term), Opaque.stack);
});

/** Without the stack: what `terminate` and the starter of a machine see of an error. */
export function bareTerm(reason: ExitReason): Term {
  const term = termOf(reason);
  return reason.type === 'error' ? (term as Tuple).items[0] : term;
}

/** The result of a callback of gen_statem as one of ours; what is none stays as it is. */
export function statemResult(world: World, term: Term, entering = false): unknown {
  if (term === 'keep_state_and_data' || term === 'repeat_state_and_data') return madeOf(term, { type: term });
  if (term === 'stop') return { type: 'stop', reason: { type: 'normal' } };
  if (term === 'ignore') return { type: 'ignore' };
  if (!(term instanceof Tuple)) return term;
  const [name, ...rest] = term.items;
  const [first, second, third] = rest;
  const actions = (at: number) =>
    rest.length > at ? { actions: statemActions(world, rest[at], entering) } : {};
  const has = (least: number, most: number) => rest.length >= least && rest.length <= most;
  switch (name) {
    case 'ok':
    case 'next_state':
      return has(2, 3) ? madeOf(term, { type: name, state: first, data: second, ...actions(2) }) : term;
    case 'keep_state':
    case 'repeat_state':
      return has(1, 2) ? madeOf(term, { type: name, data: first, ...actions(1) }) : term;
    case 'keep_state_and_data':
    case 'repeat_state_and_data':
      return has(1, 1) ? madeOf(term, { type: name, ...actions(0) }) : term;
    case 'stop':
      if (!has(1, 2)) return term;
      return { type: 'stop', reason: reasonOf(first), ...(rest.length > 1 ? { data: second } : {}) };
    case 'stop_and_reply':
      if (!has(2, 3)) return term;
      return {
        type: 'stop_and_reply',
        reason: reasonOf(first),
        replies: statemActions(world, second, entering),
        ...(rest.length > 2 ? { data: third } : {}),
      };
    case 'error':
      return has(1, 1) ? { type: 'error', reason: reasonOf(first) } : term;
    default:
      return term;
  }
}

function statemActions(world: World, term: Term, entering: boolean): unknown {
  if (!Array.isArray(term)) return statemAction(world, term, entering);
  return term.map((action) => statemAction(world, action, entering));
}

function statemAction(world: World, term: Term, entering: boolean): unknown {
  if (term === 'postpone') return madeOf(term, { type: 'postpone', postpone: true });
  if (term === 'hibernate') return { type: 'hibernate', hibernate: true };
  if (term === 'pop_callback_module') return madeOf(term, { type: term });
  if (typeof term === 'number' || term === 'infinity')
    return timeoutAction(world, term, 'timeout', term, term, false);
  if (!(term instanceof Tuple)) return term;
  const [name, first, second, third] = term.items;
  switch (name) {
    case 'postpone':
      // In an enter call OTP refuses this form as no action, the atom as one that is not for enter calls.
      if (entering && first === true) return term;
      return term.items.length === 2 ? madeOf(term, { type: 'postpone', postpone: first }) : term;
    case 'hibernate':
      return term.items.length === 2 ? madeOf(term, { type: 'hibernate', hibernate: first }) : term;
    case 'reply':
      return term.items.length === 3 ? madeOf(term, { type: 'reply', from: first, reply: second }) : term;
    case 'next_event':
      return term.items.length === 3 ? nextEvent(world, term, first, second) : term;
  }
  switch (term.items.length) {
    case 2:
      return first === 'cancel' ? timeoutAction(world, term, name, 'cancel', undefined, false) : term;
    case 3:
      return timeoutAction(world, term, name, first, second, false);
    case 4: {
      const absolute = isAbsolute(third);
      if (absolute === null || first === 'update' || first === 'cancel') return term;
      return timeoutAction(world, term, name, first, second, absolute);
    }
    default:
      return term;
  }
}

/** Null: bad options. More than one is bad, too. */
function isAbsolute(options: Term): boolean | null {
  const list: readonly Term[] = Array.isArray(options) ? options : [options];
  if (list.length === 0) return false;
  const [option] = list;
  if (list.length > 1 || !isTuple(option, 'abs') || option.items.length !== 2) return null;
  return typeof option.items[1] === 'boolean' ? option.items[1] : null;
}

function nextEvent(world: World, term: Term, type: Term, content: Term): unknown {
  const action = { type: 'next_event', content };
  if (isTuple(type, 'call')) return madeOf(term, { ...action, event: 'call', from: type.items[1] });
  if (isTuple(type, 'timeout')) {
    return madeOf(term, { ...action, event: 'generic_timeout', name: timeoutName(world, type.items[1]) });
  }
  return madeOf(term, { ...action, event: type });
}

function timeoutAction(
  world: World,
  term: Term,
  type: Term,
  time: Term,
  content: Term,
  absolute: boolean,
): unknown {
  const what = { time: time === 'infinity' ? Number.POSITIVE_INFINITY : time, content, absolute };
  if (time === 'cancel' && !isTuple(term, type, 'cancel')) return term;
  let action: object;
  if (type === 'timeout' || type === 'state_timeout') action = { type, ...what };
  else if (isTuple(type, 'timeout') && type.items.length === 2) {
    action = { type: 'generic_timeout', name: timeoutName(world, type.items[1]), ...what };
  } else return term;
  return madeOf(term, action);
}

const names = new WeakMap<World, Map<string, Term>>();

/** The names of our timeouts are strings and numbers: other terms stand there as their text. */
function timeoutName(world: World, term: Term): PropertyKey {
  if (typeof term === 'string' || typeof term === 'number') return term;
  const text = `term ${encode(world.toJson(term))}`;
  const known = names.get(world) ?? new Map<string, Term>();
  names.set(world, known.set(text, term));
  return text;
}

/** How the type of an event is matched and logged. */
export function eventType(world: World, type: string, name: PropertyKey | undefined): Term {
  if (type !== 'generic_timeout') return type;
  return tuple('timeout', names.get(world)?.get(String(name)) ?? name);
}
