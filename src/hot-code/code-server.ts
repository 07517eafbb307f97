import type { Clock } from '../structures/clock.js';
import { abortAll, type PreparedByAll, prepareAll } from './all-nodes.js';
import { JUDGE_RULES, type JudgeRules } from './judge.js';
import type { CodeEvent, ModuleReport } from './module-table.js';
import {
  type Change,
  type CodeState,
  type CodeText,
  type Holders,
  type ModuleState,
  moduleOf,
  type Operation,
  type Prepared,
} from './operation.js';
import { type Probation, Probations } from './probations.js';
import {
  AUTOMATIC,
  type CodeNode,
  type Held,
  type LoadOptions,
  type NewCode,
  type Purge,
  type Release,
  type ReleaseRecord,
  ReleaseRefused,
} from './release.js';
import { figuresOf, sumReports } from './reports.js';
import {
  newestRelease,
  numberOf,
  recorded,
  refuseForward,
  type Standing,
  standingOf,
  stateAfter,
  wayTo,
} from './standing.js';

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

/** What a code server begins with after a restart. */
export interface Restored {
  readonly modules: readonly ModuleState[];
  /** Of the last operation. */
  readonly number: number;
  /** How all stood behind earlier releases, by their numbers. */
  readonly standings?: ReadonlyMap<number, Standing>;
  /** The release was on probation when the program ended: it is so again. */
  readonly probation?: { readonly number: number; readonly modules: readonly string[] } | null;
}

/** Operations that wait for the one that is under way. */
const WAITING_MAX = 16;
/** Releases that can be gone back to by number, as far as their versions are kept. */
const STANDINGS_MAX = 1000;

