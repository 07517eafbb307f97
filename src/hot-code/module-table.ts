import type { Clock } from '../structures/clock.js';
import { CompileFailed, compile, type ImportModule } from './compile.js';
import { type Contract, ContractBroken } from './contract.js';
import { StateRefused, tryStates } from './dry-run.js';
import { ModuleSlot } from './module-slot.js';
import { ModuleVersion, type VersionFigures } from './module-version.js';
import {
  type Change,
  type CodeState,
  type CodeText,
  type Holders,
  type ModuleState,
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
  /** For the operator: label and pid. */
  readonly process: string;
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
/** Turns without anybody changing before those who have not are given up. */
const IDLE_TURNS_MAX = 20;
/** Processes that a report names. */
const NAMED_MAX = 8;

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
  /** What a process has handed a message on to, at the last such time: see {@link handsTo}. */
  readonly #handed = { version: null as ModuleVersion | null, process: 0, message: 0 };
  readonly #hashOf: (module: string) => string;
  readonly #word: Int32Array;
  readonly #importModule: ImportModule;
  readonly #processes: ModuleTableOptions['processes'];
  readonly #events: (event: CodeEvent) => void;
  readonly #slots = new Map<string, ModuleSlot>();
  readonly #ready = new Map<number, Ready>();
  #seen: number;
  #busy: Promise<unknown> = Promise.resolve();

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
  prepare(operation: Operation): Promise<Prepared> {
    return this.#inOrder(() => this.#prepare(operation));
  }

  async #prepare(operation: Operation): Promise<Prepared> {
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
      const { previous } = slot;
      if (previous !== null && previous.users > 0 && replacesPrevious(change))
        await this.#bringAlong(slot, previous);
      const objection = objectionTo(change, slot);
      if (objection !== null) return failed(name, 'table', objection);
      if (change.type !== 'load') continue;
      try {
        const version = await this.#load(slot, change.code);
        versions.set(name, version);
        const dryRun = await tryStates(slot, this.#processes(slot), version, change.extra, () =>
          this.#turn(),
        );
        tried += dryRun.tried;
        notTried += dryRun.notTried;
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
    // Behind what is still being prepared.
    void this.#inOrder(async () => this.#ready.delete(number));
  }

  /**
   * A process hands the message that it handles on to another module: if it does not return in time, that is whose doing it is.
   *
   * @param message how many messages the process has taken, modulo 2^32
   */
  handsTo(version: ModuleVersion, process: number, message: number): void {
    const handed = this.#handed;
    handed.version = version;
    handed.process = process;
    handed.message = message;
  }

  /** The version that a process has handed one of its last messages on to; null: it has not. */
  handedTo(process: number, message: number, messages: number): ModuleVersion | null {
    const handed = this.#handed;
    return handed.process === process && ((message - handed.message) | 0) < Math.max(1, messages)
      ? handed.version
      : null;
  }

  /** A call of a version was cut off: it had not returned for too long. */
  wasCut(version: ModuleVersion): void {
    version.failures++;
    version.longSchedules++;
    this.failed(version.module, version.number, new Error('it did not return, and was cut off'));
  }

  /** Whether something has become effective that this thread has not looked at. */
  get isBehind(): boolean {
    return this.#word[0] !== this.#seen;
  }

  /** The second phase: whatever has become effective is made so here. */
  advance(): void {
    const target = this.#word[0]!;
    // It may be one that goes now.
    this.#handed.version = null;
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
   * Brings the table to where the others are: that of a new thread, or of one that has missed an operation. Versions that it has
   * already are kept. All of it is compiled before any of it is in place.
   *
   * @throws CompileFailed, ContractBroken
   */
  restore(state: CodeState): Promise<void> {
    return this.#inOrder(async () => {
      const restored: (() => void)[] = [];
      for (const module of state.modules) {
        const slot = this.#slots.get(module.module);
        if (slot !== undefined) restored.push(await this.#restored(slot, module));
      }
      for (const put of restored) put();
      this.#handed.version = null;
      for (const number of this.#ready.keys()) if (number <= state.number) this.#ready.delete(number);
      // An operation that became effective meanwhile is made here as well, if it was prepared here.
      this.#seen = state.number;
      if (this.isBehind) this.advance();
    });
  }

  // ---- old versions --------------------------------------------------------------------------------------------

  /** Who still runs the previous version, when everybody has been brought along who can be. */
  holders(module: string): Promise<Holders> {
    return this.#inOrder(async () => {
      if (this.isBehind) this.advance();
      const slot = this.#slots.get(module);
      const old = slot?.previous ?? null;
      if (slot === undefined || old === null || old.users === 0) return { users: 0, processes: [] };
      await this.#bringAlong(slot, old);
      const processes: string[] = [];
      for (const process of old.users === 0 ? [] : this.#processes(slot)) {
        if (process.version === old) processes.push(process.process);
        if (processes.length === NAMED_MAX) break;
      }
      return { users: old.users, processes };
    });
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

  /** What is prepared, given up and restored here, one after the other. */
  #inOrder<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#busy.then(body);
    this.#busy = mine.catch(() => {});
    return mine;
  }

  /** Makes the versions of a module ready; what is returned puts them in their places. */
  async #restored(slot: ModuleSlot, state: ModuleState): Promise<() => void> {
    const { current, previous, canary, canaryShare = 0, extra } = state;
    const known = slot.versions();
    const load = async (code: CodeText | null) => {
      const version = known.find(({ number }) => number === (code?.number ?? 0));
      if (version !== undefined) return version;
      if (code === null) throw new RangeError(`the first version of ${slot.name} is gone from this thread`);
      return await this.#load(slot, code);
    };
    const versions = {
      current: await load(current),
      previous: previous === undefined ? null : await load(previous),
      canary: canary === undefined ? null : await load(canary),
    };
    return () => {
      Object.assign(slot, versions);
      slot.canaryShare = keysOf(canaryShare);
      slot.extra = extra;
    };
  }

  /** Changes processes that have had no message since, a few at a time. */
  async #bringAlong(slot: ModuleSlot, old: ModuleVersion): Promise<void> {
    let left = CHANGES_AT_ONCE;
    for (const process of this.#processes(slot)) {
      process.change();
      if (--left > 0) continue;
      left = CHANGES_AT_ONCE;
      await this.#turn();
    }
    // Servers change with a message: they are waited for as long as that goes on.
    for (let idle = 0; old.users > 0 && idle < IDLE_TURNS_MAX; ) {
      const { users } = old;
      await this.#turn();
      idle = old.users < users ? 0 : idle + 1;
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.clock.defer(resolve));
  }

  // ---- within --------------------------------------------------------------------------------------------------

  async #load(slot: ModuleSlot, code: CodeText): Promise<ModuleVersion> {
    const exported = await compile(code, this.#importModule);
    return new ModuleVersion(slot.name, code.number, code.hash, slot.contract.take(exported), code.loadedAt);
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
      case 'withdraw': {
        const canary = slot.canary!;
        slot.canary = null;
        // Nobody would ask after who stays on it.
        void this.#turn().then(() => this.#bringAlong(slot, canary));
        break;
      }
      case 'rollback': {
        const back = slot.previous!;
        slot.previous = slot.current;
        slot.current = back;
        break;
      }
      case 'purge':
        if (change.kill) this.#endHolders(slot);
        slot.previous = null;
        break;
      case 'restate':
        break;
    }
  }

  #endHolders(slot: ModuleSlot): void {
    const old = slot.previous;
    for (const process of [...this.#processes(slot)]) if (process.version === old) process.kill();
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
  /** Of several threads together: they do not have the same versions (one hangs, or has just come). */
  readonly differs?: boolean;
}

/** What a module may export for the change of its state. */
export interface CodeChanging {
  /**
   * Makes the state for this version out of that of another one. `from` is the number of the other version, or `{ down: to }` when
   * the process goes back from this version to an older one: then it makes the state for that. It must not change `state`.
   */
  codeChange?(from: number | { readonly down: number }, state: unknown, extra: unknown): unknown;
}

/** How many of 2^32 keys. */
function keysOf(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 2 ** 32);
}

