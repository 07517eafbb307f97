import type { Clock } from '../structures/clock.js';
import { JUDGE_RULES, type JudgeRules, judge, type Verdict } from './judge.js';
import type { CodeEvent, ModuleReport } from './module-table.js';
import { sumOf, type VersionFigures } from './module-version.js';
import {
  type Change,
  type CodeState,
  type CodeText,
  type ModuleState,
  moduleOf,
  type Operation,
  type Prepared,
} from './operation.js';

/** A thread with a module table, as the code server sees it. null: it does not answer. */
export interface CodeNode {
  readonly name: string;
  prepare(operation: Operation): Promise<Prepared | null>;
  abort(number: number): void;
  restore(state: CodeState): Promise<true | null>;
  report(): Promise<readonly ModuleReport[] | null>;
  purge(module: string, kill: boolean): Promise<number | null>;
}

/** One line of the history. */
export interface ReleaseRecord {
  readonly number: number;
  readonly kind: 'load' | 'canary' | 'promote' | 'withdraw' | 'share' | 'rollback' | 'purge';
  readonly modules: readonly { readonly module: string; readonly version: number; readonly hash: string }[];
  readonly author: string;
  readonly message: string;
  /** Wall-clock ms. */
  readonly at: number;
  /** Of a rollback or withdrawal by itself: why. */
  readonly evidence?: string;
}

/** A text that is to become a version: what bundle.ts makes of a file. */
export type NewCode = Omit<CodeText, 'number' | 'loadedAt'> & {
  /** See `Change`. Default false. */
  readonly suspend?: boolean;
};

export interface LoadOptions {
  readonly author: string;
  readonly message: string;
  /** Share of keys from 0 to 1; without it all. */
  readonly canary?: number;
  /** A canary that has proved good becomes the current version by itself. */
  readonly promote?: boolean;
  /** Whether a version that is worse goes by itself. Default true. */
  readonly automatic?: boolean;
  readonly extra?: unknown;
}

export interface Release {
  readonly record: ReleaseRecord;
  /** From the request until all threads had it ready, and until it was effective in all of them, in ms. */
  readonly preparedMs: number;
  readonly effectiveMs: number;
  /** States that the dry run has changed copies of, and those that could not be copied. */
  readonly tried: number;
  readonly notTried: number;
}

/** A release that was not made. Nothing has changed anywhere. */
export class ReleaseRefused extends Error {
  override readonly name = 'ReleaseRefused';
}

export interface CodeServerOptions {
  readonly clock: Clock;
  /** See `ModuleTableOptions.word`. */
  readonly word: Int32Array;
  nodes(): readonly CodeNode[];
  /** Writes the history: awaited before anything becomes effective. Its failure refuses the release. */
  record(
    record: ReleaseRecord,
    texts: readonly CodeText[],
    /** How all modules will stand that are not as they were at first. */
    modules: readonly ModuleState[],
  ): Promise<void>;
  /** Something happened by itself. */
  readonly onAutomatic: (record: ReleaseRecord) => void;
  /** Something should have happened by itself, and could not. */
  readonly onFailure: (error: unknown) => void;
  readonly rules?: JudgeRules;
}

/** How often a version on probation is looked at. */
const LOOK_MS = 250;

interface Probation {
  readonly number: number;
  readonly modules: readonly string[];
  readonly isCanary: boolean;
  readonly promote: boolean;
  readonly startedAt: number;
  /** Of the current versions when a canary began: only what came since is compared. */
  readonly before: ReadonlyMap<string, VersionFigures>;
}

/**
 * Changes modules in all threads together. One operation at a time; each is prepared everywhere, then written down, then made
 * effective by one store, then confirmed.
 */
export class CodeServer {
  readonly #clock: Clock;
  readonly #word: Int32Array;
  readonly #options: CodeServerOptions;
  readonly #modules = new Map<string, ModuleState>();
  readonly #rules: JudgeRules;
  #number: number;
  #busy: Promise<unknown> = Promise.resolve();
  /** The modules of the latest release that took the place of others. */
  #latest: readonly string[] = [];
  #probation: Probation | null = null;
  #timer: unknown = null;
  #isLooking = false;
  #isFailing = false;

  constructor(options: CodeServerOptions) {
    this.#clock = options.clock;
    this.#word = options.word;
    this.#options = options;
    this.#rules = options.rules ?? JUDGE_RULES;
    this.#number = Atomics.load(this.#word, 0);
  }

