import type { Process } from './process.js';
import { type Ref, RefFlag } from './ref.js';

/** Puts a reference into the list of its owner, and, if its target is a process here, into the list of its watchers. */
export function attach(ref: Ref, target: Process<never> | null): void {
  const { owner } = ref;
  const owned = owner.refs;
  ref.nextOwned = owned;
  if (owned !== null) owned.previousOwned = ref;
  owner.refs = ref;
  if (target === null) return;
  const watcher = target.watchers;
  ref.nextWatcher = watcher;
  if (watcher !== null) watcher.previousWatcher = ref;
  target.watchers = ref;
}

/** Takes it out of the list of its target's watchers. */
export function unwatch(ref: Ref, target: Process<never>): void {
  const { nextWatcher, previousWatcher } = ref;
  if (previousWatcher !== null) previousWatcher.nextWatcher = nextWatcher;
  else if (target.watchers === ref) target.watchers = nextWatcher;
  if (nextWatcher !== null) nextWatcher.previousWatcher = previousWatcher;
  ref.nextWatcher = null;
  ref.previousWatcher = null;
}

/** Takes it out of the list of its owner: it is neither monitor nor alias any more. */
export function disown(ref: Ref): void {
  const { nextOwned, previousOwned, owner } = ref;
  if (previousOwned !== null) previousOwned.nextOwned = nextOwned;
  else if (owner.refs === ref) owner.refs = nextOwned;
  if (nextOwned !== null) nextOwned.previousOwned = previousOwned;
  ref.nextOwned = null;
  ref.previousOwned = null;
}

/** The monitor has told, or was ended. Returns whether the reference is still an alias. */
export function monitorEnded(ref: Ref): boolean {
  ref.flags &= ~RefFlag.monitor;
  if ((ref.flags & (RefFlag.demonitor | RefFlag.reply)) !== 0) ref.flags &= ~RefFlag.alias;
  return (ref.flags & RefFlag.alias) !== 0;
}
