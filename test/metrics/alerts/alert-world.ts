import {
  AlertBook,
  type AlertBookOptions,
  type Observation,
} from '../../../src/metrics/alerts/alert-book.js';
import { ALERT_RULES, type AlertRule } from '../../../src/metrics/alerts/alert-rules.js';
import { Silences } from '../../../src/metrics/alerts/silences.js';
import type { SilenceKeeper } from '../../../src/ops/actions/alert-actions.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';

export function ruleOf(name: string): AlertRule {
  const rule = ALERT_RULES.find((one) => one.name === name);
  if (rule === undefined) throw new RangeError(`there is no rule ${name}`);
  return rule;
}

/** A book over a simulated clock, and what it has told. */
export class BookWorld {
  readonly clock = new SimulatedClock();
  readonly silences = new Silences();
  /** `raised 1 <2.1>`, `cleared 1 <2.1>`, in the order in which they were told. */
  readonly told: string[] = [];
  readonly lines: string[] = [];
  readonly book: AlertBook;
  limit = 100;
  #lasts = new Map<string, readonly Observation[]>();

  constructor(options: Partial<AlertBookOptions> = {}) {
    this.book = new AlertBook({
      clock: this.clock,
      silences: this.silences,
      limitOf: () => this.limit,
      alertsPerMinute: () => 10,
      onChange: ({ type, alert }) => {
        this.told.push(`${type} ${alert.id} ${alert.subject}`);
        this.lines.push(alert.line);
      },
      ...options,
    });
  }

  /** Tells the book of values by subject. */
  see(values: Readonly<Record<string, number>>, name = 'mailbox-length', scope = 'here'): void {
    const rule = ruleOf(name);
    const observations = Object.entries(values).map(([subject, value]) => observation(rule, subject, value));
    this.#lasts.set(scope, observations);
    this.book.evaluate(scope, observations);
  }

  /** The same values again, once a second, for so long. */
  go(seconds: number): void {
    for (let n = 0; n < seconds; n++) {
      this.clock.advance(1000);
      for (const [scope, observations] of this.#lasts) this.book.evaluate(scope, observations);
    }
  }
}

export function observation(rule: AlertRule, subject: string, value: number, label = 'worker'): Observation {
  return {
    rule,
    subject,
    label,
    value,
    find: () => ({ line: `${subject} has ${value}`, details: { value } }),
  };
}

/** Keeps silences as long as the test runs. */
export function keepInMemory(silences: Silences, changed: () => void): SilenceKeeper {
  let lastId = 0;
  return {
    async add(draft) {
      const silence = { ...draft, id: ++lastId };
      silences.put(silence);
      changed();
      return silence;
    },
    async remove({ id }) {
      silences.remove(id);
      changed();
    },
  };
}
