import type { Blocking } from '../../../src/actors/index.js';
import { ScenarioError } from './errors.js';
import type { Json } from './json.js';
import type { Term } from './term.js';
import type { Env, World } from './world.js';

/**
 * An op of the format: runs in the current process, which may wait. It returns a term, or throws what the Erlang function
 * raises: an Exit, an ErlangError, an ErlangThrow, or the runtime's BadArgument for badarg.
 */
export type Operation = (world: World, args: readonly Json[], env: Env) => Term | Blocking<Term>;

export type Operations = { readonly [name: string]: Operation };

export function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new ScenarioError(`expected a name, not ${JSON.stringify(value)}`);
  return value;
}

/** A time in ms, or `infinity`. */
export function time(world: World, value: Json | undefined, env: Env, fallback: number): number {
  if (value === undefined) return fallback;
  const term = world.toTerm(value, env);
  return term === 'infinity' ? Number.POSITIVE_INFINITY : (term as number);
}
