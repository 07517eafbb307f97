import { BadArgument, type Pid, type Ref } from '../../../../src/actors/index.js';
import { GroupMessage, ProcessGroups } from '../../../../src/registry/index.js';
import { ErlangError } from '../errors.js';
import type { Json } from '../json.js';
import { type Operations, text } from '../operation.js';
import { termOf } from '../reason.js';
import { type Term, tuple } from '../term.js';
import { addMessages, type Env, isPid, type World } from '../world.js';

/**
 * A group may have any term as its name in Erlang, and a plain value here: the notation of the term stands for it.
 */
const terms = new Map<string, Term>();

function groupOf(world: World, json: Json | undefined, env: Env): string {
  const term = world.toTerm(json!, env);
  const group = JSON.stringify(world.toJson(term));
  terms.set(group, term);
  return group;
}

function termOfGroup(group: string): Term {
  return terms.get(group);
}

/** What is no pid is an error of the caller. */
function pidsOf(world: World, json: Json | undefined, env: Env): Pid<unknown>[] {
  const list = world.toTerm(json!, env);
  if (!Array.isArray(list)) throw new ErlangError('function_clause');
  for (const item of list) if (!isPid(item)) throw new ErlangError(tuple('nolocal', item));
  return list as Pid<unknown>[];
}

/** The scope of that name. Anything but an atom is refused. */
function scopeOf(world: World, json: Json | undefined, env: Env): ProcessGroups<string> {
  const scope = world.toTerm(json!, env);
  if (typeof scope !== 'string') throw new BadArgument(`no name of a scope: ${JSON.stringify(json)}`);
  return new ProcessGroups(scope);
}

addMessages((_world, message) =>
  message instanceof GroupMessage
    ? tuple(message.ref, message.type, termOfGroup(message.group as string), [...message.pids])
    : undefined,
);

/** OTP's pg. */
export const processGroupOperations: Operations = {
  pg_start_link(world, [label, scope], env) {
    const result = scopeOf(world, scope, env).startLink(world.self as never);
    if (result.ok === undefined) return tuple('error', termOf(result.error!));
    world.enter(text(label), result.ok);
    return tuple('ok', result.ok);
  },
  *pg_join(world, [scope, group, pids], env) {
    yield* scopeOf(world, scope, env).join(groupOf(world, group, env), pidsOf(world, pids, env));
    return 'ok';
  },
  pg_leave: (world, [scope, group, pids], env) =>
    scopeOf(world, scope, env).leave(groupOf(world, group, env), pidsOf(world, pids, env)),
  pg_members: (world, [scope, group], env) => [
    ...scopeOf(world, scope, env).getMembers(world.runtime, groupOf(world, group, env)),
  ],
  pg_groups: (world, [scope], env) => scopeOf(world, scope, env).whichGroups(world.runtime).map(termOfGroup),
  *pg_monitor(world, [name, scope, group], env) {
    const { ref, members } = yield* scopeOf(world, scope, env).monitor(groupOf(world, group, env));
    return tuple(world.nameReference(text(name), ref), [...members]);
  },
  *pg_monitor_scope(world, [name, scope], env) {
    const { ref, groups } = yield* scopeOf(world, scope, env).monitorScope();
    const map = new Map([...groups].map(([group, pids]) => [termOfGroup(group), [...pids]]));
    return tuple(world.nameReference(text(name), ref), map);
  },
  *pg_demonitor(world, [scope, name], env) {
    const had = yield* scopeOf(world, scope, env).demonitor(world.reference<Ref>(text(name)));
    return had ? 'ok' : false;
  },
};
