import type { ModuleSlot } from './module-slot.js';
import type { ChangeableProcess, CodeChanging } from './module-table.js';
import type { ModuleVersion } from './module-version.js';

/** States that a dry run tries, of each module in each thread. */
const SAMPLES_MAX = 32;
/** So long the thread may be held up by it before others have their turn. */
const AT_ONCE_MS = 2;

/** A live state that new code cannot take over. The message says of which process, and why. */
export class StateRefused extends Error {
  override readonly name = 'StateRefused';
}

/**
 * Has the `codeChange` of a new version change copies of live states. One that has none leaves states as they are: nothing is tried.
 *
 * @returns states that were tried, and those that could not be copied
 * @throws StateRefused
 */
export async function tryStates(
  slot: ModuleSlot,
  processes: Iterable<ChangeableProcess>,
  version: ModuleVersion,
  extra: unknown,
  turn: () => Promise<void>,
): Promise<{ readonly tried: number; readonly notTried: number }> {
  const { codeChange } = version.exports as CodeChanging;
  let tried = 0;
  let notTried = 0;
  let began = slot.table.clock.now();
  if (codeChange === undefined) return { tried, notTried };
  for (const process of processes) {
    if (tried + notTried >= SAMPLES_MAX) break;
    // A state may be large.
    if (slot.table.clock.now() - began > AT_ONCE_MS) {
      await turn();
      began = slot.table.clock.now();
    }
    let copy: unknown;
    try {
      copy = (slot.contract.copyState ?? structuredClone)(process.state);
    } catch {
      notTried++;
      continue;
    }
    const from = process.version.number;
    try {
      codeChange(from, copy, extra);
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new StateRefused(`codeChange from version ${from} threw for ${process.process}: ${why}`);
    }
    tried++;
  }
  return { tried, notTried };
}
