import {
  type Blocking,
  type EventManagerPid,
  GenEvent,
  GenEventExit,
  type HandlerAdded,
  type HandlerRef,
  type Name,
  type Process,
  type Swapped,
  started,
  stop,
  type TerminateArgument,
} from '../../../../src/actors/index.js';
import {
  endTerm,
  errorOf,
  handlerResult,
  handlerTerm,
  type Scripted,
  swappedTerm,
  terminateTerm,
} from '../event-terms.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { type Operations, text, time } from '../operation.js';
import { react, type Subjects } from '../reaction.js';
import { reasonOf } from '../reason.js';
import { type Term, tuple } from '../term.js';
import { addMessages, type Env, type World } from '../world.js';
import { optionsOf, tableOf } from './gen-server.js';
import { returned as reactionOf } from './gen-statem.js';
import { returned } from './proc-lib.js';
import { targetOf } from './processes.js';
import { addStateNotation } from './sys.js';

/** gen_event. */
export const eventOperations: Operations = {
  *ev_start(world, [label, options], env) {
    const result = yield* started(GenEvent.start(world.runtime, optionsOf(world, options, env)));
    if (result.ok !== undefined) world.enter(text(label), result.ok);
    return returned(result);
  },
  *ev_start_link(world, [label, options], env) {
    const self = world.self as Process<never>;
    const result = yield* started(GenEvent.startLink(self, optionsOf(world, options, env)));
    if (result.ok !== undefined) world.enter(text(label), result.ok);
    return returned(result);
  },
  *ev_add(world, [target, id, table, argument], env) {
    const begin = beginOf(world, id, table, argument, env);
    return addedTerm(yield* GenEvent.addHandler(managerOf(world, target, env), handlerOf(world, id), begin));
  },
  *ev_add_sup(world, [target, id, table, argument], env) {
    const begin = beginOf(world, id, table, argument, env);
    return addedTerm(
      yield* GenEvent.addSupHandler(managerOf(world, target, env), handlerOf(world, id), begin),
    );
  },
  *ev_delete(world, [target, id, argument], env) {
    const what = world.toTerm(argument!, env);
    const deleted = yield* GenEvent.deleteHandler(managerOf(world, target, env), handlerOf(world, id), what);
    if (deleted.error === undefined) return deleted.result;
    const error = errorOf(deleted.error);
    return deleted.error.type === 'error' ? error : tuple('error', error);
  },
  *ev_swap(world, [target, id, argument, other, table], env) {
    const sides = [swapOut(world, id, argument, env), swapIn(world, other, table, env)] as const;
    return swappedIn(yield* GenEvent.swapHandler(managerOf(world, target, env), ...sides));
  },
  *ev_swap_sup(world, [target, id, argument, other, table], env) {
    const sides = [swapOut(world, id, argument, env), swapIn(world, other, table, env)] as const;
    return swappedIn(yield* GenEvent.swapSupHandler(managerOf(world, target, env), ...sides));
  },
  ev_notify(world, [target, event], env) {
    GenEvent.notify(world.runtime, managerOf(world, target, env), world.toTerm(event!, env) as never);
    return 'ok';
  },
  ev_sync_notify: (world, [target, event], env) =>
    GenEvent.syncNotify(managerOf(world, target, env), world.toTerm(event!, env) as never),
  *ev_call(world, [target, id, request, timeoutMs], env) {
    const { reply, error } = (yield* GenEvent.call(
      managerOf(world, target, env),
      handlerOf(world, id),
      world.toTerm(request!, env),
      time(world, timeoutMs, env, 5000),
    )) as { readonly reply?: Term; readonly error?: never };
    return error === undefined ? reply : tuple('error', errorOf(error));
  },
  *ev_which(world, [target], env) {
    const handlers = yield* GenEvent.whichHandlers(managerOf(world, target, env));
    return handlers.map((handler) => (handler as { readonly id: Term }).id);
  },
  *ev_stop(world, [target, reason, timeoutMs], env) {
    const why = reason === undefined ? undefined : reasonOf(world.toTerm(reason, env));
    yield* stop(targetOf(world, target!, env), why, time(world, timeoutMs, env, Number.POSITIVE_INFINITY));
    return 'ok';
  },
};

addMessages((_world, message) => {
  if (!(message instanceof GenEventExit)) return undefined;
  return tuple('gen_event_EXIT', handlerTerm(message.handler), endTerm(message.reason));
});

addStateNotation({
  toTerm: (state) =>
    Array.isArray(state) && state.every(isScripted)
      ? state.map(({ state: { id, value } }) => tuple(id, value))
      : undefined,
  replaced: (state, wanted) =>
    isScripted(state)
      ? { state: { handler: state.handler, state: { ...state.state, value: wanted } } }
      : undefined,
});