  /** What a thread that starts now has to restore. */
  state(): CodeState {
    return { number: this.#number, modules: [...this.#modules.values()] };
  }

  /** After a restart, before any thread runs: what was loaded then, and the modules that a rollback without names is for. */
  restore(modules: readonly ModuleState[], number: number, latest: readonly string[] = []): void {
    for (const state of modules) this.#modules.set(state.module, state);
    this.#latest = latest;
    this.#number = number;
    Atomics.store(this.#word, 0, number);
  }

  /** The version that is on probation now, and for how long. */
  get probation(): { readonly number: number; readonly ageMs: number } | null {
    const probation = this.#probation;
    return probation === null
      ? null
      : { number: probation.number, ageMs: this.#clock.now() - probation.startedAt };
  }

  /** The figures of all threads together. */
  async report(): Promise<ModuleReport[]> {
    const reports = await Promise.all(this.#options.nodes().map((node) => node.report()));
    return sumReports(reports.filter((report) => report !== null));
  }

  /** Whether it could be loaded: the first phase alone. */
  check(codes: readonly NewCode[]): Promise<Prepared> {
    return this.#exclusively(async () => {
      const number = this.#number + 1;
      const operation = { number, changes: this.#loads(codes, number, null, undefined) };
      const prepared = await this.#prepare(operation);
      this.#abort(number);
      return prepared;
    });
  }

  /** @throws ReleaseRefused */
  load(codes: readonly NewCode[], options: LoadOptions): Promise<Release> {
    const { author, message, canary = null, promote = false, automatic = true, extra } = options;
    return this.#exclusively(async () => {
      if (codes.length === 0) throw new ReleaseRefused('a release has at least one module');
      const number = this.#number + 1;
      const before = canary === null ? new Map() : figuresOf(await this.report());
      const release = await this.#perform(
        this.#loads(codes, number, canary, extra),
        canary === null ? 'load' : 'canary',
        author,
        message,
      );
      if (automatic) {
        const modules = codes.map(({ module }) => module);
        this.#watch({
          number,
          modules,
          isCanary: canary !== null,
          promote,
          startedAt: this.#clock.now(),
          before,
        });
      }
      return release;
    });
  }

  /** Canaries become current versions. @throws ReleaseRefused */
  promote(author: string, message: string): Promise<Release> {
    return this.#exclusively(() => this.#ofCanaries('promote', author, message));
  }

  /** Canaries are given up. @throws ReleaseRefused */
  withdraw(author: string, message: string): Promise<Release> {
    return this.#exclusively(() => this.#ofCanaries('withdraw', author, message));
  }

  /**
   * The modules of the latest release, or these, go back to their previous versions.
   *
   * @throws ReleaseRefused
   */
  rollback(author: string, message: string, modules: readonly string[] | null = null): Promise<Release> {
    return this.#exclusively(() => this.#rollback(modules, author, message));
  }

  /** Lets go of previous versions. Returns who still runs them: then they stay. */
  purge(
    modules: readonly string[],
    kill: boolean,
  ): Promise<readonly { readonly module: string; readonly users: number }[]> {
    return this.#exclusively(async () => {
      const left: { module: string; users: number }[] = [];
      for (const module of modules) {
        const answers = await Promise.all(this.#options.nodes().map((node) => node.purge(module, kill)));
        const users = answers.reduce<number>((sum, answer) => sum + (answer ?? 0), 0);
        if (users > 0) left.push({ module, users });
        else {
          const { previous: _, ...state } = this.#stateOf(module);
          this.#modules.set(module, state);
        }
      }
      return left;
    });
  }

  /** An event of a thread's table: what fails on probation is looked at now. */
  told(event: CodeEvent): void {
    if (event.type === 'code_changed' || this.#probation === null) return;
    void this.#look();
  }

  close(): void {
    this.#probation = null;
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }

  // ---- operations ----------------------------------------------------------------------------------------------

  #loads(codes: readonly NewCode[], number: number, canary: number | null, extra: unknown): Change[] {
    const loadedAt = this.#clock.wall();
    return codes.map(({ suspend = false, ...code }) => ({
      type: 'load',
      code: { ...code, number, loadedAt },
      canary,
      suspend,
      extra,
    }));
  }

  async #ofCanaries(type: 'promote' | 'withdraw', author: string, message: string): Promise<Release> {
    const modules = [...this.#modules.values()].filter(({ canary }) => canary !== undefined);
    if (modules.length === 0) throw new ReleaseRefused('there is no canary');
    const changes = modules.map(({ module }) => ({ type, module }) as const);
    const release = await this.#perform(changes, type, author, message);
    this.#endProbation();
    return release;
  }

  async #rollback(
    modules: readonly string[] | null,
    author: string,
    message: string,
    evidence?: string,
  ): Promise<Release> {
    const chosen = modules ?? this.#latest;
    if (chosen.length === 0) throw new ReleaseRefused('nothing was loaded that could be rolled back');
    const changes = chosen.map((module) => ({ type: 'rollback', module }) as const);
    const release = await this.#perform(changes, 'rollback', author, message, evidence);
    this.#endProbation();
    return release;
  }

  async #perform(
    changes: readonly Change[],
    kind: ReleaseRecord['kind'],
    author: string,
    message: string,
    evidence?: string,
  ): Promise<Release> {
    const started = this.#clock.now();
    const number = this.#number + 1;
    const nodes = this.#options.nodes();
    const { tried, notTried } = await this.#prepare({ number, changes });
    const preparedMs = this.#clock.now() - started;
    const after = changes.map((change) => stateAfter(this.#stateOf(moduleOf(change)), change));
    const record: ReleaseRecord = {
      number,
      kind,
      modules: after.map(({ module, current, canary }) => {
        const code = kind === 'canary' ? canary : current;
        return { module, version: code?.number ?? 0, hash: code?.hash ?? '' };
      }),
      author,
      message,
      at: this.#clock.wall(),
      ...(evidence === undefined ? {} : { evidence }),
    };
    try {
      const texts = changes.flatMap((change) => (change.type === 'load' ? [change.code] : []));
      const modules = new Map(this.#modules);
      for (const state of after) modules.set(state.module, state);
      await this.#options.record(record, texts, [...modules.values()]);
    } catch (error) {
      this.#abort(number);
      throw new ReleaseRefused(`it could not be written down: ${(error as Error).message}`);
    }
    for (const state of after) this.#modules.set(state.module, state);
    if (kind === 'load' || kind === 'promote' || kind === 'rollback') this.#latest = changes.map(moduleOf);
    this.#number = number;
    const committed = this.#clock.now();
    Atomics.store(this.#word, 0, number);
    await this.#confirm(nodes);
    return { record, preparedMs, effectiveMs: this.#clock.now() - committed, tried, notTried };
  }

  /** A report makes a thread look. One that came meanwhile has not prepared anything: it is given the whole. */
  async #confirm(nodes: readonly CodeNode[]): Promise<void> {
    const now = this.#options.nodes();
    const known = new Set(nodes);
    await Promise.all(now.map((node) => (known.has(node) ? node.report() : node.restore(this.state()))));
  }

  async #prepare(operation: Operation): Promise<Prepared> {
    const nodes = this.#options.nodes();
    const answers = await Promise.all(nodes.map((node) => node.prepare(operation)));
    let tried = 0;
    let notTried = 0;
    for (const [index, answer] of answers.entries()) {
      const { name } = nodes[index]!;
      if (answer === null || answer.failure !== null) {
        this.#abort(operation.number);
        if (answer === null) throw new ReleaseRefused(`${name} does not answer`);
        const { module, step, message } = answer.failure!;
        throw new ReleaseRefused(`${module} on ${name}, ${STEPS[step]}: ${message}`);
      }
      tried += answer.tried;
      notTried += answer.notTried;
    }
    return { tried, notTried, failure: null };
  }

  #abort(number: number): void {
    for (const node of this.#options.nodes()) node.abort(number);
  }

  #stateOf(module: string): ModuleState {
    return this.#modules.get(module) ?? { module, current: null };
  }

  #exclusively<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#busy.then(body, body);
    this.#busy = mine.catch(() => {});
    return mine;
  }

  // ---- probation -----------------------------------------------------------------------------------------------

  #watch(probation: Probation): void {
    this.#probation = probation;
    this.#isFailing = false;
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#timer !== null) return;
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = null;
      void this.#look();
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    const probation = this.#probation;
    if (probation === null || this.#isLooking) return;
    this.#isLooking = true;
    try {
      const reports = await this.report();
      if (this.#probation !== probation) return;
      const ageMs = this.#clock.now() - probation.startedAt;
      const verdicts = reports
        .filter(({ module }) => probation.modules.includes(module))
        .map((report) => ({ module: report.module, ...this.#verdictOn(report, probation, ageMs) }));
      const worse = verdicts.find(({ verdict }) => verdict === 'worse');
      if (worse !== undefined) await this.#goBack(probation, `${worse.module}: ${worse.evidence}`);
      else if (ageMs >= this.#rules.ageMs) await this.#passed(probation, verdicts);
    } catch (error) {
      // It is tried again at the next look, and told once.
      if (!this.#isFailing) this.#options.onFailure(error);
      this.#isFailing = true;
    } finally {
      this.#isLooking = false;
      if (this.#probation !== null) this.#lookLater();
    }
  }

  #verdictOn(report: ModuleReport, probation: Probation, ageMs: number): Verdict {
    const { canary, current, previous } = report;
    const version = probation.isCanary ? canary : current;
    const other = probation.isCanary ? current : previous;
    if (version === null || version.number !== probation.number || other === null)
      return { verdict: 'undecided', evidence: '' };
    const before = probation.before.get(report.module);
    const compared = before?.number === other.number ? since(before, other) : other;
    return judge(compared, version, ageMs, this.#rules);
  }

  async #goBack(probation: Probation, evidence: string): Promise<void> {
    const { number, isCanary, modules } = probation;
    const message = `release ${number} was worse`;
    const { record } = await this.#exclusively(() =>
      isCanary
        ? this.#perform(
            modules.map((module) => ({ type: 'withdraw', module }) as const),
            'withdraw',
            AUTOMATIC,
            message,
            evidence,
          )
        : this.#rollback(modules, AUTOMATIC, message, evidence),
    );
    this.#endProbation();
    this.#options.onAutomatic(record);
  }

  async #passed(probation: Probation, verdicts: readonly Verdict[]): Promise<void> {
    if (!probation.isCanary) {
      this.#endProbation();
      return;
    }
    // A canary stays on probation until somebody decides, or it has proved good.
    if (!probation.promote || !verdicts.every(({ verdict }) => verdict === 'good')) return;
    this.#endProbation();
    const evidence = verdicts.map((verdict) => verdict.evidence).join('; ');
    const { record } = await this.#exclusively(() =>
      this.#perform(
        probation.modules.map((module) => ({ type: 'promote', module }) as const),
        'promote',
        AUTOMATIC,
        `the canary ${probation.number} has proved good`,
        evidence,
      ),
    );
    this.#options.onAutomatic(record);
  }

  #endProbation(): void {
    this.close();
  }
}

