import { RecurringMap } from '../structures/recurring-map.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';

/** The links of a process: most have none or one, so a map is made for the second only. */
export type Links = null | Pid | RecurringMap<Pid, true>;

/** Adds one end of a link. False if it was there. */
export function addLink(process: Process<never>, other: Pid): boolean {
  const { links } = process;
  if (links === null) {
    process.links = other;
    return true;
  }
  if (links instanceof RecurringMap) return links.set(other, true);
  if (links === other) return false;
  const map = new RecurringMap<Pid, true>();
  map.set(links, true);
  map.set(other, true);
  process.links = map;
  return true;
}

/** Removes one end of a link: for good, because the other has ended, or not. False if it was not there. */
export function removeLink(process: Process<never>, other: Pid, ended = false): boolean {
  const { links } = process;
  if (links instanceof RecurringMap) {
    if (!(ended ? links.delete(other) : links.vacate(other))) return false;
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
  return links instanceof RecurringMap ? [...links.keys()] : [links];
}
