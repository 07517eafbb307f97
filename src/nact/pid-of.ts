import type { Ref } from 'nact';
import { BadArgument, type Pid, type Process } from '../actors/index.js';
import { type Reference, systemMap } from './nact-internals.js';
import { nactProcessOf, processOf } from './nact-process.js';

/** What stands behind a reference now; undefined if it has stopped. */
export function concreteOf(ref: unknown): object | undefined {
  const reference = ref as Partial<Reference> | null;
  const name = reference?.system?.name;
  if (typeof name !== 'string') return undefined;
  return systemMap.find(name, reference as Reference) as object | undefined;
}

/**
 * The process of a nact actor or system: to send to it, link with it, monitor it, register a name for it. Undefined if it
 * has stopped, or belongs to a system that is neither supervised nor joined.
 */
export function pidOf<M>(ref: Ref<M>): Pid<M> | undefined {
  const concrete = concreteOf(ref);
  return concrete === undefined ? undefined : (processOf(concrete)?.pid as Pid<M> | undefined);
}

/** The process of an actor, for its own function: `selfOf(context).monitor(…)`. Throws a {@link BadArgument} if there is none. */
export function selfOf<M>(context: { readonly self: Ref<M> }): Process<M> {
  const concrete = concreteOf(context.self);
  const process = concrete === undefined ? undefined : processOf(concrete);
  if (process === undefined) throw new BadArgument('not the context of a nact actor that is a process');
  return process.process as Process<M>;
}

/** The reference of the nact actor whose process this is, for nact's functions; undefined for any other process. */
export function refOf<M>(pid: Pid<M>): Ref<M> | undefined {
  return nactProcessOf(pid)?.concrete.reference as Ref<M> | undefined;
}

/** How many actors are right below an actor or a system, and how many altogether. Null for any other process. */
export function actorCounts(pid: Pid): { readonly children: number; readonly descendants: number } | null {
  const process = nactProcessOf(pid);
  return process === undefined ? null : { children: process.children.size, descendants: process.descendants };
}