/** Whether the previous version goes with it. */
function replacesPrevious(change: Change): boolean {
  return (
    change.type === 'promote' || change.type === 'purge' || (change.type === 'load' && change.canary === null)
  );
}

function objectionTo(change: Change, slot: ModuleSlot): string | null {
  const { name, canary, previous } = slot;
  const holders =
    previous !== null && previous.users > 0
      ? `${previous.users} still run version ${previous.number} of ${name}, and only two can live: purge it first`
      : null;
  switch (change.type) {
    case 'load':
      if (canary !== null)
        return `${name} has a canary, version ${canary.number}: promote it or withdraw it first`;
      if (change.canary !== null && !(change.canary > 0 && change.canary < 1))
        return `the share of a canary is between 0 and 1, not ${change.canary}`;
      return change.canary === null ? holders : null;
    case 'rollback':
      if (canary !== null) return `${name} has a canary, version ${canary.number}: withdraw it first`;
      return previous === null ? `${name} has no previous version to go back to` : null;
    case 'purge':
      if (previous === null) return `${name} has no previous version`;
      return change.kill ? null : holders;
    case 'promote':
      return canary === null ? `${name} has no canary` : holders;
    case 'withdraw':
      return canary === null ? `${name} has no canary` : null;
    case 'restate':
      return null;
  }
}
