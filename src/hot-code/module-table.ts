import type { Clock } from '../structures/clock.js';
import { CompileFailed, compile, type ImportModule } from './compile.js';
import { type Contract, ContractBroken } from './contract.js';
import { ModuleSlot } from './module-slot.js';
import { ModuleVersion, type VersionFigures } from './module-version.js';
import {
  type Change,
  type CodeState,
  type CodeText,
  moduleOf,
  type Operation,
  type Prepared,
  type PrepareFailure,
} from './operation.js';

/** What a table has to tell. It never logs. */
export type CodeEvent =
  /** A call of a version threw. */
  | {
      readonly type: 'code_failed';
      readonly module: string;
      readonly version: number;
      readonly error: unknown;
    }
  /** A process stays on its version: its state could not be changed. */
  | {
      readonly type: 'code_change_failed';
      readonly module: string;
      readonly from: number;
      readonly to: number;
      readonly label: string;
      readonly pid: string;
      readonly error: unknown;
    }
  /** What an operation did is effective here. */
  | { readonly type: 'code_changed'; readonly number: number; readonly modules: readonly string[] };

/** A process whose code the table can change: see {@link HotProcess}. */
export interface ChangeableProcess {
  readonly slot: ModuleSlot;
  readonly version: ModuleVersion;
  readonly state: unknown;
  /** To the version that is its own now, unless it is in the middle of a message. */
  change(): void;
  /** Ends it: its version is to go. */
  kill(): void;
}

export interface ModuleTableOptions {
  readonly clock: Clock;
  /** Of the code of a module that the program was started with. */
  readonly hashOf: (module: string) => string;
  /** Of the last operation that is effective, in its first word. Shared with the other threads: one store changes them all. */
  readonly word: Int32Array;
  readonly importModule: ImportModule;
  /** The processes of a module, in any order; for samples it is left early. */
  readonly processes: (slot: ModuleSlot) => Iterable<ChangeableProcess>;
  readonly events?: (event: CodeEvent) => void;
}

/** Processes that are changed before others have their turn. */
const CHANGES_AT_ONCE = 1000;
/** States that a dry run tries, of each module. */
const SAMPLES_MAX = 32;

/** A module's place and the versions that are made ready for it. */
interface Ready {
  readonly operation: Operation;
  readonly versions: ReadonlyMap<string, ModuleVersion>;
}

/**
 * The modules of one thread that can be changed while it runs, by name. OTP's code server, with two differences: a change is
 * prepared everywhere before it is made anywhere, and becomes effective everywhere by one store into shared memory.
 *
 * ```
 *            prepare(n)                    word := n                       next look
 *   text ──▶ compiled, checked, tried ──▶ (all threads at once) ──▶ of(key) ──▶ advance(): current, previous
 *               └─ failure: abort(n), nothing has changed anywhere
 * ```
 */
export class ModuleTable {
  readonly clock: Clock;
  readonly #hashOf: (module: string) => string;
  readonly #word: Int32Array;
  readonly #importModule: ImportModule;
  readonly #processes: ModuleTableOptions['processes'];
  readonly #events: (event: CodeEvent) => void;
  readonly #slots = new Map<string, ModuleSlot>();
  readonly #ready = new Map<number, Ready>();
  #seen: number;

  constructor(options: ModuleTableOptions) {
    this.clock = options.clock;
    this.#hashOf = options.hashOf;
    this.#word = options.word;
    this.#importModule = options.importModule;
    this.#processes = options.processes;
    this.#events = options.events ?? (() => {});
    this.#seen = this.#word[0]!;
  }