interface Words {
  readonly author: string;
  readonly message: string;
  readonly evidence?: string;
  readonly automatic?: false;
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
  readonly #standings = new Map<number, Standing>();
  readonly #probations: Probations;
  /** Of the last operation that is effective, and the last one that was begun to be written down. */
  #number: number;
  #written: number;
  #busy: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: CodeServerOptions) {
    this.#clock = options.clock;
    this.#word = options.word;
    this.#options = options;
    this.#number = Atomics.load(this.#word, 0);
    this.#written = this.#number;
    this.#standings.set(this.#number, new Map());
    this.#probations = new Probations({
      clock: options.clock,
      rules: options.rules ?? JUDGE_RULES,
      report: () => this.report(),
      goBack: (probation, evidence) => this.#goBack(probation, evidence),
      promote: (probation, evidence) => this.#promoteByItself(probation, evidence),
      onFailure: options.onFailure,
    });
  }

  /** What a thread that starts now has to restore. */
  state(): CodeState {
    return { number: this.#number, modules: [...this.#modules.values()] };
  }

  /** After a restart, before any thread runs. */
  restore({ modules, number, standings = new Map(), probation = null }: Restored): void {
    for (const state of modules) this.#modules.set(state.module, state);
    for (const [release, standing] of standings) this.#standings.set(release, standing);
    this.#number = number;
    this.#written = number;
    this.#stands();
    Atomics.store(this.#word, 0, number);
    if (probation !== null)
      this.#probations.begin({ ...probation, isCanary: false, promote: false, before: new Map() });
  }

  /** The versions that are on probation now, and for how long. */
  get probations(): readonly { readonly number: number; readonly ageMs: number }[] {
    return this.#probations.all.map(({ number, ageMs }) => ({ number, ageMs }));
  }

  /** The figures of all threads together: of those that answer. */
  async report(): Promise<ModuleReport[]> {
    return (await this.survey()).modules;
  }

  /** The figures, and who did not answer. */
  async survey(): Promise<{ readonly modules: ModuleReport[]; readonly silent: readonly string[] }> {
    const nodes = this.#options.nodes();
    const reports = await Promise.all(nodes.map((node) => node.report()));
    return {
      modules: sumReports(reports.filter((report) => report !== null)),
      silent: nodes.filter((_, at) => reports[at] === null).map(({ name }) => name),
    };
  }

  /** Whether it could be loaded: the first phase alone. @throws ReleaseRefused */
  check(codes: readonly NewCode[]): Promise<Prepared> {
    return this.#exclusively(async () => {
      const number = this.#written + 1;
      const operation = { number, changes: this.#loads(codes, number, null, undefined) };
      const { tried, notTried } = await this.#prepare(operation, false);
      this.#abort(number);
      return { tried, notTried, failure: null };
    });
  }

  /** @throws ReleaseRefused */
  load(codes: readonly NewCode[], options: LoadOptions): Promise<Release> {
    const { author, message, canary = null, promote = false, automatic = true, extra } = options;
    return this.#exclusively(async () => {
      if (promote && (canary === null || !automatic))
        throw new ReleaseRefused('only a canary that is looked at can be promoted by itself');
      const number = this.#written + 1;
      const before = canary === null ? new Map() : figuresOf(await this.report());
      const changes = this.#loads(codes, number, canary, extra);
      const words: Words = { author, message, ...(automatic ? {} : { automatic }) };
      const release = await this.#perform(changes, canary === null ? 'load' : 'canary', words);
      const modules = changes.map(moduleOf);
      // What an earlier release would go back to is gone.
      if (canary === null) this.#endProbations(modules, false);
      if (automatic) this.#probations.begin({ number, modules, isCanary: canary !== null, promote, before });
      return release;
    });
  }

  /** Canaries become current versions. @throws ReleaseRefused */
  promote(author: string, message: string): Promise<Release> {
    return this.#exclusively(() => this.#promote(this.#canaries(), { author, message }));
  }

  /** Canaries are given up. @throws ReleaseRefused */
  withdraw(author: string, message: string): Promise<Release> {
    return this.#exclusively(() => this.#withdraw(this.#canaries(), { author, message }));
  }

  /**
   * Goes back, by previous versions: from the newest release that is in force; or these modules; or to how all stood behind a
   * release, by its number (0: as the program was started), which may lead forward again.
   *
   * @throws ReleaseRefused also if it has been rolled back already, or a version is not kept any more
   */
  rollback(
    author: string,
    message: string,
    target: readonly string[] | number | null = null,
  ): Promise<Release> {
    return this.#exclusively(() => this.#rollback(this.#wayBack(target), { author, message }));
  }

  /**
   * Lets go of previous versions that nobody runs, or, with `kill`, ends who runs them. A version that is still run stays, and one
   * to which a release on probation would go back.
   *
   * @throws ReleaseRefused
   */
  purge(
    author: string,
    message: string,
    modules: readonly string[] | null = null,
    kill = false,
  ): Promise<Purge> {
    return this.#exclusively(async () => {
      const old = [...this.#modules.values()].filter(({ previous }) => previous !== undefined);
      const chosen = modules === null ? old.map(({ module }) => module) : [...new Set(modules)];
      const held: Held[] = [];
      for (const module of chosen)
        held.push({ module, probation: this.#probationOf(module), ...(await this.#holders(module)) });
      const left = kill ? [] : held.filter(({ users, probation }) => users > 0 || probation !== null);
      const kept = new Set(left.map(({ module }) => module));
      const purged = chosen.filter((module) => !kept.has(module));
      const changes = purged.map((module) => ({ type: 'purge', module, kill }) as const);
      const ended = kill ? held.filter(({ users }) => users > 0) : [];
      const release =
        changes.length === 0 ? null : await this.#perform(changes, 'purge', { author, message });
      return { release, purged, left, ended };
    });
  }

  /** Writes down once more how these modules stand: something in the history is not, or no more, in force. */
  restate(author: string, message: string, modules: readonly string[] = []): Promise<Release> {
    const changes = modules.map((module) => ({ type: 'restate', module }) as const);
    return this.#exclusively(() => this.#perform(changes, 'withdraw', { author, message }));
  }

  /** A thread has come that the others did not wait for: it is brought to where they are. */
  async joined(node: CodeNode): Promise<void> {
    await this.#next(() => node.restore(this.state()));
  }

  /** An event of a thread's table: what fails on probation is looked at now. */
  told(event: CodeEvent): void {
    if (event.type !== 'code_changed') void this.#probations.look();
  }

  close(): void {
    this.#probations.close();
  }

  // ---- operations ----------------------------------------------------------------------------------------------

  #probationOf(module: string): number | null {
    const found = this.#probations.all.find(({ isCanary, modules }) => !isCanary && modules.includes(module));
    return found?.number ?? null;
  }

  #loads(codes: readonly NewCode[], number: number, canary: number | null, extra: unknown): Change[] {
    if (codes.length === 0) throw new ReleaseRefused('a release has at least one module');
    const twice = codes.find(({ module }, at) => codes.findIndex((one) => one.module === module) !== at);
    if (twice !== undefined) throw new ReleaseRefused(`${twice.module} stands twice in the release`);
    const loadedAt = this.#clock.wall();
    return codes.map(({ suspend = false, ...code }) => ({
      type: 'load',
      code: { ...code, number, loadedAt },
      canary,
      suspend,
      extra,
    }));
  }

  #canaries(): string[] {
    const states = [...this.#modules.values()].filter(({ canary }) => canary !== undefined);
    if (states.length === 0) throw new ReleaseRefused('there is no canary');
    return states.map(({ module }) => module);
  }

  async #promote(modules: readonly string[], words: Words): Promise<Release> {
    const changes = modules.map((module) => ({ type: 'promote', module }) as const);
    const release = await this.#perform(changes, 'promote', words);
    const before = this.#probations.all.filter(({ isCanary }) => isCanary);
    this.#endProbations(modules, true);
    this.#endProbations(modules, false);
    // What all have now is looked at as any release is.
    for (const { number, modules: those } of before)
      if (those.every((one) => modules.includes(one)))
        this.#probations.begin({
          number,
          modules: those,
          isCanary: false,
          promote: false,
          before: new Map(),
        });
    return release;
  }

  async #withdraw(modules: readonly string[], words: Words): Promise<Release> {
    const changes = modules.map((module) => ({ type: 'withdraw', module }) as const);
    const release = await this.#perform(changes, 'withdraw', words);
    this.#endProbations(modules, true);
    return release;
  }

  /** @throws ReleaseRefused */
  #wayBack(target: readonly string[] | number | null): readonly string[] {
    if (target === null) return newestRelease(this.#modules.values());
    if (typeof target === 'number') {
      const standing = this.#standings.get(target);
      if (standing === undefined) throw new ReleaseRefused(`there is no release ${target}`);
      return wayTo(target, standing, this.#modules.values());
    }
    const modules = [...new Set(target)];
    for (const module of modules) refuseForward(this.#stateOf(module));
    return modules;
  }

  async #rollback(modules: readonly string[], words: Words): Promise<Release> {
    const changes = modules.map((module) => ({ type: 'rollback', module }) as const);
    const release = await this.#perform(changes, 'rollback', words);
    this.#endProbations(modules, false);
    return release;
  }

  #endProbations(modules: readonly string[], ofCanaries: boolean): void {
    this.#probations.end(
      (one) => one.isCanary === ofCanaries && one.modules.some((module) => modules.includes(module)),
    );
  }

  async #holders(module: string): Promise<Holders> {
    const nodes = this.#options.nodes();
    const answers = await Promise.all(nodes.map((node) => node.holders(module)));
    const silent = answers.indexOf(null);
    if (silent >= 0) throw new ReleaseRefused(`${nodes[silent]!.name} does not answer`);
    const all = answers as readonly Holders[];
    return {
      users: all.reduce((sum, { users }) => sum + users, 0),
      processes: all.flatMap(({ processes }) => processes),
    };
  }

  async #perform(changes: readonly Change[], kind: ReleaseRecord['kind'], words: Words): Promise<Release> {
    const started = this.#clock.now();
    const number = this.#written + 1;
    const nodes = this.#options.nodes();
    const canWait = kind === 'rollback' || kind === 'withdraw';
    const { tried, notTried, late } = await this.#prepare({ number, changes }, canWait);
    const preparedMs = this.#clock.now() - started;
    const before = changes.map((change) => this.#stateOf(moduleOf(change)));
    const after = changes.map((change, at) => stateAfter(before[at]!, change));
    const record: ReleaseRecord = {
      number,
      kind,
      modules: after.map((state, at) => recorded(kind, before[at]!, state)),
      ...words,
      at: this.#clock.wall(),
    };
    // Whatever comes of that: its number may stand in the history.
    this.#written = number;
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
    this.#number = number;
    this.#stands();
    const committed = this.#clock.now();
    Atomics.store(this.#word, 0, number);
    // They have this behind what holds them up.
    for (const node of late) void node.restore(this.state()).catch(this.#options.onFailure);
    await this.#confirm(nodes, late);
    const effectiveMs = this.#clock.now() - committed;
    return { record, preparedMs, effectiveMs, tried, notTried, late: late.map(({ name }) => name) };
  }

  /** A report makes a thread look. One that came meanwhile has not prepared anything: it is given the whole. */
  async #confirm(prepared: readonly CodeNode[], late: readonly CodeNode[]): Promise<void> {
    const confirmed = this.#options
      .nodes()
      .filter((node) => !late.includes(node))
      .map((node) => (prepared.includes(node) ? node.report() : node.restore(this.state())));
    for (const result of await Promise.allSettled(confirmed))
      if (result.status === 'rejected') this.#options.onFailure(result.reason);
  }

  #prepare(operation: Operation, canWait: boolean): Promise<PreparedByAll> {
    return prepareAll(this.#options.nodes(), operation, canWait);
  }

  #abort(number: number): void {
    abortAll(this.#options.nodes(), number);
  }

  #stateOf(module: string): ModuleState {
    return this.#modules.get(module) ?? { module, current: null };
  }

  /** Notes how all stand now. */
  #stands(): void {
    this.#standings.set(this.#number, standingOf(this.#modules.values()));
    for (const number of this.#standings.keys()) {
      if (this.#standings.size <= STANDINGS_MAX) break;
      this.#standings.delete(number);
    }
  }

  #exclusively<T>(body: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX)
      return Promise.reject(new ReleaseRefused(`${this.#waiting} operations are under way already`));
    return this.#next(body);
  }

  #next<T>(body: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const mine = this.#busy.then(body);
    const over = () => void this.#waiting--;
    this.#busy = mine.then(over, over);
    return mine;
  }

  // ---- by itself -----------------------------------------------------------------------------------------------

  async #goBack({ number, isCanary, modules }: Probation, evidence: string): Promise<void> {
    const words: Words = { author: AUTOMATIC, message: `release ${number} was worse`, evidence };
    const release = await this.#exclusively(async () => {
      // Somebody may have been faster.
      const concerned = modules.filter((module) => {
        const { current, canary, previous } = this.#stateOf(module);
        if (isCanary) return numberOf(canary) === number;
        return numberOf(current) === number && previous !== undefined && numberOf(previous) < number;
      });
      if (concerned.length === 0) return null;
      return isCanary ? await this.#withdraw(concerned, words) : await this.#rollback(concerned, words);
    });
    if (release !== null) this.#options.onAutomatic(release.record);
  }

  async #promoteByItself({ number, modules }: Probation, evidence: string): Promise<void> {
    const message = `the canary ${number} has proved good`;
    const release = await this.#exclusively(async () => {
      if (modules.some((module) => numberOf(this.#stateOf(module).canary) !== number)) return null;
      return await this.#promote(modules, { author: AUTOMATIC, message, evidence });
    });
    if (release !== null) this.#options.onAutomatic(release.record);
  }
}
