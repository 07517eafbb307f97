import {
  type Blocking,
  call,
  type ExitReason,
  type From,
  GenStatem,
  type HandleEventFunction,
  type Pid,
  type Process,
  type StatemEvent,
  started,
  stop,
} from '../../../../src/actors/index.js';
import { ErlangError, ErlangThrow, ScenarioError } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { type Operations, text, time } from '../operation.js';
import { initReaction, react, type Subjects } from '../reaction.js';
import { reasonOf } from '../reason.js';
import { bareTerm, eventType, statemResult } from '../statem-terms.js';
import { equal, isTuple, type Term, tuple } from '../term.js';
import type { Env, World } from '../world.js';
import { targetOf } from './processes.js';
import { addStateNotation } from './sys.js';

interface Machine {
  readonly state: Term;
  readonly data: Term;
  readonly call: readonly [Term, Term];
  readonly cast: Term;
  readonly info: Term;
  readonly internal: Term;
  readonly timeout: Term;
}

addStateNotation({
  toTerm: (state) => (isPlace(state) ? tuple(state.state, state.data) : undefined),
  replaced: (state, wanted) => {
    if (!isPlace(state)) return undefined;
    if (!isTuple(wanted) || wanted.items.length !== 2) throw new ErlangError(tuple('badmatch', wanted));
    return { state: { state: wanted.items[0], data: wanted.items[1] } };
  },
});

function isPlace(state: unknown): state is { readonly state: Term; readonly data: Term } {
  return typeof state === 'object' && state !== null && 'state' in state && 'data' in state;
}

/** gen_statem: machines of mode handle_event_function whose callbacks a table scripts. */
export const statemOperations: Operations = {
  *sm_start(world, [label, table, options]) {
    return startTerm(
      yield* started(GenStatem.start(world.runtime, machineOf(world, label, table), optionsOf(options))),
    );
  },
  *sm_start_link(world, [label, table, options]) {
    return startTerm(
      yield* started(GenStatem.startLink(selfOf(world), machineOf(world, label, table), optionsOf(options))),
    );
  },
  *sm_start_monitor(world, [name, label, table, options]) {
    let result = GenStatem.startMonitor(selfOf(world), machineOf(world, label, table), optionsOf(options));
    while (result.pending !== undefined) result = yield* result.pending;
    if (result.ok === undefined) return startTerm(result);
    return tuple('ok', tuple(result.ok, world.nameReference(text(name), result.ref)));
  },
  *sm_call(world, [target, request, timeout], env) {
    const to = targetOf(world, target!, env) as string;
    return yield* call(to, world.toTerm(request!, env), time(world, timeout, env, 5000));
  },
  sm_cast(world, [target, message], env) {
    world.runtime.cast(targetOf(world, target!, env), world.toTerm(message!, env));
    return 'ok';
  },
  sm_reply(world, [from, value], env) {
    GenStatem.replyTo(world.toTerm(from!, env) as From<Term>, world.toTerm(value!, env));
    return 'ok';
  },
  *sm_stop(world, [target, reason, timeout], env) {
    const why = reason === undefined ? undefined : reasonOf(world.toTerm(reason, env));
    yield* stop(targetOf(world, target!, env), why, time(world, timeout, env, Number.POSITIVE_INFINITY));
    return 'ok';
  },
};

export function selfOf(world: World): Process<never> {
  return world.self as unknown as Process<never>;
}

function optionsOf(json: Json | undefined): { readonly name?: string; readonly timeoutMs?: number } {
  const { name, timeout } = isObject(json) ? json : {};
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof timeout === 'number' ? { timeoutMs: timeout } : {}),
  };
}

function startTerm(result: {
  readonly ok?: Pid | undefined;
  readonly ignore?: true | undefined;
  readonly error?: ExitReason | undefined;
}): Term {
  if (result.ok !== undefined) return tuple('ok', result.ok);
  return result.ignore === true ? 'ignore' : tuple('error', bareTerm(result.error!));
}

function machineOf(
  world: World,
  label: Json | undefined,
  table: Json | undefined,
): HandleEventFunction<Machine> {
  if (!isObject(table)) throw new ScenarioError(`not a table: ${JSON.stringify(table)}`);
  return new ScriptedMachine(world, text(label), table) as unknown as HandleEventFunction<Machine>;
}

class ScriptedMachine {
  readonly enter?: (before: Term, state: Term, data: Term) => Blocking<unknown>;
  readonly sameState = equal;

  constructor(
    private readonly world: World,
    private readonly label: string,
    private readonly table: JsonObject,
  ) {
    if (table['state_enter'] === true) {
      this.enter = (before, state, data) =>
        this.#event('enter', before, state, data, new Map(), 'keep_state_and_data');
    }
  }

  *init(self: Process<never>): Blocking<unknown> {
    const { world, label, table } = this;
    world.enter(label, self);
    world.log(['init']);
    const initial = tuple('ok', 'start', 0);
    return statemResult(world, yield* returned(initReaction(world, table, label, initial)));
  }

  handleEvent(event: StatemEvent<Machine>, state: Term, data: Term): Blocking<unknown> {
    const { world } = this;
    if (event.type === 'call') {
      const reply = tuple('keep_state_and_data', [tuple('reply', event.from, event.content)]);
      return this.#event('call', event.content, state, data, new Map([['from', event.from]]), reply);
    }
    const type = eventType(world, event.type, event.type === 'generic_timeout' ? event.name : undefined);
    const content = event.type === 'info' ? world.messageTerm(event.content) : event.content;
    return this.#event(type, content, state, data, new Map(), 'keep_state_and_data');
  }

  *terminate(reason: ExitReason, state: Term, data: Term): Blocking<void> {
    const term = bareTerm(reason);
    this.world.log(['terminate', term, state, data]);
    yield* this.#react('terminate', [['match', term]], state, data, new Map([['msg', term]]), 'ok');
  }

  *codeChange(oldVersion: Term, state: Term, data: Term, extra: Term): Blocking<unknown> {
    this.world.log(['code_change', oldVersion, state, data, extra]);
    const unchanged = tuple('ok', state, data);
    const env = new Map([['msg', extra]]);
    const term = yield* this.#react('code_change', [['match', extra]], state, data, env, unchanged);
    const changed = isTuple(term, 'ok') && term.items.length === 3;
    return changed ? { type: 'ok', state: term.items[1], data: term.items[2] } : term;
  }

  *#event(type: Term, content: Term, state: Term, data: Term, env: Env, fallback: Term): Blocking<unknown> {
    this.world.log(['handle_event', type, content, state, data]);
    const subjects: Subjects = [
      ['type', type],
      ['match', content],
    ];
    const variables = new Map([...env, ['msg', content]]);
    const term = yield* this.#react('handle_event', subjects, state, data, variables, fallback);
    return statemResult(this.world, term, type === 'enter');
  }

  *#react(
    callback: string,
    subjects: Subjects,
    state: Term,
    data: Term,
    env: Env,
    fallback: Term,
  ): Blocking<Term> {
    const all: Subjects = [...subjects, ['state', state], ['data', data]];
    const variables = new Map([...env, ['s', state], ['d', data]]);
    return yield* returned(react(this.world, this.table, callback, all, variables, fallback));
  }
}

/** What a callback throws is what it returns. */
export function* returned(reaction: Blocking<Term>): Blocking<Term> {
  try {
    return yield* reaction;
  } catch (thrown) {
    if (thrown instanceof ErlangThrow) return thrown.term;
    throw thrown;
  }
}
