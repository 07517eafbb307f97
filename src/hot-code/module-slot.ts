import { Exit } from '../actors/exit-reason.js';
import type { Contract } from './contract.js';
import type { ModuleTable } from './module-table.js';
import type { ModuleVersion } from './module-version.js';

/** One call in so many is timed: two looks at the clock cost as much as many a handler. */
const TIMED_MASK = 63;

/**
 * The place of a module in the table. Processes hold it, which is to say the name, and never a function of the module: what
 * they call is looked up for each message.
 */
export class ModuleSlot<Exports extends object = object> {
  /** What calls get, but for the canary's share. */
  current: ModuleVersion<Exports>;
  /** What a rollback goes back to. */
  previous: ModuleVersion<Exports> | null = null;
  /** A version that is being tried. */
  canary: ModuleVersion<Exports> | null = null;
  /** Of 2^32 keys so many get the canary. */
  canaryShare = 0;
  /** Handed to `codeChange` as `extra`, by the release that brought the current version. */
  extra: unknown = undefined;

  constructor(
    readonly table: ModuleTable,
    readonly contract: Contract<Exports>,
    first: ModuleVersion<Exports>,
  ) {
    this.current = first;
  }

  get name(): string {
    return this.contract.name;
  }

  /** The version that `key` (the id of a process, the number of a user) runs now. The same key always has the same one. */
  of(key: number): ModuleVersion<Exports> {
    const { table } = this;
    if (table.isBehind) table.advance();
    return this.canary !== null && spread(key) < this.canaryShare ? this.canary : this.current;
  }

  /** The versions that the table holds, the current one first. */
  versions(): ModuleVersion<Exports>[] {
    return [this.current, this.canary, this.previous].filter((version) => version !== null);
  }

  /**
   * A call of a version begins: to be counted around every one, without a closure for each.
   *
   * ```ts
   * const started = slot.begin(version);
   * try {
   *   version.exports.handle(request);
   * } catch (error) {
   *   slot.threw(version, error);
   *   throw error;
   * }
   * if (started !== 0) slot.ended(version, started);
   * ```
   *
   * @returns 0, or, of one call in 64, the time for {@link ended}.
   */
  begin(version: ModuleVersion<Exports>): number {
    version.calls = (version.calls + 1) | 0;
    return (version.calls & TIMED_MASK) === 0 ? this.table.clock.now() : 0;
  }

  /** A call that was timed is over. */
  ended(version: ModuleVersion<Exports>, started: number): void {
    const tookMs = this.table.clock.now() - started;
    version.timedCalls++;
    version.timedMs += tookMs;
    if (tookMs > version.longestMs) version.longestMs = tookMs;
  }

  /** A call has thrown. That a process wants to exit is no failure. */
  threw(version: ModuleVersion<Exports>, error: unknown): void {
    if (error instanceof Exit) return;
    version.failures++;
    this.table.failed(this.name, version.number, error);
  }
}

/** Neighbouring keys far from each other, over 2^32: the finalizer of MurmurHash3. */
export function spread(key: number): number {
  let hash = (key ^ Math.floor(key / 2 ** 32)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
