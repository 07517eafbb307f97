import {
  type Blocking,
  CallbackFailed,
  Exit,
  type ExitReason,
  SysMessage,
  type SysStatistics,
  sys,
} from '../../../../src/actors/index.js';
import { ErlangError } from '../errors.js';
import type { Operations } from '../operation.js';
import { exit } from '../raise.js';
import { reasonOf, termOf } from '../reason.js';
import { Opaque, type Term, tuple } from '../term.js';
import { addMessages } from '../world.js';
import { targetOf } from './processes.js';
import { refusedSpec } from './supervisor.js';

/**
 * How the state of a behaviour looks as a term, and what `sys_replace_state` makes of it, where those differ. Undefined for
 * states of other behaviours.
 */
export interface StateNotation {
  toTerm(state: unknown): Term | undefined;
  replaced(state: unknown, wanted: Term): { readonly state: unknown } | undefined;
}

const notations: StateNotation[] = [];

/** Adds the notation of a behaviour; that of gen_server is the state itself. */
export function addStateNotation(notation: StateNotation): void {
  notations.push(notation);
}

function stateTerm(state: unknown): Term {
  for (const notation of notations) {
    const term = notation.toTerm(state);
    if (term !== undefined) return term;
  }
  return state;
}

function replacedState(state: unknown, wanted: Term): unknown {
  for (const notation of notations) {
    const replaced = notation.replaced(state, wanted);
    if (replaced !== undefined) return replaced.state;
  }
  return wanted;
}

/** sys. */
export const sysOperations: Operations = {
  *sys_get_state(world, [target], env) {
    return stateTerm(yield* raising(sys.getState(targetOf(world, target!, env))));
  },
  *sys_replace_state(world, [target, wanted], env) {
    const term = world.toTerm(wanted!, env);
    const server = targetOf(world, target!, env);
    const replace = (state: unknown) => replacedState(state, term);
    try {
      return stateTerm(yield* raising(sys.replaceState(server, replace)));
    } catch (thrown) {
      if (!(thrown instanceof Exit) || thrown.reason.type !== 'call') throw thrown;
      // Here alone sys names the whole request where it names the function elsewhere.
      const request = tuple('sys', tuple('replace_state', replace), [server]);
      return exit(tuple(termOf(thrown.reason.reason), request));
    }
  },
  sys_suspend: (world, [target], env) => sys.suspend(targetOf(world, target!, env)),
  sys_resume: (world, [target], env) => sys.resume(targetOf(world, target!, env)),
  *sys_status(world, [target], env) {
    const status = yield* sys.getStatus(targetOf(world, target!, env));
    // Whom nobody is linked with has itself as its parent in Erlang.
    return tuple(status.sysState, status.parent ?? status.pid);
  },
  *sys_statistics(world, [target, flag], env) {
    const answer = yield* sys.statistics(targetOf(world, target!, env), flag as boolean | 'get');
    return typeof answer === 'string' && flag !== 'get' ? answer : tuple('ok', statisticsTerm(answer));
  },
  *sys_change_code(world, [target, oldVersion, extra], env) {
    const change = { oldVersion: world.toTerm(oldVersion!, env), extra: world.toTerm(extra!, env) };
    const { error } = yield* sys.changeCode(targetOf(world, target!, env), change);
    if (error === undefined) return 'ok';
    if (error.type === 'custom' && error.value === 'unknown_system_msg') {
      const request = tuple('change_code', Opaque.module, change.oldVersion, change.extra);
      return tuple('error', tuple('unknown_system_msg', request));
    }
    return tuple('error', codeChangeError(error));
  },
  *sys_terminate(world, [target, reason], env) {
    return yield* sys.terminate(targetOf(world, target!, env), reasonOf(world.toTerm(reason!, env)));
  },
};

addMessages((_world, message) => {
  if (!(message instanceof SysMessage)) return undefined;
  const { operation } = message;
  const request = operation.op === 'terminate' ? tuple('terminate', termOf(operation.reason)) : operation.op;
  return tuple('system', Opaque.from, request);
});

/** What the callback returned that was not ok, or how it crashed. */
function codeChangeError(error: ExitReason): Term {
  return error.type === 'bad_return_value'
    ? error.value
    : (refusedSpec(error) ?? tuple('EXIT', termOf(error)));
}

function statisticsTerm(answer: SysStatistics | 'ok' | 'no_statistics'): Term {
  if (typeof answer === 'string') return answer;
  return [tuple('messages_in', answer.messagesIn), tuple('messages_out', answer.messagesOut)];
}

function* raising(asking: Blocking<unknown>): Blocking<unknown> {
  try {
    return yield* asking;
  } catch (thrown) {
    if (!(thrown instanceof CallbackFailed)) throw thrown;
    throw new ErlangError(tuple('callback_failed', `system_${thrown.operation}`, termOf(thrown.reason)));
  }
}
