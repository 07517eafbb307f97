import type { Blocking } from '../../../src/actors/index.js';
import { isObject, type Json, type JsonObject } from './json.js';
import type { Term } from './term.js';
import { type Env, NO_VARIABLES, type World } from './world.js';

/** What patterns of a clause are tried on, by the names of the patterns. */
export type Subjects = readonly (readonly [pattern: string, term: Term])[];

/**
 * A callback that a table scripts: runs the first clause whose patterns all match, its ops first. Its term, or `fallback`
 * if no clause matches or the clause has none.
 */
export function* react(
  world: World,
  table: JsonObject,
  callback: string,
  subjects: Subjects,
  env: Env,
  fallback: Term,
): Blocking<Term> {
  const clauses = table[callback];
  for (const clause of Array.isArray(clauses) ? (clauses as readonly Json[]) : []) {
    if (!isObject(clause)) continue;
    const bound = matchClause(world, clause, subjects, env);
    if (bound !== null) return yield* runReaction(world, clause, bound, fallback);
  }
  return fallback;
}

function matchClause(world: World, clause: JsonObject, subjects: Subjects, env: Env): Env | null {
  let bound: Env | null = env;
  for (const [pattern, term] of subjects) {
    const wanted = clause[pattern];
    if (wanted !== undefined) bound = world.match(wanted, term, bound);
    if (bound === null) return null;
  }
  return bound;
}

/** The ops of a reaction, then its term. */
export function* runReaction(world: World, reaction: JsonObject, env: Env, fallback: Term): Blocking<Term> {
  const operations = reaction['do'];
  if (Array.isArray(operations)) yield* world.performAll(operations as readonly Json[], env);
  return reaction['ret'] === undefined ? fallback : world.toTerm(reaction['ret'], env);
}

/** For callbacks told apart by how often they ran: the n-th reaction of a list, then the last; an object is a list of one. */
export function nthReaction(reactions: Json | undefined, n: number): JsonObject {
  if (isObject(reactions)) return reactions;
  if (!Array.isArray(reactions) || reactions.length === 0) return {};
  const reaction = reactions[Math.min(n, reactions.length) - 1] as Json;
  return isObject(reaction) ? reaction : {};
}

/** `init` of a table: it has no variables. */
export function* initReaction(
  world: World,
  table: JsonObject,
  label: string,
  fallback: Term,
): Blocking<Term> {
  const reaction = nthReaction(table['init'], world.attempt(`init ${label}`));
  return yield* runReaction(world, reaction, NO_VARIABLES, fallback);
}
