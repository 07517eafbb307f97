import {
  AUTOMATIC,
  type CodeEvent,
  type CodeNode,
  CodeServer,
  type CodeState,
  type CodeText,
  type ModuleReport,
  type ModuleState,
  type Prepared,
  type ReleaseRecord,
} from '../hot-code/index.js';
import type { Clock } from '../structures/clock.js';
import { programHash } from './chat-code.js';
import { type CodeNote, CodeStore, noteOf } from './code-store.js';
import type { Log } from './log.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';

/** Compiling and trying takes longer than a word about how one is. */
const PREPARE_MS = 10_000;
/** How the modules of the chat stood behind a release. */
interface NotedState {
  readonly module: string;
  readonly current: CodeNote | null;
  readonly previous?: CodeNote | null;
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
  entries(kind: 'release'): readonly {
    readonly author: string;
    readonly message: string;
    readonly at: number;
    readonly data: unknown;
  }[];
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
 * the log. A canary does not survive a restart.
 */
export class CodeControl {
  readonly word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly server: CodeServer;
  readonly #parts: CodeControlParts;
  readonly #store: CodeStore;
  readonly #nodes = new Map<string, CodeNode>();

  constructor(parts: CodeControlParts) {
    this.#parts = parts;
    this.#store = new CodeStore(parts.dataFolder);
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
    const state = this.server.state();
    if (state.number === 0) return;
    try {
      await this.#running()
        .find((node) => node.name === name)
        ?.restore(state);
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
  recover(): void {
    const { log } = this.#parts;
    const latest = this.history().at(-1);
    if (latest === undefined) return;
    const { record, modules } = latest.data as ReleaseData;
    const states: ModuleState[] = [];
    for (const noted of modules) {
      const { module } = noted;
      const state = this.#recovered(noted);
      if (state !== null) states.push(state);
      if (state !== null && state.current !== null) {
        const { number, hash } = state.current;
        log.info(
          { module, version: number, hash },
          `${module} runs version ${number}, as loaded by ${latest.author} (${record.message || 'no message'})`,
        );
      }
    }
    const replaced = states.filter(({ previous }) => previous !== undefined).map(({ module }) => module);
    this.server.restore(states, record.number, replaced);
    this.#keepFiles(states);
  }

  close(): void {
    this.server.close();
  }

  /** null: it is run as the program has it. */
  #recovered({ module, current, previous, program }: NotedState): ModuleState | null {
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
    try {
      const read = (note: CodeNote | null) => (note === null ? null : this.#store.read(note));
      return {
        module,
        current: read(current),
        ...(previous === undefined ? {} : { previous: read(previous) }),
      };
    } catch (error) {
      log.error(
        { module, err: error },
        `${module} runs as the program has it: what was loaded cannot be read`,
      );
      return null;
    }
  }

  async #write(
    record: ReleaseRecord,
    texts: readonly CodeText[],
    states: readonly ModuleState[],
  ): Promise<void> {
    this.#store.save(texts);
    const modules = states.map(({ module, current, previous }): NotedState => {
      return {
        module,
        current: current === null ? null : noteOf(current),
        ...(previous === undefined ? {} : { previous: previous === null ? null : noteOf(previous) }),
        program: programHash(module),
      };
    });
    await this.#parts.ledger.append({
      kind: 'release',
      author: record.author,
      address: '',
      message: record.message,
      data: { record, modules } satisfies ReleaseData,
    });
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
      prepare: (operation) => questions.ask<Prepared>(thread, 'code-prepare', operation, PREPARE_MS),
      abort: (number) => void questions.ask(thread, 'code-abort', number).catch(() => {}),
      restore: (state) => questions.ask<true>(thread, 'code-restore', state, PREPARE_MS),
      report: () => questions.ask<ModuleReport[]>(thread, 'code-report'),
      purge: (module, kill) => questions.ask<number>(thread, 'code-purge', { module, kill }),
    };
  }
}
