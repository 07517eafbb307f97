import type { Clock } from '../../structures/clock.js';
import { takeTokens, tokenRate } from '../../structures/token-bucket.js';
import { Alert, type AlertView, type Finding } from './alert.js';
import type { AlertRule } from './alert-rules.js';
import { Condition } from './conditions.js';
import { Crowd } from './crowd.js';
import type { Silences } from './silences.js';

/** A value that a rule is about, as of now. */
export interface Observation {
  readonly rule: AlertRule;
  readonly subject: string;
  readonly label: string | null;
  readonly value: number;
  /** Puts it into words; called only if they are wanted. */
  find(): Finding;
}

/** What there is to tell. */
export interface AlertChange {
  readonly type: 'raised' | 'cleared';
  readonly alert: Alert;
}

export interface AlertBookOptions {
  readonly clock: Clock;
  readonly silences: Silences;
  /** The limit of a rule, for processes with this label; Infinity: it is off. Asked at each evaluation. */
  readonly limitOf: (rule: AlertRule, label: string | null) => number;
  /** Alerts of one family that may be told within a minute, and at once; from then on they are one line. */
  readonly alertsPerMinute: () => number;
  readonly onChange: (change: AlertChange) => void;
}

/** Alerts of one family that may be active for themselves; what is wrong beyond is counted. */
export const ACTIVE_MAX = 20;
/** Alerts that are over and still known. */
export const HISTORY_MAX = 256;

/** What has been observed of one thing, under one rule. */
interface Entry {
  readonly rule: AlertRule;
  readonly subject: string;
  readonly label: string | null;
  readonly condition: Condition;
  latest: Observation;
  /** The alert that tells of it; the crowd: it is one of many; null: nothing does, as it is silenced, or not wrong. */
  told: Alert | Crowd | null;
  seen: boolean;
}

/**
 * What is wrong, and what is to be told of it. It takes values, and tells of each thing that has become wrong once, and
 * once that it is well again; of what goes wrong in great numbers in one line for all; of what is silenced not at all.
 */
export class AlertBook {
  readonly #options: AlertBookOptions;
  /** By scope, and in it by rule and subject. */
  readonly #scopes = new Map<string, Map<string, Entry>>();
  /** By family and subject. */
  readonly #active = new Map<string, Alert>();
  readonly #crowds = new Map<string, Crowd>();
  /** Of each family: when its bucket of alerts is full again. */
  readonly #fullAt = new Map<string, number>();
  #history: Alert[] = [];
  #lastId = 0;
  /** Raised, of each rule, since the start. */
  readonly raised = new Map<string, number>();
  /** Told in one line with others, of each rule, since the start. */
  readonly crowded = new Map<string, number>();

  constructor(options: AlertBookOptions) {
    this.#options = options;
  }

  /**
   * Takes all that there is in one scope: what is not among it any more is well. A scope that could not be looked at is
   * left as it is: nobody calls this then.
   */
  evaluate(scope: string, observations: Iterable<Observation>): void {
    const { clock, limitOf } = this.#options;
    const now = clock.now();
    let entries = this.#scopes.get(scope);
    for (const observation of observations) {
      const { rule, subject, label, value } = observation;
      const limit = limitOf(rule, label);
      const key = keyOf(rule.name, subject);
      let entry = entries?.get(key);
      if (entry === undefined) {
        if (!(value >= limit)) continue;
        entry = {
          rule,
          subject,
          label,
          condition: new Condition(),
          latest: observation,
          told: null,
          seen: true,
        };
        if (entries === undefined) {
          entries = new Map();
          this.#scopes.set(scope, entries);
        }
        entries.set(key, entry);
      }
      entry.latest = observation;
      entry.seen = true;
      this.#take(entry, value, limit, now);
    }
    if (entries !== undefined) {
      for (const [key, entry] of entries) {
        if (!entry.seen) this.#take(entry, 0, limitOf(entry.rule, entry.label), now);
        entry.seen = false;
        if (entry.condition.isQuiet) entries.delete(key);
      }
      if (entries.size === 0) this.#scopes.delete(scope);
    }
    this.#settle(now);
  }

  /** Whether something is wrong, or about to be, in a scope: then it is worth looking at it often. */
  isWatched(scope: string): boolean {
    return this.#scopes.has(scope);
  }

