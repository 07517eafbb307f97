import {
  type AliasMode,
  BadArgument,
  type Blocking,
  Exit,
  type Pid,
  type Process,
  Ref,
  receive,
  sleep,
} from '../../../../src/actors/index.js';
import { ErlangError, ErlangThrow, ScenarioError } from '../errors.js';
import { isObject, type Json } from '../json.js';
import { type Operations, text, time } from '../operation.js';
import { exit } from '../raise.js';
import { reasonOf } from '../reason.js';
import { isTuple, Opaque, type Term, tuple } from '../term.js';
import { type Env, isPid, type World } from '../world.js';

/** Processes, links, monitors, aliases, names and messages. */
export const processOperations: Operations = {
  spawn: (world, [label, operations]) => spawnPuppet(world, text(label), operations, {}),
  spawn_link: (world, [label, operations]) =>
    spawnPuppet(world, text(label), operations, { link: world.self }),
  spawn_monitor(world, [name, label, operations]) {
    const self = world.self as unknown as Process<never>;
    const pid = spawnPuppet(world, text(label), operations, {});
    return tuple(pid, world.nameReference(text(name), self.monitor(pid)));
  },
  exit: (world, [reason], env) => exit(world.toTerm(reason!, env)),
  error(world, [reason], env) {
    throw new ErlangError(world.toTerm(reason!, env));
  },
  throw(world, [value], env) {
    throw new ErlangThrow(world.toTerm(value!, env));
  },
  signal(world, [pid, reason], env) {
    const target = pidOf(world, pid!, env);
    world.runtime.exit(target, reasonOf(world.toTerm(reason!, env)));
    // Whoever ends itself so does not come back from it.
    return target === world.self && !world.self.alive ? forever() : true;
  },
  trap(world, [flag]) {
    const before = world.self.trapExit;
    world.self.trapExit = flag === true;
    return before;
  },
  link(world, [pid], env) {
    try {
      world.self.link(pidOf(world, pid!, env));
    } catch (thrown) {
      // A dead process is an error in Erlang, and an exit with the same reason here.
      if (thrown instanceof Exit && thrown.reason.type === 'noproc') throw new ErlangError('noproc');
      throw thrown;
    }
    return true;
  },
  unlink(world, [pid], env) {
    world.self.unlink(pidOf(world, pid!, env));
    return true;
  },
  alive: (world, [pid], env) => world.runtime.isAlive(pidOf(world, pid!, env)),
  monitor(world, [name, target, options], env) {
    const { alias, tag } = isObject(options) ? options : {};
    const ref = world.self.monitor(
      targetOf(world, target!, env),
      alias as AliasMode | undefined,
      tag === undefined ? undefined : world.toTerm(tag, env),
    );
    return world.nameReference(text(name), ref);
  },
  demonitor(world, [name, flags]) {
    const options = flagsOf(flags);
    const ref = world.reference<Ref>(text(name));
    const had = world.self.demonitor(ref, options.has('flush'));
    return options.has('info') ? had : true;
  },
  alias(world, [name, flags]) {
    const mode = flagsOf(flags).has('reply') ? 'reply' : 'explicit_unalias';
    return world.nameReference(text(name), world.self.alias(mode));
  },
  unalias: (world, [name]) => world.self.unalias(world.reference<Ref>(text(name))),
  process_info: (world, [pid, item], env) => processInfo(world, pidOf(world, pid!, env), text(item)),

  register(world, [name, pid], env) {
    // The atom stands for having no name.
    if (name === 'undefined') throw new BadArgument('undefined is no name');
    world.runtime.register(text(name), pidOf(world, pid!, env));
    return true;
  },
  unregister(world, [name]) {
    world.runtime.unregister(text(name));
    return true;
  },
  whereis: (world, [name]) => world.runtime.whereis(text(name)) ?? 'undefined',

  send(world, [target, message], env) {
    const to = world.toTerm(target!, env);
    const what = world.toMessage(message!, env);
    if (typeof to === 'string') world.runtime.sendNamed(to, what);
    else if (to instanceof Ref) world.runtime.sendAlias(to, what);
    else if (isPid(to)) world.runtime.send(to as Pid<unknown>, what);
    else throw new BadArgument(`nothing can be sent to ${String(to)}`);
    return 'ok';
  },
  recv: (world, [tag, after], env) =>
    take(world, tag!, time(world, after, env, Number.POSITIVE_INFINITY), env),
  *dump(world) {
    const messages: Term[] = [];
    for (;;) {
      const message = yield* receive(undefined, 0);
      if (message === undefined) return messages;
      messages.push(world.messageTerm(message));
    }
  },
};

function* forever(): Blocking<never> {
  for (;;) yield* sleep(Number.POSITIVE_INFINITY);
}

function flagsOf(flags: Json | undefined): ReadonlySet<Json> {
  return new Set(Array.isArray(flags) ? (flags as readonly Json[]) : []);
}

/** Where a term names a process that must be one. */
export function pidOf(world: World, json: Json, env: Env): Pid {
  const term = world.toTerm(json, env);
  if (!isPid(term)) throw new BadArgument(`not a pid: ${JSON.stringify(json)}`);
  return term;
}

/** Where a term is the target of an op: a pid or a name. */
export function targetOf(world: World, json: Json, env: Env): Pid | string {
  const term = world.toTerm(json, env);
  if (!isPid(term) && typeof term !== 'string')
    throw new BadArgument(`not a pid or name: ${JSON.stringify(json)}`);
  return term;
}

/** A puppet has its label before it runs its first op, and before the op that spawned it returns. */
export function spawnPuppet(
  world: World,
  label: string,
  operations: Json | undefined,
  options: { readonly link?: Pid },
): Pid {
  const first = Array.isArray(operations) ? (operations as readonly Json[]) : [];
  const pid = world.runtime.spawn<unknown>(() => world.puppets.live(first), options);
  world.enter(label, pid);
  return pid;
}

function* take(world: World, tag: Json, afterMs: number, env: Env): Blocking<Term> {
  const wanted = tag === '_' ? undefined : world.toTerm(tag, env);
  const matches = (message: unknown): message is unknown => {
    if (wanted === undefined) return true;
    const term = world.messageTerm(message);
    return term === wanted || isTuple(term, wanted);
  };
  const message =
    wanted === undefined ? yield* receive(undefined, afterMs) : yield* receive(matches, afterMs);
  return message === undefined ? 'timeout' : world.messageTerm(message);
}

function processInfo(world: World, pid: Pid, item: string): Term {
  const info = world.runtime.info(pid);
  if (info === null) return 'undefined';
  switch (item) {
    case 'links':
      return [...info.links];
    case 'monitors':
      return info.monitoring.map((one) => (typeof one === 'string' ? tuple(one, Opaque.node) : one));
    case 'monitored_by':
      return [...info.monitoredBy];
    case 'trap_exit':
      return info.trapExit;
    case 'message_queue_len':
      return info.mailboxLength;
    case 'registered_name':
      return info.name ?? 'undefined';
    default:
      throw new ScenarioError(`unknown item of process_info: ${item}`);
  }
}