  /**
   * Takes a module in, with the code that the program was started with.
   *
   * @throws ContractBroken
   * @throws RangeError if there is a module of that name
   */
  define<Exports extends object>(contract: Contract<Exports>, exported: object): ModuleSlot<Exports> {
    const { name } = contract;
    if (this.#slots.has(name)) throw new RangeError(`there is a module ${name} already`);
    const exports = contract.take(exported as Record<string, unknown>);
    const version = new ModuleVersion(name, 0, this.#hashOf(name), exports, this.clock.wall());
    const slot = new ModuleSlot(this, contract, version);
    this.#slots.set(name, slot as unknown as ModuleSlot);
    return slot;
  }

  get names(): string[] {
    return [...this.#slots.keys()].sort();
  }

  slot(name: string): ModuleSlot | undefined {
    return this.#slots.get(name);
  }

  // ---- two phases ----------------------------------------------------------------------------------------------

  /** The first phase: everything that can fail. Nothing has changed after it, whatever it says. */
  async prepare(operation: Operation): Promise<Prepared> {
    const versions = new Map<string, ModuleVersion>();
    let tried = 0;
    let notTried = 0;
    const failed = (module: string, step: PrepareFailure['step'], message: string): Prepared => ({
      tried,
      notTried,
      failure: { module, step, message },
    });
    for (const change of operation.changes) {
      const name = moduleOf(change);
      const slot = this.#slots.get(name);
      if (slot === undefined)
        return failed(name, 'table', `there is no module ${name}: there are ${this.names.join(', ')}`);
      // Who has had no message since the last release is brought along: only two versions can live.
      if (change.type === 'load' && (slot.previous?.users ?? 0) > 0) await this.#bringAlong(slot);
      const objection = objectionTo(change, slot);
      if (objection !== null) return failed(name, 'table', objection);
      if (change.type !== 'load') continue;
      try {
        const version = await this.#load(slot, change.code);
        versions.set(name, version);
        for (const process of this.#processes(slot)) {
          if (tried + notTried >= SAMPLES_MAX) break;
          if (this.#tryState(slot, process, version, change.extra)) tried++;
          else notTried++;
        }
      } catch (error) {
        if (error instanceof CompileFailed) return failed(name, error.step, error.message);
        if (error instanceof ContractBroken) return failed(name, 'contract', error.message);
        if (error instanceof StateRefused) return failed(name, 'state', error.message);
        throw error;
      }
    }
    this.#ready.set(operation.number, { operation, versions });
    return { tried, notTried, failure: null };
  }

  /** An operation that will not come. */
  abort(number: number): void {
    this.#ready.delete(number);
  }

  /** Whether something has become effective that this thread has not looked at. */
  get isBehind(): boolean {
    return this.#word[0] !== this.#seen;
  }

  /** The second phase: whatever has become effective is made so here. */
  advance(): void {
    const target = this.#word[0]!;
    while (this.#seen !== target) {
      const number = ++this.#seen;
      const ready = this.#ready.get(number);
      if (ready === undefined) continue;
      this.#ready.delete(number);
      const { changes } = ready.operation;
      for (const change of changes) this.#apply(change, ready.versions);
      // Only when all modules of the release are in: what is changed at once may call any of them.
      for (const change of changes) if (change.type === 'load' && change.suspend) this.#changeAll(change);
      this.#events({ type: 'code_changed', number, modules: changes.map(moduleOf) });
    }
  }

  /**
   * Brings the table to where the others are: that of a new thread, or of one that came while an operation was under way. Versions
   * that it has already are kept.
   *
   * @throws CompileFailed, ContractBroken
   */
  async restore(state: CodeState): Promise<void> {
    for (const { module, current, previous, canary, canaryShare } of state.modules) {
      const slot = this.#slots.get(module);
      if (slot === undefined) continue;
      const known = slot.versions();
      const load = async (code: CodeText | null) =>
        known.find(({ number }) => number === (code?.number ?? 0)) ?? (await this.#restored(slot, code));
      slot.current = await load(current);
      slot.previous = previous === undefined ? null : await load(previous);
      slot.canary = canary === undefined ? null : await load(canary);
      slot.canaryShare = keysOf(canaryShare ?? 0);
    }
    this.#seen = state.number;
    if (this.isBehind) this.advance();
  }

  // ---- old versions --------------------------------------------------------------------------------------------

  /** Who runs a version that a purge would free: the previous one. */
  usersOfOld(module: string): number {
    return this.#slots.get(module)?.previous?.users ?? 0;
  }

  /**
   * Lets go of the previous version, so that its memory is freed. `kill`: its processes are ended first. Otherwise nothing happens
   * as long as there are any; returns how many.
   */
  async purge(module: string, kill: boolean): Promise<number> {
    if (this.isBehind) this.advance();
    const slot = this.#slots.get(module);
    const old = slot?.previous;
    if (slot === undefined || old === null || old === undefined) return 0;
    if (old.users > 0) await this.#bringAlong(slot);
    if (old.users > 0 && kill) {
      for (const process of [...this.#processes(slot)]) if (process.version === old) process.kill();
    }
    if (old.users > 0) return old.users;
    if (slot.previous === old) slot.previous = null;
    return 0;
  }

  /** The versions of each module, the current one first. */
  report(): ModuleReport[] {
    if (this.isBehind) this.advance();
    return this.names.map((name) => {
      const slot = this.#slots.get(name)!;
      return {
        module: name,
        canaryShare: slot.canary === null ? 0 : slot.canaryShare / 2 ** 32,
        current: slot.current.figures(),
        previous: slot.previous?.figures() ?? null,
        canary: slot.canary?.figures() ?? null,
      };
    });
  }

  /** @internal A call of a version threw. */
  failed(module: string, version: number, error: unknown): void {
    this.#events({ type: 'code_failed', module, version, error });
  }

  /** @internal The state of a process could not be changed. */
  changeFailed(
    process: { label: string; pid: string },
    from: ModuleVersion,
    to: ModuleVersion,
    error: unknown,
  ): void {
    to.failures++;
    this.#events({
      type: 'code_change_failed',
      module: to.module,
      from: from.number,
      to: to.number,
      label: process.label,
      pid: process.pid,
      error,
    });
  }

  async #restored(slot: ModuleSlot, code: CodeText | null): Promise<ModuleVersion> {
    if (code === null) throw new RangeError(`the first version of ${slot.name} is gone from this thread`);
    return await this.#load(slot, code);
  }

  /** Changes processes that have had no message since, a few at a time. */
  async #bringAlong(slot: ModuleSlot): Promise<void> {
    let left = CHANGES_AT_ONCE;
    for (const process of this.#processes(slot)) {
      process.change();
      if (--left > 0) continue;
      left = CHANGES_AT_ONCE;
      await this.#turn();
    }
    // Servers change with a message.
    await this.#turn();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.clock.defer(resolve));
  }

  // ---- within --------------------------------------------------------------------------------------------------

  async #load(slot: ModuleSlot, code: CodeText): Promise<ModuleVersion> {
    const exported = await compile(code, this.#importModule);
    return new ModuleVersion(slot.name, code.number, code.hash, slot.contract.take(exported), code.loadedAt);
  }

  /** Changes a copy of a live state. False: it cannot be copied. @throws StateRefused */
  #tryState(slot: ModuleSlot, process: ChangeableProcess, version: ModuleVersion, extra: unknown): boolean {
    const { codeChange } = version.exports as CodeChanging;
    if (codeChange === undefined) return true;
    let copy: unknown;
    try {
      copy = (slot.contract.copyState ?? structuredClone)(process.state);
    } catch {
      return false;
    }
    try {
      codeChange(process.version.number, copy, extra);
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new StateRefused(`codeChange from version ${process.version.number} threw: ${why}`);
    }
    return true;
  }

  #apply(change: Change, versions: ReadonlyMap<string, ModuleVersion>): void {
    const slot = this.#slots.get(moduleOf(change))!;
    switch (change.type) {
      case 'load': {
        const version = versions.get(slot.name)!;
        slot.extra = change.extra;
        if (change.canary === null) {
          slot.previous = slot.current;
          slot.current = version;
        } else {
          slot.canary = version;
          slot.canaryShare = keysOf(change.canary);
        }
        break;
      }
      case 'promote':
        slot.previous = slot.current;
        slot.current = slot.canary!;
        slot.canary = null;
        break;
      case 'withdraw':
        slot.canary = null;
        break;
      case 'share':
        slot.canaryShare = keysOf(change.canary);
        break;
      case 'rollback': {
        const back = slot.previous!;
        slot.previous = slot.current;
        slot.current = back;
        break;
      }
    }
  }

  #changeAll(change: Change): void {
    const slot = this.#slots.get(moduleOf(change))!;
    for (const process of [...this.#processes(slot)]) process.change();
  }
}

/** The figures of a module in one thread. */
export interface ModuleReport {
  readonly module: string;
  readonly canaryShare: number;
  readonly current: VersionFigures;
  readonly previous: VersionFigures | null;
  readonly canary: VersionFigures | null;
}

/** What a module may export for the change of its state. */
export interface CodeChanging {
  /**
   * Makes the state for this version out of that of another one. `from` is the number of the other version, or `{ down: to }` when
   * the process goes back from this version to an older one: then it makes the state for that. It must not change `state`.
   */
  codeChange?(from: number | { readonly down: number }, state: unknown, extra: unknown): unknown;
}

class StateRefused extends Error {
  override readonly name = 'StateRefused';
}

/** How many of 2^32 keys. */
function keysOf(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 2 ** 32);
}

function objectionTo(change: Change, slot: ModuleSlot): string | null {
  const { name, canary, previous } = slot;
  switch (change.type) {
    case 'load':
      if (canary !== null)
        return `${name} has a canary, version ${canary.number}: promote it or withdraw it first`;
      if (change.canary !== null && !(change.canary > 0 && change.canary < 1))
        return `the share of a canary is between 0 and 1, not ${change.canary}`;
      if (previous !== null && change.canary === null && previous.users > 0)
        return `${previous.users} still run version ${previous.number} of ${name}, and only two can live: purge it first`;
      return null;
    case 'rollback':
      if (canary !== null) return `${name} has a canary: withdraw it`;
      return previous === null ? `${name} has no previous version to go back to` : null;
    case 'share':
      if (!(change.canary > 0 && change.canary < 1))
        return `the share of a canary is between 0 and 1, not ${change.canary}`;
      return canary === null ? `${name} has no canary` : null;
    default:
      return canary === null ? `${name} has no canary` : null;
  }
}
