import {
  type Blocking,
  CallMessage,
  CastMessage,
  call,
  DownMessage,
  ExitReason,
  type From,
  GenServer,
  type Process,
  RequestId,
  type Response,
  ResponseMessage,
  receiveResponse,
  type ServerOptions,
  StopMessage,
  sendRequest,
  started,
  stop,
  waitResponse,
} from '../../../../src/actors/index.js';
import { ErlangThrow, ScenarioError } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { type Operations, text, time } from '../operation.js';
import { initReaction, react } from '../reaction.js';
import { reasonOf, termOf } from '../reason.js';
import { isTuple, Opaque, type Term, tuple } from '../term.js';
import { addMessages, addThings, type Env, type World } from '../world.js';
import { returned } from './proc-lib.js';
import { targetOf } from './processes.js';

/** gen_server. */
export const genServerOperations: Operations = {
  *gs_start(world, [label, table, options], env) {
    const server = new ScriptedServer(world, text(label), tableOf(table));
    return returned(yield* started(GenServer.start(world.runtime, server, optionsOf(world, options, env))));
  },
  *gs_start_link(world, [label, table, options], env) {
    const server = new ScriptedServer(world, text(label), tableOf(table));
    const self = world.self as Process<never>;
    return returned(yield* started(GenServer.startLink(self, server, optionsOf(world, options, env))));
  },
  *gs_start_monitor(world, [name, label, table, options], env) {
    const server = new ScriptedServer(world, text(label), tableOf(table));
    const self = world.self as Process<never>;
    const outcome = yield* started(GenServer.startMonitor(self, server, optionsOf(world, options, env)));
    if (outcome.ok === undefined) return returned(outcome);
    return tuple('ok', tuple(outcome.ok, world.nameReference(text(name), outcome.ref)));
  },
  *call(world, [target, request, timeoutMs], env) {
    const server = targetOf(world, target!, env) as string;
    return yield* call<Term>(server, world.toTerm(request!, env), time(world, timeoutMs, env, 5000));
  },
  cast(world, [target, message], env) {
    world.runtime.cast(targetOf(world, target!, env), world.toTerm(message!, env));
    return 'ok';
  },
  reply(world, [from, value], env) {
    GenServer.replyTo(world.toTerm(from!, env) as From<Term>, world.toTerm(value!, env));
    return 'ok';
  },
  send_request(world, [name, target, request], env) {
    const server = targetOf(world, target!, env) as string;
    const id = sendRequest(world.self as Process<never>, server, world.toTerm(request!, env));
    world.keep(text(name), id);
    return 'ok';
  },
  *wait_response(world, [name, timeoutMs], env) {
    const id = world.kept<RequestId<Term>>(text(name));
    return responseTerm(yield* waitResponse(id, time(world, timeoutMs, env, Number.POSITIVE_INFINITY)));
  },
  *receive_response(world, [name, timeoutMs], env) {
    const id = world.kept<RequestId<Term>>(text(name));
    return responseTerm(yield* receiveResponse(id, time(world, timeoutMs, env, Number.POSITIVE_INFINITY)));
  },
  *stop(world, [target, reason, timeoutMs], env) {
    const why = reason === undefined ? ExitReason.normal : reasonOf(world.toTerm(reason, env));
    yield* stop(targetOf(world, target!, env), why, time(world, timeoutMs, env, Number.POSITIVE_INFINITY));
    return 'ok';
  },
};

addMessages((_world, message) => {
  if (message instanceof CallMessage) return tuple('$gen_call', Opaque.from, message.request);
  if (message instanceof CastMessage) return tuple('$gen_cast', message.message);
  if (message instanceof ResponseMessage) return tuple(Opaque.tag, message.value);
  if (message instanceof DownMessage && (message.ref as unknown) instanceof RequestId) {
    return tuple('DOWN', Opaque.ref, 'process', message.from, termOf(message.reason));
  }
  if (message instanceof StopMessage) {
    return tuple('system', Opaque.from, tuple('terminate', termOf(message.reason)));
  }
  return undefined;
});

addThings((_world, thing) =>
  typeof thing === 'object' && thing !== null && 'reply' in thing && 'caller' in thing ? '#from' : undefined,
);

/** The table of a behaviour. */
export function tableOf(table: Json | undefined): JsonObject {
  if (isObject(table)) return table;
  throw new ScenarioError(`not a table: ${JSON.stringify(table)}`);
}

/** The options of a start. */
export function optionsOf(world: World, options: Json | undefined, env: Env): ServerOptions {
  if (!isObject(options)) return {};
  const { name, timeout } = options;
  return {
    ...(name === undefined ? {} : { name: text(name) }),
    ...(timeout === undefined ? {} : { timeoutMs: time(world, timeout, env, Number.POSITIVE_INFINITY) }),
  };
}

function responseTerm(response: Response<Term> | 'timeout'): Term {
  if (response === 'timeout') return response;
  if (response.type === 'reply') return tuple('reply', response.value);
  return tuple('error', tuple(termOf(response.reason), response.server));
}

type Result = ReturnType<typeof GenServer.noreply<Term>>;

/**
 * A server whose callbacks a table scripts. What they return is the term of OTP's interface, translated where it is
 * well-formed; what is not is returned as it is, and the server makes a bad_return_value of it.
 */
