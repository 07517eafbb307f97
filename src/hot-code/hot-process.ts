import { Exit, ExitReason } from '../actors/exit-reason.js';
import type { Process } from '../actors/process.js';
import type { Receiver } from '../actors/receiver.js';
import type { SystemMessage } from '../actors/system-message.js';
import { CodeHolder } from './code-holder.js';
import type { ModuleSlot } from './module-slot.js';
import type { ChangeableProcess, CodeChanging } from './module-table.js';
import type { ModuleVersion } from './module-version.js';

/** What a module exports for processes: functions over a state, which is all that lives longer than a message. */
export interface HotBehaviour<State, Message> extends CodeChanging {
  receive(state: State, message: Message | SystemMessage): void;
  /**
   * Makes the state of a new process out of the one that the program makes for it, which has the shape that version 0 knows. Without
   * it `codeChange(0, state, extra)` does; without either the state is the program's.
   */
  init?(state: unknown): State;
  /** See `Receiver.terminate`. */
  terminate?(state: State, reason: ExitReason): void;
}

/**
 * A process whose code can be changed while it lives: it holds its state and the place of its module, and looks its code up for each
 * message. When there is a new version its state is changed before the next message, by that version's `codeChange`; if that
 * throws, or the new code at its first message, the process is on the old version still: see `CodeHolder.first`.
 */
export class HotProcess<State, Message> implements Receiver<Message>, ChangeableProcess {
  readonly #self: Process<Message>;
  readonly #code: CodeHolder<HotBehaviour<State, Message>>;
  #state: State;
  #isRunning = false;

  constructor(slot: ModuleSlot<HotBehaviour<State, Message>>, self: Process<Message>, state: State) {
    this.#self = self;
    this.#code = new CodeHolder(slot, self as unknown as Process<never>);
    this.#state = this.#made(state);
  }

  /** The program knows the shape of its own version. */
  #made(state: State): State {
    const { slot, version } = this.#code;
    const { init, codeChange } = version.exports;
    if (version.number === 0 || (init === undefined && codeChange === undefined)) return state;
    slot.begin(version);
    try {
      return init === undefined ? (codeChange!(0, state, slot.extra) as State) : init(state);
    } catch (error) {
      slot.threw(version, error);
      throw error;
    }
  }

  get slot(): ModuleSlot {
    return this.#code.slot as unknown as ModuleSlot;
  }

  get version(): ModuleVersion {
    return this.#code.version;
  }

  /** `Partition`, `Partition@3` of the third release: where it stands, in reports. */
  get reportedAs(): string {
    const { module, number } = this.#code.version;
    const name = module.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return number === 0 ? name : `${name}@${number}`;
  }

  get process(): string {
    return this.#code.process;
  }

  get state(): State {
    return this.#state;
  }

  /** What the state tells of itself by a method of this name; otherwise the state. */
  summary(): Readonly<Record<string, unknown>> {
    const state = this.#state as { summary?(): Readonly<Record<string, unknown>> } | null | undefined;
    return typeof state?.summary === 'function' ? state.summary() : { state };
  }

  receive(message: Message | SystemMessage): void {
    const version = this.#code.wanted;
    if (version === null) this.#handle(message);
    else this.#code.first(version, this.#state, (state) => this.#handleWith(state, message), isFailure);
  }

  terminate(reason: ExitReason): void {
    this.#code.version.exports.terminate?.(this.#state, reason);
  }

  change(): void {
    const version = this.#isRunning ? null : this.#code.wanted;
    if (version === null) return;
    const changed = this.#code.change(version, this.#state);
    if (changed !== null) this.#state = changed.value;
  }

  kill(): void {
    this.#self.runtime.exit(this.#self, ExitReason.kill);
  }

  #handle(message: Message | SystemMessage): void {
    const { slot, version } = this.#code;
    const started = slot.begin(version);
    this.#isRunning = true;
    try {
      version.exports.receive(this.#state, message);
    } catch (error) {
      slot.threw(version, error);
      throw error;
    } finally {
      this.#isRunning = false;
    }
    if (started !== 0) slot.ended(version, started);
  }

  #handleWith(state: State, message: Message | SystemMessage): void {
    this.#state = state;
    this.#handle(message);
  }
}

/** That it wants to end is no failure of the code. */
function isFailure(error: unknown): boolean {
  return !(error instanceof Exit);
}
