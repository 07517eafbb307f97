import {
  type Blocking,
  type ExitReason,
  type Name,
  type Pid,
  type Process,
  type StartOutcome,
  started,
  startProcess,
} from '../../../../src/actors/index.js';
import {
  type AnyChildSpec,
  type ChildInfo,
  Supervisor,
  type SupervisorInit,
  type SupervisorStart,
  UnknownRequest,
} from '../../../../src/supervisors/index.js';
import { ErlangThrow, ScenarioError } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { type Operations, text } from '../operation.js';
import { runReaction } from '../reaction.js';
import { addReasons, reasonOf, termOf } from '../reason.js';
import { isTuple, Opaque, type Term, Tuple, tuple } from '../term.js';
import { type Env, isPid, NO_VARIABLES, type World } from '../world.js';
import { targetOf } from './processes.js';

/** supervisor. */
export const supervisorOperations: Operations = {
  *sup_start_link(world, [label, spec]) {
    const self = world.self as Process<never>;
    return startTerm(yield* started(startSupervisor(world, self, text(label), objectOf(spec))));
  },
  *start_child(world, [target, child], env) {
    const supervisor = targetOf(world, target!, env);
    const answer = yield* Supervisor.startChild(
      supervisor as Name,
      childArgument(world, supervisor, child!, env),
    );
    const { error } = answer;
    if (error?.type !== 'failed_to_start_child') return childStartTerm(answer);
    return tuple('error', tuple(termOf(error.reason), Opaque.child));
  },
  *terminate_child(world, [target, child], env) {
    const supervisor = targetOf(world, target!, env);
    return doneTerm(yield* Supervisor.terminateChild(supervisor, childOf(world, child!, env)));
  },
  *restart_child(world, [target, id], env) {
    const answer = yield* Supervisor.restartChild(targetOf(world, target!, env), text(id));
    return answer.error === undefined ? childStartTerm(answer) : refusal(answer.error);
  },
  *delete_child(world, [target, id], env) {
    return doneTerm(yield* Supervisor.deleteChild(targetOf(world, target!, env), text(id)));
  },
  *which_children(world, [target], env) {
    const supervisor = targetOf(world, target!, env);
    const children = yield* Supervisor.whichChildren(supervisor);
    const pid = typeof supervisor === 'string' ? world.runtime.whereis(supervisor)! : supervisor;
    return children.map((child) => childTerm(child, templates.has(pid)));
  },
  *count_children(world, [target], env) {
    const counts = yield* Supervisor.countChildren(targetOf(world, target!, env));
    return new Map(Object.entries(counts));
  },
  *get_childspec(world, [target, child], env) {
    const answer = yield* Supervisor.getChildSpec(targetOf(world, target!, env), childOf(world, child!, env));
    if (answer.error !== undefined) return refusal(answer.error);
    const { id, restart, shutdown, significant, type } = answer.ok;
    return tuple('ok', new Map(Object.entries({ id, restart, shutdown, significant, type })));
  },
};

/** A term that is passed where the runtime expects an object, so that it is one of which it can make nothing. */
class Garbage extends Array<never> {
  constructor(readonly term: Term) {
    super();
  }
}

function garbage(term: Term): unknown {
  return typeof term === 'object' || typeof term === 'function' ? new Garbage(term) : term;
}

function ungarbage(value: unknown): Term {
  return value instanceof Garbage ? value.term : value;
}

/** Supervisors of one template. */
const templates = new WeakSet<Pid>();

// ---- specifications --------------------------------------------------------------------------------------------

function objectOf(json: Json | undefined): JsonObject {
  if (isObject(json)) return json;
  throw new ScenarioError(`not a specification: ${JSON.stringify(json)}`);
}

function startSupervisor(
  world: World,
  parent: Process<never>,
  label: string,
  spec: JsonObject,
): SupervisorStart {
  const { name } = spec;
  return Supervisor.startLink(
    parent,
    (self) => initOf(world, self, label, spec),
    name === undefined ? { label } : { label, name: text(name) },
  );
}

