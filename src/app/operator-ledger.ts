import { configurePersistence, dispatch, type Ref, spawnPersistent, start } from 'nact';
import { CallFailed } from '../actors/calls.js';
import { type ExitReason, formatReason } from '../actors/exit-reason.js';
import type { Runtime } from '../actors/runtime.js';
import {
  JournalError,
  JournalPersistenceEngine,
  type JournalPort,
  nactSystem,
  pidOf,
} from '../nact/index.js';
import type { Clock } from '../structures/clock.js';
import { Supervisor } from '../supervisors/index.js';
import type { MainTree } from './tree.js';

/** What an operator did, as he did it. */
export interface LedgerDraft {
  /** `knob`, `release`, `silence`, …: each kind belongs to the file that subscribes to it. */
  readonly kind: string;
  readonly author: string;
  /** Where he sits. */
  readonly address: string;
  /** In his words; '' if he said nothing. */
  readonly message: string;
  /** JSON. */
  readonly data: unknown;
}

export interface LedgerEntry extends LedgerDraft {
  /** 1, 2, … over all kinds. */
  readonly number: number;
  /** Wall-clock ms. */
  readonly at: number;
}

/** `recovered`: it is of an earlier start of the server, or of the ledger. */
export type LedgerSubscriber = (entry: LedgerEntry, recovered: boolean) => void;

/** It could not be written, so nothing has changed; or, `pending`, it is not known yet whether it will be. */
export class LedgerRefused extends Error {
  override readonly name = 'LedgerRefused';
  constructor(
    message: string,
    readonly pending: boolean,
  ) {
    super(message);
  }
}

const NAME = 'operator-ledger';
/** How long an entry may take to be on disk. A writer that is replaced takes a second. */
const APPEND_MS = 5000;
/** How long it may take to be read at the start. */
const OPEN_MS = 10_000;
/** Entries kept in memory, the latest. All stay in the journal. */
const ENTRIES_MAX = 10_000;

type LedgerMessage =
  | { readonly type: 'append'; readonly draft: LedgerDraft }
  /** Answered when everything has been read. */
  | { readonly type: 'opened' }
  /** Of the journal. */
  | LedgerEntry;

type LedgerAnswer =
  | { readonly entry: LedgerEntry }
  | { readonly refused: string }
  | { readonly opened: true };

interface LedgerContext {
  readonly recovering?: boolean;
  readonly sender: Ref<LedgerAnswer>;
  persist(entry: LedgerEntry, tags: readonly string[]): Promise<void>;
}

/**
 * What operators have done to the server, in order and for good: a persistent nact actor on the journal of the writer
 * thread (`operator.db`). Entries are of kinds; whoever is concerned subscribes to his, hears all that there ever were when
 * the ledger is read, and each new one as soon as it is on disk. So what holds is what stands in the ledger: an entry that
 * cannot be written changes nothing, and one that is written late takes effect late.
 */
export class OperatorLedger {
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #engine: JournalPersistenceEngine;
  readonly #tree: MainTree;
  readonly #subscribers: { readonly kind: string; readonly subscriber: LedgerSubscriber }[] = [];
  readonly #opened: (() => void)[] = [];
  #entries: LedgerEntry[] = [];
  #number = 0;
  /** Why it is not there; null: it is, as far as anybody knows. */
  #down: string | null = 'it has not been opened';

  constructor(parts: {
    readonly runtime: Runtime;
    readonly clock: Clock;
    readonly journal: JournalPort;
    readonly tree: MainTree;
  }) {
    this.#runtime = parts.runtime;
    this.#clock = parts.clock;
    this.#engine = new JournalPersistenceEngine(parts.journal);
    this.#tree = parts.tree;
  }

  /** To be called before {@link open}. */
  subscribe(kind: string, subscriber: LedgerSubscriber): void {
    this.#subscribers.push({ kind, subscriber });
  }

  /** Has this called whenever it has been read: usually once. */
  onOpened(callback: () => void): void {
    this.#opened.push(callback);
  }