function isScripted(state: unknown): state is { readonly handler: HandlerRef; readonly state: Scripted } {
  const { handler } = (state ?? {}) as { readonly handler?: { readonly module?: unknown } };
  return handler?.module instanceof ScriptedHandler;
}

/** What an op says of a handler that begins: its argument, unless it is swapped in. */
interface Begin {
  readonly id: Term;
  readonly table: JsonObject;
  readonly argument: Term;
  /** Another handler has swapped itself for it. */
  readonly byHandler?: boolean;
}

function managerOf(world: World, target: Json | undefined, env: Env): EventManagerPid | string {
  return targetOf(world, target!, env) as EventManagerPid | Extract<Name, string>;
}

const modules = new WeakMap<World, ScriptedHandler>();

function moduleOf(world: World): ScriptedHandler {
  const known = modules.get(world) ?? new ScriptedHandler(world);
  modules.set(world, known);
  return known;
}

function handlerOf(
  world: World,
  id: Json | undefined,
): { readonly module: ScriptedHandler; readonly id: Term } {
  return { module: moduleOf(world), id: text(id) };
}

function beginOf(
  world: World,
  id: Json | undefined,
  table: Json | undefined,
  argument: Json | undefined,
  env: Env,
): Begin {
  return {
    id: text(id),
    table: tableOf(table),
    argument: argument === undefined ? 'undefined' : world.toTerm(argument, env),
  };
}

function swapOut(world: World, id: Json | undefined, argument: Json | undefined, env: Env) {
  return { handler: handlerOf(world, id), argument: world.toTerm(argument!, env) };
}

function swapIn(world: World, id: Json | undefined, table: Json | undefined, env: Env) {
  return { handler: handlerOf(world, id), argument: beginOf(world, id, table, undefined, env) };
}

function addedTerm({ error }: HandlerAdded): Term {
  return error === undefined ? 'ok' : errorOf(error);
}

function swappedIn({ error }: HandlerAdded): Term {
  return error === undefined ? 'ok' : tuple('error', errorOf(error));
}

/** The callbacks of all scripted handlers of a world: the one module that they have. */
class ScriptedHandler {
  constructor(private readonly world: World) {}

  *init({ id, table, argument, byHandler }: Begin, swapped: Swapped | undefined): Blocking<never> {
    const begin = swapped === undefined ? argument : tuple('swap', swappedTerm(swapped));
    this.world.log(['init', id, begin]);
    const subjects: Subjects = [['match', begin]];
    const reaction = react(this.world, table, 'init', subjects, new Map([['msg', begin]]), tuple('ok', 0));
    const callback = byHandler === true ? 'init_by_handler' : 'init';
    return this.#result(yield* reactionOf(reaction), callback, id, table) as never;
  }

  handleEvent(event: Term, state: Scripted): Blocking<never> {
    return this.#handle('handle_event', event, state, tuple('ok', state.value));
  }

  handleCall(request: Term, state: Scripted): Blocking<never> {
    return this.#handle('handle_call', request, state, tuple('ok', request, state.value));
  }

  handleInfo(message: unknown, state: Scripted): Blocking<never> {
    return this.#handle('handle_info', this.world.messageTerm(message), state, tuple('ok', state.value));
  }

  *terminate(argument: TerminateArgument, state: Scripted): Blocking<Term> {
    const term = terminateTerm(argument);
    this.world.log(['terminate', state.id, term, state.value]);
    return yield* reactionOf(this.#reaction('terminate', term, state, 'ok'));
  }

  *codeChange(oldVersion: Term, state: Scripted, extra: Term): Blocking<never> {
    const { id, table, value } = state;
    this.world.log(['code_change', id, oldVersion, value, extra]);
    const term = yield* this.#reaction('code_change', extra, state, tuple('ok', value));
    return this.#result(term, 'code_change', id, table) as never;
  }

  *#handle(callback: string, message: Term, state: Scripted, fallback: Term): Blocking<never> {
    const { id, table, value } = state;
    this.world.log([callback, id, message, value]);
    const term = yield* reactionOf(this.#reaction(callback, message, state, fallback));
    return this.#result(term, callback, id, table) as never;
  }

  #reaction(callback: string, message: Term, { table, value }: Scripted, fallback: Term): Blocking<Term> {
    const env = new Map<string, Term>([
      ['msg', message],
      ['s', value],
    ]);
    const subjects: Subjects = [
      ['match', message],
      ['state', value],
    ];
    return react(this.world, table, callback, subjects, env, fallback);
  }

  #result(term: Term, callback: string, id: Term, table: JsonObject): unknown {
    const next = (value: Term): Scripted => ({ id, table, value });
    return handlerResult(term, callback, next, (other) => {
      const tables = isObject(table['next']) ? table['next'] : {};
      const script = tables[String(other)];
      return {
        handler: { module: this as never, id: other },
        argument: {
          id: other,
          table: isObject(script) ? script : {},
          argument: 'undefined',
          byHandler: true,
        },
      };
    });
  }
}