/** The author of what happens by itself. */
export const AUTOMATIC = 'rookery';

const STEPS = {
  compile: 'compiling it',
  run: 'running it',
  contract: 'its exports',
  state: 'a dry run of its codeChange',
  table: 'the table',
} as const;

function stateAfter(state: ModuleState, change: Change): ModuleState {
  const { module, current, previous, canary, canaryShare } = state;
  switch (change.type) {
    case 'load':
      if (change.canary === null) return { module, current: change.code, previous: current };
      return { ...state, canary: change.code, canaryShare: change.canary };
    case 'promote':
      return { module, current: canary!, previous: current };
    case 'withdraw':
      return { module, current, ...(previous === undefined ? {} : { previous }) };
    case 'share':
      return { ...state, canaryShare: change.canary };
    case 'rollback':
      return {
        module,
        current: previous ?? null,
        previous: current,
        ...(canary === undefined ? {} : { canary, canaryShare: canaryShare ?? 0 }),
      };
  }
}

function figuresOf(reports: readonly ModuleReport[]): Map<string, VersionFigures> {
  return new Map(reports.map(({ module, current }) => [module, current]));
}

/** What has been counted since. */
function since(before: VersionFigures, now: VersionFigures): VersionFigures {
  return {
    ...now,
    calls: now.calls - before.calls,
    failures: now.failures - before.failures,
    timedCalls: now.timedCalls - before.timedCalls,
    timedMs: now.timedMs - before.timedMs,
    longSchedules: now.longSchedules - before.longSchedules,
  };
}

function sumReports(reports: readonly (readonly ModuleReport[])[]): ModuleReport[] {
  const byModule = new Map<string, ModuleReport[]>();
  for (const report of reports.flat()) {
    const all = byModule.get(report.module) ?? [];
    all.push(report);
    byModule.set(report.module, all);
  }
  return [...byModule.values()].map((all) => ({
    module: all[0]!.module,
    canaryShare: all[0]!.canaryShare,
    current: sumOf(all.map(({ current }) => current))!,
    previous: sumOf(all.flatMap(({ previous }) => previous ?? [])),
    canary: sumOf(all.flatMap(({ canary }) => canary ?? [])),
  }));
}