  /**
   * Reads it: the subscribers have heard of everything when this resolves.
   *
   * @throws LedgerRefused It cannot be read. It is tried again at the next {@link append}.
   */
  async open(): Promise<void> {
    try {
      // The file is opened by whoever wants something of it first: the words why it cannot be are told to nobody else.
      await this.#engine.latestSnapshot(NAME);
    } catch (error) {
      this.#down = `the operator's ledger cannot be read: ${(error as Error).message}`;
      throw new LedgerRefused(this.#down, false);
    }
    this.#down = null;
    this.#tree.addOptional(this.#specification(), (reason) => {
      this.#down = inWords(reason);
    });
    const deadline = this.#clock.now() + OPEN_MS;
    // A start that fails is tried again by its supervisor: there may be nobody under the name for a moment.
    for (;;) {
      try {
        await this.#call({ type: 'opened' }, OPEN_MS);
        for (const callback of this.#opened) callback();
        return;
      } catch (error) {
        if (this.#down !== null) throw new LedgerRefused(this.#down, false);
        if (this.#clock.now() >= deadline) throw new LedgerRefused((error as Error).message, false);
        await new Promise<void>((resolve) => this.#clock.setTimer(resolve, 20));
      }
    }
  }

  /** Reads it, if that has not been possible yet. @throws LedgerRefused */
  async ensureOpen(): Promise<void> {
    if (this.#down !== null) await this.open();
  }

  /**
   * Writes an entry: it is on disk, and its subscribers have heard of it, when this resolves.
   *
   * @throws LedgerRefused
   */
  async append(draft: LedgerDraft): Promise<LedgerEntry> {
    await this.ensureOpen();
    let answer: LedgerAnswer;
    try {
      answer = await this.#call({ type: 'append', draft }, APPEND_MS);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (error.reason.type !== 'timeout') throw new LedgerRefused(this.#down ?? error.message, false);
      const text = `it has not been written within ${APPEND_MS / 1000} s: it takes effect as soon as it is, if ever`;
      throw new LedgerRefused(text, true);
    }
    if ('refused' in answer) throw new LedgerRefused(answer.refused, false);
    if (!('entry' in answer)) throw new Error('the ledger gave another answer than it was asked for');
    return answer.entry;
  }

  /** Those that are kept in memory, oldest first. */
  entries(kind: string | null = null): readonly LedgerEntry[] {
    return kind === null ? this.#entries : this.#entries.filter((entry) => entry.kind === kind);
  }

  /** The number of the oldest entry that {@link entries} knows; 1 if it knows all. */
  get oldest(): number {
    return this.#entries[0]?.number ?? 1;
  }

  #call(message: LedgerMessage, timeoutMs: number): Promise<LedgerAnswer> {
    return this.#runtime.call<LedgerAnswer>(NAME, message, timeoutMs);
  }

  #specification() {
    const system = nactSystem(NAME, () => {
      const system = start(configurePersistence(this.#engine));
      const actor = spawnPersistent(
        system,
        (state: null | undefined, message: LedgerMessage, context: unknown) =>
          this.#handle(state ?? null, message, context as LedgerContext),
        NAME,
        NAME,
      );
      const pid = pidOf(actor);
      if (pid !== undefined) this.#runtime.register(NAME, pid);
      return system;
    });
    return Supervisor.child('operator', { intensity: 3, periodMs: 5000, children: [system] });
  }

  async #handle(state: null, message: LedgerMessage, context: LedgerContext): Promise<null> {
    if (context.recovering === true) {
      this.#note(message as LedgerEntry, true);
      return state;
    }
    if (!('type' in message)) throw new TypeError('the ledger was sent an entry');
    if (message.type === 'opened') {
      dispatch(context.sender, { opened: true });
      return state;
    }
    const entry: LedgerEntry = { number: this.#number + 1, at: this.#clock.wall(), ...message.draft };
    try {
      await context.persist(entry, [entry.kind]);
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      dispatch(context.sender, { refused: `the operator's ledger cannot be written: ${error.message}` });
      return state;
    }
    this.#note(entry, false);
    dispatch(context.sender, { entry });
    return state;
  }

  #note(entry: LedgerEntry, recovered: boolean): void {
    // Read again by an actor that was started again.
    if (entry.number <= this.#number) return;
    this.#number = entry.number;
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * ENTRIES_MAX) this.#entries = this.#entries.slice(-ENTRIES_MAX);
    for (const { kind, subscriber } of this.#subscribers) {
      if (kind === entry.kind) subscriber(entry, recovered);
    }
  }
}

function inWords(reason: ExitReason): string {
  return `the operator's ledger is not there: ${formatReason(reason)}`;
}