function* initOf(
  world: World,
  self: Process<never>,
  label: string,
  spec: JsonObject,
): Blocking<SupervisorInit | typeof Supervisor.ignore> {
  world.enter(label, self);
  world.log(['init']);
  const { flags = {}, children = [], init } = spec;
  const kinds = (children as readonly Json[]).map((child) => childSpec(world, label, objectOf(child)));
  const init0 = { ...flagsOf(objectOf(flags), (json) => world.toTerm(json)), children: kinds };
  if (init0.strategy === 'simple_one_for_one') templates.add(self);
  if (!isObject(init)) return init0 as SupervisorInit;
  let term: Term;
  try {
    term = yield* runReaction(world, init, NO_VARIABLES, init0);
  } catch (thrown) {
    if (!(thrown instanceof ErlangThrow)) throw thrown;
    if (thrown.term === 'ignore') return Supervisor.ignore;
    throw thrown.term;
  }
  if (term === 'ignore') return Supervisor.ignore;
  return specOf(term) as SupervisorInit;
}

/** What an init returns, `{ok, {Flags, Children}}`, in the runtime's notation. */
function specOf(term: Term): unknown {
  if (!isTuple(term, 'ok') || !(term.items[1] instanceof Tuple)) {
    return isTuple(term) ? new Garbage(term) : term;
  }
  const [flags, children] = term.items[1].items;
  if (!(flags instanceof Map)) return new Garbage(term);
  return { ...flagsOf(Object.fromEntries(flags) as JsonObject, (value) => value), children };
}

function flagsOf(flags: JsonObject, toTerm: (json: Json) => Term) {
  const { strategy, intensity, period, auto_shutdown } = flags;
  return {
    ...(strategy === undefined ? {} : { strategy: toTerm(strategy) }),
    ...(intensity === undefined ? {} : { intensity: toTerm(intensity) }),
    ...(period === undefined
      ? {}
      : { periodMs: typeof period === 'number' ? period * 1000 : toTerm(period) }),
    ...(auto_shutdown === undefined ? {} : { autoShutdown: toTerm(auto_shutdown) }),
  };
}

/** Fields of a child specification that are passed on as they are. */
const FIELDS = ['id', 'restart', 'shutdown', 'significant', 'type'] as const;

function childSpec(world: World, supervisor: string, json: JsonObject): AnyChildSpec {
  const fields = FIELDS.filter((field) => json[field] !== undefined).map(
    (field) => [field, garbage(world.toTerm(json[field]!))] as const,
  );
  const start = (_self: Process<never>, extra?: Term) =>
    startChild(world, supervisor, String(extra ?? json['id']), json);
  return { ...Object.fromEntries(fields), start } as unknown as AnyChildSpec;
}

/** The last argument of start_child. */
function childArgument(world: World, supervisor: Pid | string, json: Json, env: Env): AnyChildSpec {
  const pid = typeof supervisor === 'string' ? world.runtime.whereis(supervisor) : supervisor;
  if (isObject(json) && json['id'] !== undefined) {
    return childSpec(world, (pid && world.baseLabel(pid)) ?? '?', json);
  }
  const term = world.toTerm(json, env);
  return (Array.isArray(term) ? term : garbage(term)) as AnyChildSpec;
}

function childOf(world: World, json: Json, env: Env): string | Pid {
  const term = world.toTerm(json, env);
  return isPid(term) ? term : String(term);
}

// ---- children --------------------------------------------------------------------------------------------------

/** The start function of a child: runs in the supervisor. */
function* startChild(world: World, supervisor: string, name: string, json: JsonObject): Blocking<never> {
  world.log(['start_child', name]);
  const label = `${supervisor}/${name}`;
  const attempt = String(world.attempt(`start ${label}`));
  const { starts } = json;
  const reaction = isObject(starts) ? starts[attempt] : undefined;
  if (!isObject(reaction)) return (yield* startKind(world, label, json)) as never;
  try {
    return startResult(yield* runReaction(world, reaction, NO_VARIABLES, 'ignore')) as never;
  } catch (thrown) {
    if (!(thrown instanceof ErlangThrow)) throw thrown;
    throw startResult(thrown.term);
  }
}

function* startKind(world: World, label: string, json: JsonObject): Blocking<unknown> {
  const self = world.self as Process<never>;
  const { kind = 'puppet', script = {}, name } = json;
  const options = name === undefined ? {} : { name };
  switch (kind) {
    case 'puppet':
      return startPuppet(world, self, label, json);
    case 'sup':
      return startSupervisor(world, self, label, objectOf(json['spec']));
    case 'server':
      return startResult(yield* world.perform(['gs_start_link', label, script, options]));
    case 'statem':
      return startResult(yield* world.perform(['sm_start_link', label, script, options]));
    case 'event':
      return startResult(yield* world.perform(['ev_start_link', label]));
    default:
      throw new ScenarioError(`unknown kind of child: ${JSON.stringify(kind)}`);
  }
}

