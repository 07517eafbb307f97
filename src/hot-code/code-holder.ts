import { formatPid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook } from '../actors/receiver.js';
import type { ModuleSlot } from './module-slot.js';
import type { CodeChanging } from './module-table.js';
import type { ModuleVersion } from './module-version.js';

/** Which version a process runs, and how it comes to another one. */
export class CodeHolder<Exports extends CodeChanging> implements ExitHook {
  readonly slot: ModuleSlot<Exports>;
  version: ModuleVersion<Exports>;
  readonly #self: Process<never>;
  /** The number of a version that it could not go to: it is not tried again for each message. −1: there is none. */
  #refused = -1;

  constructor(slot: ModuleSlot<Exports>, self: Process<never>) {
    this.slot = slot;
    this.#self = self;
    this.version = slot.of(self.id);
    this.version.users++;
    self.onExit(this);
  }

  /** As the operator sees it. */
  get process(): string {
    return `${this.#self.label} ${formatPid(this.#self)}`;
  }

  processExited(): void {
    this.version.users--;
  }

  /** The version that it should go to before it does anything else; null: it is there. */
  get wanted(): ModuleVersion<Exports> | null {
    const version = this.slot.of(this.#self.id);
    return version === this.version || version.number === this.#refused ? null : version;
  }

  /** Comes to that version with its state; null: its state could not be changed, and it stays where it is. */
  change<State>(version: ModuleVersion<Exports>, state: State): { readonly value: State } | null {
    const changed = this.#changed(version, state);
    if (changed !== null) this.#moveTo(version);
    return changed;
  }

  /**
   * Handles the first message behind a change of code. The old state is kept until the new code has handled it: if it fails, and
   * `codeChange` had made a new state, the process goes back to the old version with the old state, and handles the message there.
   *
   * @param isFailure whether what was thrown is one: that a process wants to end is not
   */
  first<State, Result>(
    version: ModuleVersion<Exports>,
    state: State,
    handle: (state: State) => Result,
    isFailure: (error: unknown) => boolean,
  ): Result {
    const before = this.version;
    const changed = this.change(version, state);
    if (changed === null || changed.value === state) return handle(state);
    try {
      return handle(changed.value);
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#moveTo(before);
      this.#refuse(version, error);
      return handle(state);
    }
  }

  #changed<State>(version: ModuleVersion<Exports>, state: State): { readonly value: State } | null {
    const isDown = version.number < this.version.number;
    const { exports } = isDown ? this.version : version;
    if (exports.codeChange === undefined) return { value: state };
    try {
      const from = isDown ? { down: version.number } : this.version.number;
      return { value: exports.codeChange(from, state, this.slot.extra) as State };
    } catch (error) {
      this.#refuse(version, error);
      return null;
    }
  }

  #moveTo(version: ModuleVersion<Exports>): void {
    this.version.users--;
    version.users++;
    this.version = version;
    this.#refused = -1;
  }

  #refuse(version: ModuleVersion<Exports>, error: unknown): void {
    this.#refused = version.number;
    const { label } = this.#self;
    this.slot.table.changeFailed({ label, pid: formatPid(this.#self) }, this.version, version, error);
  }
}
