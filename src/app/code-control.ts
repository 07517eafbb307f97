import {
  AUTOMATIC,
  type CodeEvent,
  type CodeNode,
  CodeServer,
  type CodeState,
  type CodeText,
  type Holders,
  JUDGE_RULES,
  type ModuleReport,
  type ModuleState,
  type ModuleTable,
  type Prepared,
  type ReleaseRecord,
} from '../hot-code/index.js';
import type { Clock } from '../structures/clock.js';
import { programHash, trialTable } from './chat-code.js';
import { type CodeNote, CodeStore, noteOf } from './code-store.js';
import type { Log } from './log.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';

/** Compiling and trying takes longer than a word about how one is. */
const PREPARE_MS = 10_000;
/** A way back has nothing to compile, and does not wait for a thread that hangs in the code that it is to leave. */
const BACK_MS = 1000;
/** How the modules of the chat stood behind a release. */
interface NotedState {
  readonly module: string;
  readonly current: CodeNote | null;
  readonly previous?: CodeNote | null;
  readonly canary?: CodeNote;
  readonly extra?: unknown;
  /** Hash of the program's own code of this module. */
  readonly program: string;
}

/** What the ledger has of a release. */
export interface ReleaseData {
  readonly record: ReleaseRecord;
  /** All modules that are not as the program brought them, or have an older version. */
  readonly modules: readonly NotedState[];
}

/** The part of the operator's ledger that is needed here. */
export interface ReleaseLedger {
  /** On disk when it resolves. */
  append(draft: {
    readonly kind: 'release';
    readonly author: string;
    readonly address: string;
    readonly message: string;
    readonly data: ReleaseData;
  }): Promise<unknown>;
  entries(kind: 'release'): readonly LedgerRelease[];
  /** Hears of each entry as soon as it is on disk, be it later than its author was ready to wait for. */
  subscribe(kind: 'release', subscriber: (entry: LedgerRelease) => void): void;
}

interface LedgerRelease {
  readonly author: string;
  readonly message: string;
  readonly at: number;
  readonly data: unknown;
}

export interface CodeControlParts {
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly questions: ThreadQuestions;
  readonly ledger: ReleaseLedger;
  /** New code is about to become effective. */
  readonly onLoad: () => void;
  /** The schedulers, with a name for each incarnation. */
  readonly threads: () => readonly { readonly name: string; readonly thread: AskedThread }[];
}

/**
 * The code server of the chat: its threads are the schedulers, its history stands in the operator's ledger, and its texts in
 * the data folder.
 *
 * **After a restart** the server runs what was loaded last, as long as it is the same program: a module whose code in the program
 * has changed since (a new version was installed) is run as the program has it, and what was loaded is set aside, with a line in
 * the log; so is a text that cannot be read or does not run any more. A canary is off: the version beside it runs for everybody, which
 * the log says and the history has. A release that was on probation is so again.
 */
export class CodeControl {
  readonly word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly server: CodeServer;
  readonly #parts: CodeControlParts;
  readonly #store: CodeStore;
  readonly #nodes = new Map<string, CodeNode>();
  /** What recovered texts are tried in. */
  #trial: ModuleTable | null = null;
  /** Releases that were refused because they were not on disk in time. They may get there all the same. */
  readonly #overdue = new Set<number>();

