/** `critical`: somebody has to get up. `warning`: it can wait until the morning, but not longer. */
export type Severity = 'warning' | 'critical';

/** That somebody has seen it and looks after it. */
export interface Acknowledgement {
  readonly by: string;
  /** Wall-clock ms. */
  readonly at: number;
  readonly comment: string;
}

/** An alert as it is shown, sent and kept: plain data, as of one moment. */
export interface AlertView {
  /** Counts from 1 at the start of the server. */
  readonly id: number;
  readonly state: 'active' | 'cleared';
  readonly severity: Severity;
  /** What the rules that say so are about: those of one family make one alert for each thing that is wrong. */
  readonly family: string;
  /** The rules that say so, or, once it is cleared, that did; the first is the one that fired first. */
  readonly rules: readonly string[];
  /** What is wrong: `<2.45>`, `scheduler-1`, `files`; `…` stands for the many of the rule that have no alert of their own. */
  readonly subject: string;
  /** Of a process. */
  readonly label: string | null;
  /** Everything in one line. */
  readonly line: string;
  /** The figures in it, by name. */
  readonly details: AlertDetails;
  /** Wall-clock ms. */
  readonly raisedAt: number;
  readonly clearedAt: number | null;
  readonly acknowledged: Acknowledgement | null;
  /** Nobody is told of it. */
  readonly silenced: boolean;
}

export type AlertDetails = Readonly<Record<string, number | string | null | readonly string[]>>;

/** How a rule puts what it has found. */
export interface Finding {
  readonly line: string;
  readonly details: AlertDetails;
}

/**
 * Something that is wrong, for as long as it is. It is the id of its alarm, too: whoever hears that the alarm is over
 * knows all about it.
 */
export class Alert {
  /** In the order in which they fired; those that have cleared stay. */
  readonly rules: string[] = [];
  /** Those that still say so. */
  readonly firing = new Set<string>();
  severity: Severity = 'warning';
  line = '';
  details: AlertDetails = {};
  clearedAt: number | null = null;
  acknowledged: Acknowledgement | null = null;
  silenced = false;
  /** Whether anybody was told. */
  announced = false;

  constructor(
    readonly id: number,
    readonly family: string,
    readonly subject: string,
    readonly label: string | null,
    readonly raisedAt: number,
  ) {}

  view(): AlertView {
    const { id, severity, family, subject, label, line, details, raisedAt, clearedAt } = this;
    const rules =
      this.firing.size === 0 ? [...this.rules] : this.rules.filter((rule) => this.firing.has(rule));
    const state = clearedAt === null ? 'active' : 'cleared';
    const { acknowledged, silenced } = this;
    return {
      id,
      state,
      severity,
      family,
      rules,
      subject,
      label,
      line,
      details,
      raisedAt,
      clearedAt,
      acknowledged,
      silenced,
    };
  }

  toString(): string {
    return `alert ${this.id}`;
  }

  toJSON(): AlertView {
    return this.view();
  }
}