function startPuppet(
  world: World,
  parent: Process<never>,
  label: string,
  json: JsonObject,
): StartOutcome<Pid> {
  const { naughty = false, trap = false, on_start = [], on_stop = [], info } = json;
  return startProcess<unknown>(world.runtime, { parent, link: true, label }, (self, ack) => {
    world.enter(label, self);
    self.trapExit = naughty === true || trap === true;
    return (function* (): Blocking<void> {
      yield* world.performAll(on_start as readonly Json[]);
      ack.ok(info === undefined ? undefined : world.toTerm(info));
      yield* world.puppets.obey(naughty === true ? null : parent, on_stop as readonly Json[]);
    })();
  });
}

/** What a start function returns, as a result of the runtime. */
function startResult(term: Term): unknown {
  if (term === 'ignore') return { ignore: true };
  if (!(term instanceof Tuple)) return garbage(term);
  const [kind, value, info] = term.items;
  const { length } = term.items;
  if (kind === 'ok' && isPid(value) && length === 2) return { ok: value };
  if (kind === 'ok' && isPid(value) && length === 3) return { ok: value, info };
  if (kind !== 'error' || length !== 2) return new Garbage(term);
  const taken = isTuple(value, 'already_started') && isPid(value.items[1]) ? value.items[1] : null;
  return { error: taken === null ? reasonOf(value) : { type: 'already_started', pid: taken } };
}

// ---- answers ---------------------------------------------------------------------------------------------------

/** What came of a start. */
interface Outcome {
  readonly ok?: Pid | undefined;
  readonly info?: unknown;
  readonly ignore?: true | undefined;
  readonly error?: ExitReason | undefined;
}

function startTerm(result: Outcome): Term {
  if (result.error !== undefined) return tuple('error', termOf(result.error));
  if (result.ok === undefined) return 'ignore';
  return result.info === undefined ? tuple('ok', result.ok) : tuple('ok', result.ok, result.info);
}

/** The same for a child: one that has nothing to do is there without a process. */
function childStartTerm(result: Outcome): Term {
  return result.ignore === true ? tuple('ok', 'undefined') : startTerm(result);
}

function refusal(error: { readonly type: string }): Term {
  return tuple('error', termOf(error as ExitReason));
}

function doneTerm({ error }: { readonly error?: { readonly type: string } | undefined }): Term {
  return error === undefined ? 'ok' : refusal(error);
}

function childTerm({ id, pid, type }: ChildInfo, ofTemplate: boolean): Term {
  return tuple(ofTemplate ? 'undefined' : id, pid ?? 'undefined', type);
}

addReasons((reason) => {
  switch (reason.type) {
    case 'start_crashed':
      return tuple('EXIT', termOf(reason.reason));
    case 'bad_start_result':
      return ungarbage(reason.value);
    case 'bad_return':
      return badReturn(ungarbage(reason.value));
    case 'bad_spec':
      return badSpec(reason);
    case 'error':
      return reason.error instanceof UnknownRequest ? tuple('function_clause', Opaque.stack) : undefined;
    default:
      return undefined;
  }
});

/** Why the code of a supervisor was not changed. */
export function refusedSpec(error: ExitReason): Term | undefined {
  if (error.type === 'bad_return') return ungarbage(error.value);
  return error.type === 'bad_spec' ? tuple('error', badSpec({ ...error, of: 'child_spec' })) : undefined;
}

/** `{Module, init, Value}`, which looks like a function with its arguments where the value is a list. */
function badReturn(value: Term): Term {
  return tuple('bad_return', Array.isArray(value) ? Opaque.mfa : tuple(Opaque.module, 'init', value));
}

function badSpec({ of, problem, value }: Extract<ExitReason, { readonly type: 'bad_spec' }>): Term {
  if (problem === 'bad_start_spec') return tuple(problem, (value as readonly unknown[]).map(specTerm));
  const flaw = problem.startsWith('missing_') ? problem : tuple(problem, flawTerm(problem, value));
  return of === 'child_spec' ? flaw : tuple(of, flaw);
}

function flawTerm(problem: string, value: unknown): Term {
  if (problem === 'invalid_period' && typeof value === 'number') return value / 1000;
  if (problem === 'bad_combination') {
    return (value as readonly (readonly unknown[])[]).map((pair) => new Tuple(pair));
  }
  return ungarbage(value);
}

function specTerm(spec: unknown): Term {
  const { start: _start, ...fields } = spec as { readonly [field: string]: unknown };
  return new Map([...Object.entries(fields), ['start', Opaque.mfa] as const]);
}
