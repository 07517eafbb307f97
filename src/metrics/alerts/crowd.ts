import type { Alert, Finding, Severity } from './alert.js';
import type { Observation } from './alert-book.js';
import { count } from './words.js';

/** How long it may grow before it is told of: what comes in one burst is counted as one. */
const SETTLE_MS = 1000;

interface Member {
  readonly latest: Observation;
}

/** What is wrong of one family beyond those that have alerts of their own: told in one line, how many and which is worst. */
export class Crowd {
  alert: Alert | null = null;
  readonly #members = new Set<Member>();
  readonly #since: number;

  constructor(
    readonly family: string,
    readonly severity: Severity,
    now: number,
  ) {
    this.#since = now;
  }

  get size(): number {
    return this.#members.size;
  }

  add(member: Member): void {
    this.#members.add(member);
  }

  remove(member: Member): void {
    this.#members.delete(member);
  }

  isSettled(now: number): boolean {
    return now - this.#since >= SETTLE_MS;
  }

  rules(): ReadonlySet<string> {
    return new Set([...this.#members].map(({ latest }) => latest.rule.name));
  }

  find(): Finding {
    const subjects = new Map<string, Observation>();
    for (const { latest } of this.#members) {
      const before = subjects.get(latest.subject);
      if (before === undefined || excess(latest) > excess(before)) subjects.set(latest.subject, latest);
    }
    const worst = [...subjects.values()].reduce((one, other) => (excess(other) > excess(one) ? other : one));
    const { line, details } = worst.find();
    const more = subjects.size;
    return {
      line: `${count(more)} more ${more === 1 ? 'is' : 'are'} as bad (${[...this.rules()].join(', ')}); the worst: ${line}`,
      details: { ...details, more, subject: worst.subject, label: worst.label },
    };
  }
}

/** Values of one rule compare; those of several only roughly. */
function excess({ value }: Observation): number {
  return value;
}
