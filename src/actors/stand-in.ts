import type { Pid } from './pid.js';
import { Process } from './process.js';

/** Whom a process stands in for: see {@link standIn}. */
const standIns = new WeakMap<Pid, Pid>();

/**
 * Has `process` start others in the name of `parent`, a process of another scheduler, which cannot start any here: what
 * they take for their parent is `parent` as soon as `process` has ended.
 */
export function standIn(process: Process<never>, parent: Pid): void {
  standIns.set(process, parent);
}

/** Whether an EXIT from `from` is one of the parent's. */
export function isParent(parent: Pid | null, from: Pid): boolean {
  if (from === parent) return true;
  return parent instanceof Process && !parent.alive && standIns.get(parent) === from;
}

/** Whose child one is that was started by `parent`. */
export function actualParent(parent: Pid | null): Pid | null {
  return parent === null ? null : (standIns.get(parent) ?? parent);
}
