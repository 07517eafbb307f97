import type { VersionFigures } from './module-version.js';

/** From when on a version counts as worse than the one before. */
export interface JudgeRules {
  /** So many calls must have failed at least. */
  readonly failuresMin: number;
  /** The share of failed calls that is put up with, and how many times that of the version before. */
  readonly failureShare: number;
  readonly failureFactor: number;
  /** The mean time of a call: so many times that of the version before, and longer by so many ms. */
  readonly latencyFactor: number;
  readonly latencyMs: number;
  /** Timed calls of both, before times are compared. */
  readonly timedMin: number;
  readonly longSchedulesMin: number;
  /** Calls, and ms since it was loaded, before it counts as good. */
  readonly callsMin: number;
  readonly ageMs: number;
}

export const JUDGE_RULES: JudgeRules = {
  failuresMin: 3,
  failureShare: 0.01,
  failureFactor: 3,
  latencyFactor: 3,
  latencyMs: 0.5,
  timedMin: 20,
  longSchedulesMin: 3,
  callsMin: 1000,
  ageMs: 60_000,
};

export interface Verdict {
  readonly verdict: 'worse' | 'good' | 'undecided';
  /** The figures behind it, in words. */
  readonly evidence: string;
}

/** Compares a version with the one before: share of failed calls, mean time of a call, slices that were too long. */
export function judge(
  before: VersionFigures,
  version: VersionFigures,
  ageMs: number,
  rules: JudgeRules = JUDGE_RULES,
): Verdict {
  const failed = share(version.failures, version.calls);
  const failedBefore = share(before.failures, before.calls);
  if (
    version.failures >= rules.failuresMin &&
    failed > Math.max(rules.failureShare, failedBefore * rules.failureFactor)
  ) {
    return {
      verdict: 'worse',
      evidence: `${version.failures} of ${version.calls} calls failed (${percent(failed)}), before ${percent(failedBefore)}`,
    };
  }
  const mean = share(version.timedMs, version.timedCalls);
  const meanBefore = share(before.timedMs, before.timedCalls);
  if (
    version.timedCalls >= rules.timedMin &&
    before.timedCalls >= rules.timedMin &&
    mean > meanBefore * rules.latencyFactor &&
    mean - meanBefore > rules.latencyMs
  ) {
    return {
      verdict: 'worse',
      evidence: `a call takes ${mean.toFixed(2)} ms (mean of ${version.timedCalls}), before ${meanBefore.toFixed(2)} ms`,
    };
  }
  const long = share(version.longSchedules, version.calls);
  if (
    version.longSchedules >= rules.longSchedulesMin &&
    long > share(before.longSchedules, before.calls) * rules.failureFactor
  ) {
    return {
      verdict: 'worse',
      evidence: `${version.longSchedules} long schedules in ${version.calls} calls, before ${before.longSchedules} in ${before.calls}`,
    };
  }
  const evidence = `${version.calls} calls, ${version.failures} failed, ${mean.toFixed(2)} ms a call (before ${meanBefore.toFixed(2)} ms)`;
  const isGood = version.calls >= rules.callsMin && ageMs >= rules.ageMs;
  return { verdict: isGood ? 'good' : 'undecided', evidence };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function percent(of: number): string {
  return `${(of * 100).toFixed(of < 0.1 ? 2 : 0)} %`;
}