class ScriptedServer implements GenServer<Term, readonly [Term, Term], Term, unknown, Term> {
  constructor(
    private readonly world: World,
    private readonly label: string,
    private readonly table: JsonObject,
  ) {}

  *init(self: Process<unknown>): Blocking<never> {
    this.world.enter(this.label, self);
    this.world.log(['init']);
    const reaction = initReaction(this.world, this.table, this.label, tuple('ok', 0));
    return yield* this.#result(reaction, initResult) as Blocking<never>;
  }

  handleCall(request: Term, from: From<Term>, state: Term): Blocking<Result> {
    const variables = [['from', from]] as const;
    return this.#react('handle_call', request, state, variables, tuple('reply', request, state), callResult);
  }

  handleCast(message: Term, state: Term): Blocking<Result> {
    return this.#react('handle_cast', message, state, [], tuple('noreply', state), castResult);
  }

  handleInfo(message: unknown, state: Term): Blocking<Result> {
    const timeout = (message as { readonly type?: unknown } | null)?.type === 'server_timeout';
    const term = timeout ? 'timeout' : this.world.messageTerm(message);
    return this.#react('handle_info', term, state, [], tuple('noreply', state), castResult);
  }

  handleContinue(argument: Term, state: Term): Blocking<Result> {
    return this.#react('handle_continue', argument, state, [], tuple('noreply', state), castResult);
  }

  terminate(reason: ExitReason, state: Term): Blocking<Result> {
    return this.#react('terminate', termOf(reason), state, [], 'ok', (term) => term);
  }

  *codeChange(oldVersion: unknown, state: Term, extra: unknown): Blocking<never> {
    this.world.log(['code_change', oldVersion, state, extra]);
    const reaction = this.#reaction('code_change', extra, state, [], tuple('ok', state));
    return yield* this.#result(reaction, codeChangeResult) as Blocking<never>;
  }

  *#react(
    callback: string,
    message: Term,
    state: Term,
    variables: readonly (readonly [string, Term])[],
    fallback: Term,
    translate: (term: Term) => unknown,
  ): Blocking<Result> {
    this.world.log([callback, message, state]);
    const reaction = this.#reaction(callback, message, state, variables, fallback);
    return (yield* this.#result(reaction, translate)) as Result;
  }

  #reaction(
    callback: string,
    message: Term,
    state: Term,
    variables: readonly (readonly [string, Term])[],
    fallback: Term,
  ): Blocking<Term> {
    const env = new Map<string, Term>([['msg', message], ['s', state], ...variables]);
    const subjects = [
      ['match', message],
      ['state', state],
    ] as const;
    return react(this.world, this.table, callback, subjects, env, fallback);
  }

  /** What is thrown is what is returned, and so is thrown on. */
  *#result(reaction: Blocking<Term>, translate: (term: Term) => unknown): Blocking<unknown> {
    try {
      return translate(yield* reaction);
    } catch (thrown) {
      throw thrown instanceof ErlangThrow ? translate(thrown.term) : thrown;
    }
  }
}

/** The parts of a tuple that begins so and has so many elements; null if it is none. */
function parts(term: Term, name: string, ...sizes: number[]): readonly Term[] | null {
  return isTuple(term, name) && sizes.includes(term.items.length) ? term.items.slice(1) : null;
}

/** What comes after a callback; `bad` if it is nothing that OTP knows. */
function nextOf(term: Term): { readonly next?: unknown } | 'bad' {
  if (term === undefined) return {};
  if (term === 'hibernate') return { next: 'hibernate' };
  if (term === 'infinity') return { next: Number.POSITIVE_INFINITY };
  if (typeof term === 'number' && term >= 0) return { next: term };
  if (isTuple(term, 'continue') && term.items.length === 2) return { next: { continue: term.items[1] } };
  return 'bad';
}

function initResult(term: Term): unknown {
  if (term === 'ignore') return GenServer.ignore;
  const stopped = parts(term, 'stop', 2);
  if (stopped !== null) return GenServer.stop(reasonOf(stopped[0]));
  const failed = parts(term, 'error', 2);
  if (failed !== null) return GenServer.error(reasonOf(failed[0]));
  const ok = parts(term, 'ok', 2, 3);
  if (ok === null) return term;
  const next = nextOf(ok[1]);
  return next === 'bad' ? term : { type: 'ok', state: ok[0], ...next };
}

function castResult(term: Term): unknown {
  const stopped = parts(term, 'stop', 3);
  if (stopped !== null) return GenServer.stop(reasonOf(stopped[0]), stopped[1]);
  const noreply = parts(term, 'noreply', 2, 3);
  if (noreply === null) return term;
  const next = nextOf(noreply[1]);
  return next === 'bad' ? term : { type: 'noreply', state: noreply[0], ...next };
}

function callResult(term: Term): unknown {
  const stopped = parts(term, 'stop', 4);
  if (stopped !== null) return GenServer.stopReply(reasonOf(stopped[0]), stopped[1], stopped[2]);
  const replied = parts(term, 'reply', 3, 4);
  if (replied === null) return castResult(term);
  const next = nextOf(replied[2]);
  return next === 'bad' ? term : { type: 'reply', reply: replied[0], state: replied[1], ...next };
}

function codeChangeResult(term: Term): unknown {
  const changed = parts(term, 'ok', 2);
  if (changed !== null) return GenServer.changed(changed[0]);
  return term;
}
