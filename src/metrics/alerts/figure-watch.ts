import type { GroupDescription, Reading, Row } from '../reading.js';
import type { Finding } from './alert.js';
import type { Observation } from './alert-book.js';
import type { AlertRule, RuleSource, ValueUnit } from './alert-rules.js';
import { bytes, count, duration, percent, rate } from './words.js';

type FigureRule = AlertRule & { readonly source: Extract<RuleSource, { readonly kind: 'figure' }> };

interface Before {
  readonly uptimeMs: number;
  readonly rows: readonly Row[];
}

interface Standstill {
  readonly progress: number;
  /** Since when, in uptime. */
  readonly since: number;
}

/** Makes values for the rules about figures out of readings, one after the other. */
export class FigureWatch {
  readonly #rules: readonly FigureRule[];
  /** By group: the reading before. */
  readonly #before = new Map<string, Before>();
  /** By rule and instance: since when a row has not moved although it had to. */
  readonly #still = new Map<string, Standstill>();

  constructor(rules: readonly AlertRule[]) {
    this.#rules = rules.filter((rule): rule is FigureRule => rule.source.kind === 'figure');
  }

  /** The groups that the rules need and that there are. */
  groups(descriptions: readonly GroupDescription[]): readonly string[] {
    const wanted = new Set(this.#rules.map(({ source }) => source.group));
    return descriptions.map(({ name }) => name).filter((name) => wanted.has(name));
  }

  /** The rules whose group or column there is not: nothing is watched there. */
  blind(descriptions: readonly GroupDescription[]): readonly string[] {
    return this.#rules
      .filter(({ source }) => {
        const columns = descriptions.find(({ name }) => name === source.group)?.columns ?? [];
        return columnsOf(source).some((column) => !columns.some(({ name }) => name === column));
      })
      .map(({ name }) => name);
  }

  /** By group, the values in a reading; of groups that are missing in it there is nothing to say. */
  observe(reading: Reading, descriptions: readonly GroupDescription[]): Map<string, Observation[]> {
    const found = new Map<string, Observation[]>();
    for (const [group, rows] of Object.entries(reading.groups)) {
      const description = descriptions.find(({ name }) => name === group);
      if (description === undefined) continue;
      const observations: Observation[] = [];
      found.set(group, observations);
      const before = this.#before.get(group);
      // Another server, or the same one anew: there is nothing to compare it with.
      const last = before !== undefined && before.uptimeMs < reading.uptimeMs ? before : null;
      this.#before.set(group, { uptimeMs: reading.uptimeMs, rows });
      for (const rule of this.#rules) {
        if (rule.source.group !== group) continue;
        for (const row of rows) {
          const value = this.#valueOf(rule, row, description, reading.uptimeMs, last);
          if (value !== null) observations.push(observationOf(rule, row, value));
        }
      }
    }
    return found;
  }

  #valueOf(
    rule: FigureRule,
    row: Row,
    description: GroupDescription,
    uptimeMs: number,
    last: Before | null,
  ): number | null {
    const { column, as, instance } = rule.source;
    if (instance !== undefined && instance !== row.instance) return null;
    const figure = figureOf(description, row, column);
    if (figure === null) return null;
    switch (as.of) {
      case 'value':
        return figure;
      case 'share': {
        const whole = figureOf(description, row, as.whole);
        return whole === null || whole === 0 ? null : figure / whole;
      }
      case 'rate': {
        const grown = growth(description, row, last, column);
        return grown === null || last === null ? null : (grown * 1000) / (uptimeMs - last.uptimeMs);
      }
      case 'rest': {
        const part = growth(description, row, last, column);
        const whole = growth(description, row, last, as.whole);
        return part === null || whole === null || whole <= 0 ? null : Math.max(0, 1 - part / whole);
      }
      case 'standstill': {
        const progress = figureOf(description, row, as.progress);
        const key = `${rule.name} ${row.instance}`;
        const known = this.#still.get(key);
        if (progress === null || figure === 0) {
          this.#still.delete(key);
          return 0;
        }
        const isStill = known?.progress === progress && last !== null;
        const since = isStill ? known.since : uptimeMs;
        this.#still.set(key, { progress, since });
        return uptimeMs - since;
      }
    }
  }
}

function columnsOf({ column, as }: FigureRule['source']): readonly string[] {
  if (as.of === 'share' || as.of === 'rest') return [column, as.whole];
  return as.of === 'standstill' ? [column, as.progress] : [column];
}

function figureOf({ columns }: GroupDescription, row: Row, name: string): number | null {
  const at = columns.findIndex((column) => column.name === name);
  return at < 0 ? null : (row.figures[at] ?? null);
}

/** How much a counter has grown since the reading before; 0 if it has begun anew. */
function growth(description: GroupDescription, row: Row, last: Before | null, column: string): number | null {
  const before = last?.rows.find(({ instance }) => instance === row.instance);
  const figure = figureOf(description, row, column);
  const figureBefore = before === undefined ? null : figureOf(description, before, column);
  return figure === null || figureBefore === null ? null : Math.max(0, figure - figureBefore);
}

function observationOf(rule: AlertRule, { instance }: Row, value: number): Observation {
  const subject = instance === '' ? rule.family : instance;
  return { rule, subject, label: null, value, find: () => findingOf(rule, instance, value) };
}

/** What a rule that is not about processes has found. */
export function findingOf(
  rule: AlertRule,
  instance: string,
  value: number,
  details: Finding['details'] = {},
): Finding {
  const line = rule.says
    .replaceAll('{instance}', () => instance)
    .replaceAll('{value}', () => inUnit(value, rule.unit));
  return { line, details: { instance, value, ...details } };
}

/** A value as it is written. */
export function inUnit(value: number, unit: ValueUnit): string {
  switch (unit) {
    case 'count':
      return count(value);
    case 'rate':
      return rate(value);
    case 'ms':
      return duration(value);
    case 'bytes':
      return bytes(value);
    case 'share':
      return percent(value);
  }
}
