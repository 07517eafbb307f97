import type { AlertRule, LimitName } from './alert-rules.js';
import { matches } from './silences.js';

/**
 * The settings of alerts. They are read at each evaluation, so they may change at any time. Percentages count from 0 to
 * 100; of all limits 0 means: never.
 */
export interface AlertSettings extends Readonly<Record<LimitName, number>> {
  /** Limits for processes with certain labels, see {@link parseByLabel}. */
  readonly alertMailboxLengthByLabel: string;
  readonly alertMailboxAgeByLabel: string;
  /** Alerts of one family in a minute. */
  readonly alertsPerMinute: number;
}

/** A limit for labels of this pattern, in which `*` stands for any letters. */
export interface LabelLimit {
  readonly pattern: string;
  readonly limit: number;
}

/**
 * Reads `session=1000, partition-*=50000`. The first pattern that fits counts.
 *
 * @param parse reads what stands behind the `=`; undefined: it is wrong.
 * @returns null if it is not of that form.
 */
export function parseByLabel(
  text: string,
  parse: (value: string) => number | undefined,
): readonly LabelLimit[] | null {
  if (text.trim() === '') return [];
  const limits: LabelLimit[] = [];
  for (const part of text.split(',')) {
    const at = part.lastIndexOf('=');
    const pattern = part.slice(0, at).trim();
    const limit = parse(part.slice(at + 1).trim());
    if (at < 0 || pattern === '' || limit === undefined) return null;
    limits.push({ pattern, limit });
  }
  return limits;
}

/** Says from where on something is wrong. */
export class AlertLimits {
  readonly #settings: AlertSettings;
  readonly #parseDuration: (value: string) => number | undefined;
  /** What the texts say, until they are others. */
  readonly #parsed = new Map<string, { readonly text: string; readonly limits: readonly LabelLimit[] }>();

  /** @param parseDuration reads `5s`, in ms */
  constructor(settings: AlertSettings, parseDuration: (value: string) => number | undefined) {
    this.#settings = settings;
    this.#parseDuration = parseDuration;
  }

  get alertsPerMinute(): number {
    return this.#settings.alertsPerMinute;
  }

  /** The limit of a rule, for processes with this label; Infinity: none. */
  of(rule: AlertRule, label: string | null): number {
    const settings = this.#settings;
    let limit = settings[rule.limit];
    if (label !== null && rule.limit === 'alertMailboxLength') {
      limit = this.#byLabel('length', settings.alertMailboxLengthByLabel, wholeNumber, label) ?? limit;
    } else if (label !== null && rule.limit === 'alertMailboxAgeMs') {
      limit = this.#byLabel('age', settings.alertMailboxAgeByLabel, this.#parseDuration, label) ?? limit;
    }
    if (limit <= 0) return Number.POSITIVE_INFINITY;
    return rule.unit === 'share' ? limit / 100 : limit;
  }

  #byLabel(
    name: string,
    text: string,
    parse: (value: string) => number | undefined,
    label: string,
  ): number | undefined {
    let parsed = this.#parsed.get(name);
    if (parsed?.text !== text) {
      // The setting was checked; what cannot be read all the same changes nothing.
      parsed = { text, limits: parseByLabel(text, parse) ?? [] };
      this.#parsed.set(name, parsed);
    }
    return parsed.limits.find(({ pattern }) => matches(pattern, label))?.limit;
  }
}

export function wholeNumber(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
