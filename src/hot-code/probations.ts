import type { Clock } from '../structures/clock.js';
import { type JudgeRules, judge, type Verdict } from './judge.js';
import type { ModuleReport } from './module-table.js';
import type { VersionFigures } from './module-version.js';

/** New code that is looked at. */
export interface Probation {
  /** The number of the versions. */
  readonly number: number;
  readonly modules: readonly string[];
  readonly isCanary: boolean;
  /** A canary that proves good becomes the current version. */
  readonly promote: boolean;
  /** Of the current versions when a canary began: only what came since is compared. */
  readonly before: ReadonlyMap<string, VersionFigures>;
}

export interface ProbationsParts {
  readonly clock: Clock;
  readonly rules: JudgeRules;
  report(): Promise<readonly ModuleReport[]>;
  /** It is worse: takes it back. */
  goBack(probation: Probation, evidence: string): Promise<void>;
  /** A canary has proved good. */
  promote(probation: Probation, evidence: string): Promise<void>;
  /** It could not be looked at, or what follows could not be done: told once, and tried again. */
  onFailure(error: unknown): void;
}

/** How often versions on probation are looked at. */
const LOOK_MS = 250;

/** Looks at releases from the moment that they are effective: each for a minute, a canary for as long as it is one. */
export class Probations {
  readonly #parts: ProbationsParts;
  readonly #all: (Probation & { readonly startedAt: number })[] = [];
  #timer: unknown = null;
  #isLooking = false;
  /** Somebody wanted a look when there was nothing to look at yet, or during one: it is made as soon as it can be. */
  #isAsked = false;
  #isFailing = false;

  constructor(parts: ProbationsParts) {
    this.#parts = parts;
  }

  begin(probation: Probation): void {
    this.#all.push({ ...probation, startedAt: this.#parts.clock.now() });
    this.#isFailing = false;
    this.#lookAgain();
  }

  /** Those of which one holds are over. */
  end(isOver: (probation: Probation) => boolean): void {
    for (let at = this.#all.length - 1; at >= 0; at--) if (isOver(this.#all[at]!)) this.#all.splice(at, 1);
  }

  close(): void {
    this.#all.length = 0;
    if (this.#timer !== null) this.#parts.clock.clearTimer(this.#timer as never);
    this.#timer = null;
  }

  /** The oldest first. */
  get all(): readonly (Probation & { readonly ageMs: number })[] {
    const now = this.#parts.clock.now();
    return this.#all.map(({ startedAt, ...probation }) => ({ ...probation, ageMs: now - startedAt }));
  }

  /** Now, not when it is time. */
  async look(): Promise<void> {
    if (this.#all.length === 0 || this.#isLooking) {
      this.#isAsked = true;
      return;
    }
    this.#isLooking = true;
    this.#isAsked = false;
    try {
      const reports = await this.#parts.report();
      for (const probation of [...this.#all]) {
        // The one before may have ended it.
        if (this.#all.includes(probation)) await this.#judge(probation, reports);
      }
    } catch (error) {
      if (!this.#isFailing) this.#parts.onFailure(error);
      this.#isFailing = true;
    } finally {
      this.#isLooking = false;
      if (this.#all.length > 0) this.#lookAgain();
    }
  }

  /** What failed between a release and the beginning of its probation, or during a look, does not wait for the next one. */
  #lookAgain(): void {
    if (this.#isAsked) void this.look();
    else this.#lookLater();
  }

  #lookLater(): void {
    if (this.#timer !== null) return;
    this.#timer = this.#parts.clock.setTimer(() => {
      this.#timer = null;
      void this.look();
    }, LOOK_MS);
  }

  async #judge(
    probation: Probation & { readonly startedAt: number },
    reports: readonly ModuleReport[],
  ): Promise<void> {
    const { rules, clock } = this.#parts;
    const ageMs = clock.now() - probation.startedAt;
    const verdicts = reports
      .filter(({ module }) => probation.modules.includes(module))
      .map((report) => ({ module: report.module, ...verdictOn(report, probation, ageMs, rules) }));
    const worse = verdicts.find(({ verdict }) => verdict === 'worse');
    if (worse !== undefined) {
      await this.#parts.goBack(probation, `${worse.module}: ${worse.evidence}`);
      this.end((one) => one === probation);
    } else if (ageMs >= rules.ageMs) {
      if (!probation.isCanary) this.end((one) => one === probation);
      // A canary stays on probation until somebody decides, or it has proved good.
      else if (probation.promote && verdicts.every(({ verdict }) => verdict === 'good')) {
        await this.#parts.promote(probation, verdicts.map(({ evidence }) => evidence).join('; '));
        this.end((one) => one === probation);
      }
    }
  }
}

function verdictOn(report: ModuleReport, probation: Probation, ageMs: number, rules: JudgeRules): Verdict {
  const { canary, current, previous } = report;
  const version = probation.isCanary ? canary : current;
  const other = probation.isCanary ? current : previous;
  if (version === null || version.number !== probation.number || other === null)
    return { verdict: 'undecided', evidence: '' };
  const before = probation.before.get(report.module);
  return judge(before?.number === other.number ? since(before, other) : other, version, ageMs, rules);
}

/** What has been counted since: not less than nothing, if a thread has begun anew. */
function since(before: VersionFigures, now: VersionFigures): VersionFigures {
  const more = (figure: (of: VersionFigures) => number) => Math.max(0, figure(now) - figure(before));
  return {
    ...now,
    calls: more(({ calls }) => calls),
    failures: more(({ failures }) => failures),
    timedCalls: more(({ timedCalls }) => timedCalls),
    timedMs: more(({ timedMs }) => timedMs),
    longSchedules: more(({ longSchedules }) => longSchedules),
  };
}