  constructor(parts: CodeControlParts) {
    this.#parts = parts;
    this.#store = new CodeStore(parts.dataFolder);
    parts.ledger.subscribe('release', ({ data }) => {
      const { number } = (data as ReleaseData).record;
      if (this.#overdue.delete(number)) this.#disown(number);
    });
    this.server = new CodeServer({
      clock: parts.clock,
      word: this.word,
      nodes: () => this.#running(),
      record: (record, texts, state) => this.#write(record, texts, state),
      onAutomatic: (record) => this.#tell(record),
      onFailure: (error) =>
        this.#parts.log.error({ err: error }, 'code that is worse than before could not be taken back'),
    });
  }

  /** What a scheduler that starts now runs. */
  state(): CodeState {
    return this.server.state();
  }

  history(): ReturnType<ReleaseLedger['entries']> {
    return this.#parts.ledger.entries('release');
  }

  report(): Promise<ModuleReport[]> {
    return this.server.report();
  }

  /** A scheduler serves that was started while the others may have gone on: it is brought to where they are. */
  async joined(name: string): Promise<void> {
    try {
      const node = this.#running().find((node) => node.name === name);
      if (node !== undefined) await this.server.joined(node);
    } catch (error) {
      this.#parts.log.error({ thread: name, err: error }, 'it does not run the code that the others run');
    }
  }

  /** A thread has something to tell of its code. */
  told(thread: string, event: CodeEvent): void {
    const { log } = this.#parts;
    if (event.type === 'code_failed') {
      log.error({ thread, stack: event.error }, `${event.module} (version ${event.version}) threw`);
    } else if (event.type === 'code_change_failed') {
      const { label, pid, from, to, module } = event;
      log.error(
        { thread, stack: event.error },
        `${label} ${pid} stays with version ${from} of ${module}: version ${to} could not take over`,
      );
    }
    this.server.told(event);
  }

  /** Reads the history, before any scheduler starts. */
  async recover(): Promise<void> {
    const { log } = this.#parts;
    const history = this.history().map(({ author, data }) => ({ author, ...(data as ReleaseData) }));
    const latest = history.at(-1);
    if (latest === undefined) return;
    const states: ModuleState[] = [];
    for (const noted of latest.modules) {
      const state = await this.#recovered(noted);
      if (state === null) continue;
      states.push(state);
      if (state.current === null) continue;
      const { module, number, hash } = state.current;
      const loaded = history.find(({ record }) => record.number === number);
      const by =
        loaded === undefined
          ? ''
          : `, as loaded by ${loaded.author} (${loaded.record.message || 'no message'})`;
      log.info({ module, version: number, hash }, `${module} runs version ${number}${by}`);
    }
    this.server.restore({
      modules: states,
      number: Math.max(...history.map(({ record }) => record.number)),
      standings: new Map(
        history.map(({ record, modules }) => [
          record.number,
          new Map(modules.map(({ module, current }) => [module, current?.number ?? 0])),
        ]),
      ),
      probation: this.#probationAgain(latest.record, states),
    });
    this.#keepFiles(states);
    await this.#canariesOff(latest.modules);
  }

  close(): void {
    this.server.close();
  }

  /** A canary does not survive a restart: the share of its users would be others. */
  async #canariesOff(modules: readonly NotedState[]): Promise<void> {
    const off = modules.filter(({ canary }) => canary !== undefined);
    if (off.length === 0) return;
    const words = off.map(({ module, canary, current }) => {
      const runs = current === null ? 'the version of the program' : `version ${current.number}`;
      return `${module} runs ${runs}, not the canary ${canary!.number}`;
    });
    const message = `the server was restarted: ${words.join(', ')}`;
    this.#parts.log.warn({ modules: off.map(({ module }) => module) }, message);
    try {
      await this.server.restate(
        AUTOMATIC,
        message,
        off.map(({ module }) => module),
      );
    } catch (error) {
      this.#parts.log.error({ err: error }, 'that a canary is off could not be written down');
    }
  }

