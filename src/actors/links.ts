import type { Pid } from './pid.js';
import type { Process } from './process.js';

/** The links of a process: most have none or one, so a set is made for the second only. */
export type Links = null | Pid | Set<Pid>;

/** Adds one end of a link. False if it was there. */
export function addLink(process: Process<never>, other: Pid): boolean {
  const { links } = process;
  if (links === null) {
    process.links = other;
    return true;
  }
  if (links instanceof Set) {
    if (links.has(other)) return false;
    links.add(other);
    return true;
  }
  if (links === other) return false;
  process.links = new Set([links, other]);
  return true;
}

/** Removes one end of a link. False if it was not there. */
export function removeLink(process: Process<never>, other: Pid): boolean {
  const { links } = process;
  if (links instanceof Set) {
    if (!links.delete(other)) return false;
    if (links.size === 0) process.links = null;
    return true;
  }
  if (links !== other) return false;
  process.links = null;
  return true;
}

/** The linked pids, as an array made for the caller. */
export function linksOf(process: Process<never>): Pid[] {
  const { links } = process;
  if (links === null) return [];
  return links instanceof Set ? [...links] : [links];
}