  /** Those that something is wrong with now, newest first. */
  active(): readonly AlertView[] {
    return [...this.#active.values()].map((alert) => alert.view()).reverse();
  }

  /** Those that are over, newest first. */
  recent(): readonly AlertView[] {
    return this.#history.map((alert) => alert.view()).reverse();
  }

  /** Says who looks after an active alert; null: there is none with this number. */
  acknowledge(id: number, by: string, comment: string): AlertView | null {
    for (const alert of this.#active.values()) {
      if (alert.id !== id) continue;
      alert.acknowledged = { by, at: this.#options.clock.wall(), comment };
      return alert.view();
    }
    return null;
  }

  /** Silences have come or gone: what was silenced is told now, if it still is wrong. */
  silencesChanged(): void {
    for (const entries of this.#scopes.values()) {
      for (const entry of entries.values()) if (entry.condition.isFiring) this.#tell(entry);
    }
    this.#settle(this.#options.clock.now());
  }

  #take(entry: Entry, value: number, limit: number, now: number): void {
    const { rule, condition } = entry;
    const { forMs, clearShare, clearForMs } = rule;
    const change = condition.take(value, now, { limit, forMs, clearShare, clearForMs });
    if (change === 'clears') this.#cleared(entry);
    // A process is described as it is; of anything else what is told is what was wrong, and not that it is hardly so any more.
    else if (condition.isFiring)
      this.#tell(entry, entry.seen && (rule.source.kind === 'process' || value >= limit));
  }

  /** Of what is wrong: has it told, unless it is already or must not be. */
  #tell(entry: Entry, isFresh = true): void {
    const { rule, subject, label, told } = entry;
    if (told instanceof Crowd) return;
    const key = keyOf(rule.family, subject);
    const alert = told ?? this.#active.get(key) ?? null;
    if (alert === null) {
      this.#tellNew(entry, key);
      return;
    }
    if (told === null) {
      entry.told = alert;
      if (!alert.rules.includes(rule.name)) alert.rules.push(rule.name);
      alert.firing.add(rule.name);
    }
    if (isFresh) this.#describe(alert, entry);
    alert.silenced = this.#isSilenced(alert.firing, label, subject);
    if (!alert.announced && !alert.silenced && this.#mayTell(rule.family)) this.#announce(alert);
  }

  #tellNew(entry: Entry, key: string): void {
    const { rule, subject, label } = entry;
    const isSilenced = this.#isSilenced([rule.name], label, subject);
    let active = 0;
    for (const { family } of this.#active.values()) if (family === rule.family) active++;
    const hasRoom = active < ACTIVE_MAX;
    if (isSilenced && !hasRoom) return;
    if (!isSilenced && (!hasRoom || !this.#mayTell(rule.family))) {
      const crowd = this.#crowdOf(rule);
      crowd.add(entry);
      entry.told = crowd;
      addTo(this.crowded, rule.name);
      return;
    }
    const alert = new Alert(++this.#lastId, rule.family, subject, label, this.#options.clock.wall());
    alert.severity = rule.severity;
    alert.rules.push(rule.name);
    alert.firing.add(rule.name);
    alert.silenced = isSilenced;
    entry.told = alert;
    this.#active.set(key, alert);
    this.#describe(alert, entry);
    if (!isSilenced) this.#announce(alert);
  }

  #describe(alert: Alert, entry: Entry): void {
    const { line, details } = entry.latest.find();
    alert.line = line;
    alert.details = details;
  }

  #announce(alert: Alert): void {
    alert.announced = true;
    for (const rule of alert.rules) addTo(this.raised, rule);
    this.#options.onChange({ type: 'raised', alert });
  }

  #cleared(entry: Entry): void {
    const { told, rule, subject } = entry;
    entry.told = null;
    if (told === null) return;
    if (told instanceof Crowd) {
      told.remove(entry);
      return;
    }
    told.firing.delete(rule.name);
    if (told.firing.size === 0) this.#over(told, keyOf(rule.family, subject));
  }

  #over(alert: Alert, key: string): void {
    alert.clearedAt = this.#options.clock.wall();
    this.#active.delete(key);
    this.#history.push(alert);
    if (this.#history.length > HISTORY_MAX) this.#history = this.#history.slice(-HISTORY_MAX);
    // Whoever was told that it is wrong is told that it is over, silenced meanwhile or not.
    if (alert.announced) this.#options.onChange({ type: 'cleared', alert });
  }

  /** Tells of those that are many. */
  #settle(now: number): void {
    for (const crowd of this.#crowds.values()) {
      const { family } = crowd;
      const key = keyOf(family, MANY);
      const { alert } = crowd;
      if (crowd.size === 0) {
        if (alert !== null) this.#over(alert, key);
        this.#crowds.delete(family);
        continue;
      }
      if (alert !== null) {
        const { line, details } = crowd.find();
        alert.line = line;
        alert.details = details;
        continue;
      }
      if (!crowd.isSettled(now)) continue;
      const told = new Alert(++this.#lastId, family, MANY, null, this.#options.clock.wall());
      told.severity = crowd.severity;
      for (const rule of crowd.rules()) {
        told.rules.push(rule);
        told.firing.add(rule);
      }
      Object.assign(told, crowd.find());
      crowd.alert = told;
      this.#active.set(key, told);
      this.#announce(told);
    }
  }

  #crowdOf({ family, severity }: AlertRule): Crowd {
    let crowd = this.#crowds.get(family);
    if (crowd === undefined) {
      crowd = new Crowd(family, severity, this.#options.clock.now());
      this.#crowds.set(family, crowd);
    }
    return crowd;
  }

  #isSilenced(rules: Iterable<string>, label: string | null, subject: string): boolean {
    const wall = this.#options.clock.wall();
    for (const rule of rules) if (!this.#options.silences.holds(rule, label, subject, wall)) return false;
    return true;
  }

  #mayTell(family: string): boolean {
    const { clock, alertsPerMinute } = this.#options;
    const burst = Math.max(1, alertsPerMinute());
    const next = takeTokens(tokenRate(burst / 60, burst), this.#fullAt.get(family) ?? 0, clock.now(), 1);
    if (next <= 0) return false;
    this.#fullAt.set(family, next);
    return true;
  }
}

/** The subject of what is told of many in one line. */
export const MANY = '…';

function keyOf(rule: string, subject: string): string {
  return `${rule} ${subject}`;
}

function addTo(counts: Map<string, number>, rule: string): void {
  counts.set(rule, (counts.get(rule) ?? 0) + 1);
}