  /** A release that may have ended the server within its first minute is not trusted because the server has ended. */
  #probationAgain({ kind, number, at, modules, automatic }: ReleaseRecord, states: readonly ModuleState[]) {
    const isYoung = this.#parts.clock.wall() - at < JUDGE_RULES.ageMs;
    if (kind !== 'load' || automatic === false || !isYoung) return null;
    const kept = modules.filter(({ module }) =>
      states.some((state) => state.module === module && state.current?.number === number),
    );
    return kept.length === 0 ? null : { number, modules: kept.map(({ module }) => module) };
  }

  /** null: it is run as the program has it. */
  async #recovered({ module, current, previous, extra, program }: NotedState): Promise<ModuleState | null> {
    const { log } = this.#parts;
    let now: string;
    try {
      now = programHash(module);
    } catch {
      log.warn(
        { module },
        `${module} is not a module of this program any more: what was loaded is set aside`,
      );
      return null;
    }
    if (now !== program) {
      log.warn(
        { module, version: current?.number ?? 0 },
        `${module} has changed in the program itself: it runs that, and what was loaded is set aside`,
      );
      return null;
    }
    const kept = extra === undefined ? {} : { extra };
    const code = current === null ? null : await this.#usable(current);
    if (code instanceof Error) {
      log.error({ module, err: code }, `${module} runs as the program has it: what was loaded cannot be run`);
      return null;
    }
    if (previous === undefined) return { module, current: code, ...kept };
    const before = previous === null ? null : await this.#usable(previous);
    if (!(before instanceof Error)) return { module, current: code, previous: before, ...kept };
    log.error({ module, err: before }, `version ${previous!.number} of ${module} cannot be gone back to`);
    return { module, current: code, ...kept };
  }

  /** A text from the disk that runs with this program: a scheduler that could not restore it would not start. */
  async #usable(note: CodeNote): Promise<CodeText | Error> {
    try {
      const code = this.#store.read(note);
      this.#trial ??= trialTable(this.#parts.clock);
      await this.#trial.restore({ number: 0, modules: [{ module: note.module, current: code }] });
      return code;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** It is in the history, and not in force. */
  #disown(number: number): void {
    const message = `release ${number} was refused, and written down all the same: it is not in force`;
    this.#parts.log.warn({ release: number }, message);
    this.server.restate(AUTOMATIC, message).catch((error: unknown) => {
      this.#parts.log.error({ err: error }, `release ${number} would be in force after a restart`);
    });
  }

  async #write(
    record: ReleaseRecord,
    texts: readonly CodeText[],
    states: readonly ModuleState[],
  ): Promise<void> {
    this.#store.save(texts);
    const modules = states.map(({ module, current, previous, canary, extra }): NotedState => {
      return {
        module,
        current: current === null ? null : noteOf(current),
        ...(previous === undefined ? {} : { previous: previous === null ? null : noteOf(previous) }),
        ...(canary === undefined ? {} : { canary: noteOf(canary) }),
        ...(extra === undefined ? {} : { extra }),
        program: programHash(module),
      };
    });
    try {
      await this.#parts.ledger.append({
        kind: 'release',
        author: record.author,
        address: '',
        message: record.message,
        data: { record, modules } satisfies ReleaseData,
      });
    } catch (error) {
      if ((error as { readonly pending?: unknown }).pending === true) this.#overdue.add(record.number);
      throw error;
    }
    this.#keepFiles(states);
    if (texts.length > 0) this.#parts.onLoad();
  }

  #keepFiles(states: readonly ModuleState[]): void {
    const codes = states.flatMap(({ current, previous, canary }) => [
      current,
      previous ?? null,
      canary ?? null,
    ]);
    this.#store.keep(new Set(codes.flatMap((code) => (code === null ? [] : [code.hash]))));
  }

  #tell(record: ReleaseRecord): void {
    const { kind, number, message, evidence, modules } = record;
    const names = modules.map(({ module }) => module).join(', ');
    const fields = { release: number, modules: names, evidence };
    const text = `${AUTOMATIC} did a ${kind} of ${names} by itself: ${message}: ${evidence}`;
    if (kind === 'promote') this.#parts.log.info(fields, text);
    else this.#parts.log.error(fields, text);
  }

  // ---- threads -------------------------------------------------------------------------------------------------

  /** The same object for the same incarnation of a scheduler, as long as it runs. */
  #running(): CodeNode[] {
    const running = this.#parts.threads().filter(({ thread }) => thread.running);
    const names = new Set(running.map(({ name }) => name));
    for (const name of this.#nodes.keys()) if (!names.has(name)) this.#nodes.delete(name);
    return running.map(({ name, thread }) => {
      const known = this.#nodes.get(name) ?? this.#node(name, thread);
      this.#nodes.set(name, known);
      return known;
    });
  }

  #node(name: string, thread: AskedThread): CodeNode {
    const { questions } = this.#parts;
    return {
      name,
      prepare: (operation) => {
        const isBack = operation.changes.every(({ type }) => type === 'rollback' || type === 'withdraw');
        return questions.ask<Prepared>(thread, 'code-prepare', operation, isBack ? BACK_MS : PREPARE_MS);
      },
      abort: (number) => void questions.ask(thread, 'code-abort', number).catch(() => {}),
      restore: (state) => questions.ask<true>(thread, 'code-restore', state, PREPARE_MS),
      report: () => questions.ask<ModuleReport[]>(thread, 'code-report'),
      holders: (module) => questions.ask<Holders>(thread, 'code-holders', module, PREPARE_MS),
    };
  }
}
