import { ActionRefused } from '../ops/action.js';
import type { KnobAuthor, KnobEntry, KnobOutcome, KnobReport, Knobs } from '../ops/knobs.js';
import { type Config, contradictionsOf, originsOf, withValues } from './config.js';
import { didYouMean } from './did-you-mean.js';
import { isKnob, type KnobChanges, type KnobName, type KnobValues, knobNames } from './knob-values.js';
import type { Log } from './log.js';
import { type LedgerEntry, LedgerRefused, type OperatorLedger } from './operator-ledger.js';
import { allowed, allowedRange, parseSetting, type Setting, spellings, valueText } from './setting.js';
import { SETTINGS } from './settings.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';

/** Changes that wait for the ledger; more are told to come back. */
const WAITING_MAX = 16;
const KIND = 'knob';

/** A thread that heeds knobs. */
export interface KnobThread {
  readonly name: string;
  readonly thread: AskedThread;
}

/** What stands in the ledger for one entry: texts as operators write values; null: what the configuration says. */
interface KnobData {
  readonly before: Readonly<Record<string, string | null>>;
  readonly after: Readonly<Record<string, string | null>>;
}

/** Threads that heed a change, and those that have not said so. */
interface Told {
  readonly effective: readonly string[];
  readonly late: readonly string[];
}

export interface OperatorKnobsParts {
  /** What the server was started with: flags, environment, file, defaults. */
  readonly configured: Config;
  /** Those of the main thread. */
  readonly values: KnobValues;
  readonly ledger: OperatorLedger;
  readonly questions: ThreadQuestions;
  /** All others that there are to be, running or not. */
  readonly threads: () => readonly KnobThread[];
  readonly log: Log;
}

/**
 * Turns knobs: a change is checked, written into the ledger, and then told to all threads. In this order: one that cannot
 * be written has changed nothing, and one that was written is in effect in every thread that runs, at the latest when it
 * comes back to its event loop; a thread that starts later starts with it.
 *
 * At the start the ledger wins over flags, environment and file: it is what somebody decided later, on the running server.
 */
export class OperatorKnobs implements Knobs {
  readonly #parts: OperatorKnobsParts;
  /** As the ledger has it, by the name of the knob: those that were turned and not reverted. */
  readonly #turned = new Map<string, { readonly text: string; readonly entry: LedgerEntry }>();
  /** Of those, what does not hold since the start: ignored, or it cannot hold any more. It can be reverted, and turned again. */
  readonly #left = new Set<string>();
  /** The latest change, on its way to the threads. */
  #told: Promise<Told> = Promise.resolve({ effective: [], late: [] });
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: OperatorKnobsParts) {
    this.#parts = parts;
    parts.ledger.subscribe(KIND, (entry, recovered) => {
      this.#fold(entry);
      if (!recovered) this.#apply(entry);
    });
    parts.ledger.onOpened(() => this.#begin());
  }

  /** The ledger has been read: what it says holds. Whatever of it cannot hold any more is said and left out. */
  #begin(): void {
    const { configured, values, log } = this.#parts;
    if (configured.ignoreKnobs) {
      for (const [name, { text, entry }] of this.#turned)
        log.warn(
          `${name} = ${text} (${byOf(entry)}) does not hold: ignore-knobs; rookery knob revert ${name} ends it for good`,
        );
      for (const name of this.#turned.keys()) this.#left.add(name);
      return;
    }
    const waiting = new Map<string, KnobChanges>();
    for (const [name, { text, entry }] of this.#turned) {
      const change = this.#read(name, text);
      if (typeof change !== 'string') waiting.set(name, change);
      else {
        this.#left.add(name);
        log.warn(`${name} = ${text} (${byOf(entry)}) cannot hold any more and is left out: ${change}`);
      }
    }
    const all: KnobChanges = Object.assign({}, ...waiting.values());
    if (contradictionsOf(withValues(configured, all)).length === 0) {
      values.change(all);
      waiting.clear();
    }
    // One by one, as long as one of them fits: which are in whose way is seen by who is left.
    for (let before = -1; before !== waiting.size; ) {
      before = waiting.size;
      for (const [name, change] of waiting) {
        if (contradictionsOf(withValues(values.config, change)).length > 0) continue;
        values.change(change);
        waiting.delete(name);
      }
    }
    for (const [name, { text, entry }] of this.#turned) {
      const change = waiting.get(name);
      if (change !== undefined) {
        this.#left.add(name);
        const why = contradictionsOf(withValues(values.config, change))[0]?.expected;
        log.warn(`${name} = ${text} (${byOf(entry)}) cannot hold any more and is left out: ${why}`);
      } else if (textOf(values.config, settingOf(name)) === text) {
        this.#sayWhatIsOverridden(name, text, entry);
      }
    }
    // The writer runs already.
    void this.#tell([...this.#turned.keys()].filter((name) => !this.#left.has(name)));
  }

  #sayWhatIsOverridden(name: string, text: string, entry: LedgerEntry): void {
    const { configured, log } = this.#parts;
    const origin = originsOf(configured)[name as KnobName];
    const configuredText = textOf(configured, settingOf(name));
    if (configuredText === text) return;
    const over = origin === undefined ? `the default ${configuredText}` : `${origin} = ${configuredText}`;
    const line = `${name} = ${text} (${byOf(entry)}) overrides ${over}; rookery knob revert ${name} undoes it`;
    // What somebody wrote into the configuration and what holds are two things: he should know.
    if (origin === undefined) log.info(line);
    else log.warn(line);
  }

  async list(): Promise<readonly KnobReport[]> {
    const used = await this.#used();
    return knobNames().map((name) => this.#report(settingOf(name)!, used));
  }

  async get(name: string): Promise<KnobReport> {
    const setting = this.#knob(name);
    return this.#report(setting, await this.#used());
  }

  set(values: Readonly<Record<string, unknown>>, by: KnobAuthor): Promise<KnobOutcome> {
    return this.#inTurn(() => {
      const after: Record<string, string | null> = {};
      for (const [name, raw] of Object.entries(values)) {
        const setting = this.#knob(name);
        const value = parseSetting(setting, raw);
        if (value === undefined) {
          const text = JSON.stringify(raw) ?? String(raw);
          throw new ActionRefused(400, `${setting.name} must be ${allowed(setting)}, not ${text}`);
        }
        after[setting.name] = valueText(setting, value);
      }
      return this.#turn(after, by);
    });
  }

  history(name: string | null, limit: number): readonly KnobEntry[] {
    const wanted = name === null ? null : this.#knob(name).name;
    const entries: KnobEntry[] = [];
    for (const entry of this.#parts.ledger.entries(KIND).toReversed()) {
      if (entries.length === limit) break;
      const shown = shownOf(entry);
      if (wanted === null || shown.changes.some((change) => change.name === wanted)) entries.push(shown);
    }
    return entries;
  }

  revert(name: string, by: KnobAuthor): Promise<KnobOutcome> {
    return this.#inTurn(() => this.#turn({ [this.#knob(name).name]: null }, by));
  }

  revertTo(number: number, by: KnobAuthor): Promise<KnobOutcome> {
    return this.#inTurn(() => {
      const { ledger } = this.#parts;
      const entries = ledger.entries(KIND);
      if (number !== 0 && !entries.some((entry) => entry.number === number))
        throw new ActionRefused(404, `there is no entry ${number} about knobs in the history`);
      if (number < ledger.oldest - 1)
        throw new ActionRefused(404, `the history begins at entry ${ledger.oldest}, behind ${number}`);
      // What came later is taken back, the last one first.
      const after: Record<string, string | null> = {};
      for (const entry of entries.toReversed()) {
        if (entry.number <= number) break;
        for (const [name, text] of Object.entries((entry.data as KnobData).before)) after[name] = text;
      }
      for (const name of Object.keys(after)) if (!isKnob(name)) delete after[name];
      return this.#turn(after, { ...by, message: by.message || `back to entry ${number}` });
    });
  }

  /** One after the other: each is judged by what the one before has left. */
  async #inTurn(turn: () => Promise<KnobOutcome>): Promise<KnobOutcome> {
    if (this.#waiting >= WAITING_MAX)
      throw new ActionRefused(503, `${WAITING_MAX} changes of knobs wait for the ledger already`);
    this.#waiting++;
    const done = this.#last.then(async () => {
      await this.#ready();
      return turn();
    });
    this.#last = done.catch(() => {});
    try {
      return await done;
    } finally {
      this.#waiting--;
    }
  }

  /** The ledger could not be read at the start, perhaps: what it says comes first. */
  async #ready(): Promise<void> {
    try {
      await this.#parts.ledger.ensureOpen();
    } catch (error) {
      if (!(error instanceof LedgerRefused)) throw error;
      throw new ActionRefused(503, `nothing was changed: ${error.message}`);
    }
  }

  async #turn(wanted: Record<string, string | null>, by: KnobAuthor): Promise<KnobOutcome> {
    const { ledger, values } = this.#parts;
    const after: Record<string, string | null> = {};
    const before: Record<string, string | null> = {};
    const changes: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(wanted)) {
      const now = this.#turned.get(name)?.text ?? null;
      if (now === text && !this.#left.has(name)) continue;
      const change = this.#read(name, text);
      if (typeof change === 'string') throw new ActionRefused(409, `${name} = ${text}: ${change}`);
      before[name] = now;
      after[name] = text;
      Object.assign(changes, change);
    }
    if (Object.keys(after).length === 0) return { entry: null, effective: [], late: [] };
    const [problem] = contradictionsOf(withValues(values.config, changes as KnobChanges));
    if (problem !== undefined) {
      const { setting, value, expected } = problem;
      throw new ActionRefused(409, `${setting} = ${value} ${expected}`);
    }
    const { author, address, message } = by;
    let entry: LedgerEntry;
    try {
      const data: KnobData = { before, after };
      entry = await ledger.append({ kind: KIND, author, address, message, data });
    } catch (error) {
      if (!(error instanceof LedgerRefused)) throw error;
      const what = error.pending ? 'the change is not in effect yet' : 'nothing was changed';
      throw new ActionRefused(503, `${what}: ${error.message}`);
    }
    // The subscription has told the threads.
    const { effective, late } = await this.#told;
    return { entry: shownOf(entry), effective: ['main', ...effective], late };
  }

  #fold(entry: LedgerEntry): void {
    for (const [name, text] of Object.entries((entry.data as KnobData).after)) {
      this.#left.delete(name);
      if (text === null) this.#turned.delete(name);
      else this.#turned.set(name, { text, entry });
    }
  }

  /** What the ledger says of these holds in this thread, and is told to the others. */
  #apply(entry: LedgerEntry): void {
    const { values, log } = this.#parts;
    const names = Object.keys((entry.data as KnobData).after);
    const before = values.config;
    try {
      values.change(this.#changes(names));
    } catch (error) {
      log.error({ err: error }, 'a knob was not heeded on the main thread');
    }
    const changes = names.map((name) => {
      const setting = settingOf(name);
      return `${name} ${textOf(before, setting)} → ${textOf(values.config, setting)}`;
    });
    const why = entry.message === '' ? '' : `: ${entry.message}`;
    log.info({ entry: entry.number, author: entry.author }, `${changes.join(', ')} (${byOf(entry)}${why})`);
    this.#told = this.#tell(names);
  }

  async #tell(names: readonly string[]): Promise<Told> {
    const { questions, threads, log } = this.#parts;
    const changes = this.#changes(names);
    const effective: string[] = [];
    const late: string[] = [];
    await Promise.all(
      threads().map(async ({ name, thread }) => {
        // Also to one that is starting: it may have been handed what held before.
        const started: AskedThread = { running: true, post: (question) => thread.post(question) };
        try {
          const heeded = await questions.ask<true>(started, 'knobs', changes);
          (heeded === null ? late : effective).push(name);
        } catch (error) {
          log.error({ thread: name, err: error }, `a knob was not heeded by ${name}`);
          late.push(name);
        }
      }),
    );
    return { effective, late };
  }

  #changes(names: readonly string[]): KnobChanges {
    const changes: Record<string, unknown> = {};
    for (const name of names) {
      const change = this.#read(name, this.#turned.get(name)?.text ?? null);
      if (typeof change !== 'string') Object.assign(changes, change);
    }
    return changes as KnobChanges;
  }

  /** The change that this text of the ledger is; or why it is none. */
  #read(name: string, text: string | null): KnobChanges | string {
    const setting = settingOf(name);
    if (setting === undefined || !isKnob(name)) return 'there is no such knob';
    if (text === null) return { [name]: this.#parts.configured[name] } as KnobChanges;
    const value = parseSetting(setting, text);
    return value === undefined ? `must be ${allowed(setting)}` : ({ [name]: value } as KnobChanges);
  }

  /** By its name in any spelling. @throws ActionRefused */
  #knob(name: string): Setting {
    const setting = SETTINGS_BY_SPELLING.get(name);
    if (setting === undefined) {
      const near = didYouMean(
        spellings(name).fileKey,
        knobNames().map((knob) => spellings(knob).fileKey),
      );
      const hint = near === null ? '' : `; did you mean ${near}?`;
      throw new ActionRefused(404, `there is no knob ${JSON.stringify(name)}${hint}`);
    }
    if (isKnob(setting.name)) return setting;
    throw new ActionRefused(409, `${setting.name} is fixed while the server runs: it is set at the start`);
  }

  /** The threads that heed each knob. */
  async #used(): Promise<ReadonlyMap<string, readonly string[]>> {
    const { questions, threads, values } = this.#parts;
    const used = new Map<string, string[]>();
    const add = (thread: string, names: readonly string[] | null) => {
      for (const name of names ?? []) {
        const list = used.get(name);
        if (list === undefined) used.set(name, [thread]);
        else list.push(thread);
      }
    };
    add('main', values.used);
    const answers = await Promise.all(
      threads().map(({ thread }) => questions.ask<readonly string[]>(thread, 'knobs-used').catch(() => null)),
    );
    for (const [index, { name }] of threads().entries()) add(name, answers[index] ?? null);
    return used;
  }

  #report(setting: Setting, used: ReadonlyMap<string, readonly string[]>): KnobReport {
    const { configured, values } = this.#parts;
    const name = setting.name as KnobName;
    const turned = this.#turned.get(name);
    const holds = turned !== undefined && !this.#left.has(name);
    return {
      name,
      group: setting.group,
      description: setting.description,
      value: textOf(values.config, setting),
      default: valueText(setting, setting.default),
      configured: textOf(configured, setting),
      range: allowedRange(setting),
      choices: choicesOf(setting),
      source: holds ? byOf(turned.entry) : (originsOf(configured)[name] ?? 'default'),
      changedAt: holds ? turned.entry.at : null,
      threads: used.get(name) ?? [],
    };
  }
}

const SETTINGS_BY_SPELLING = new Map<string, Setting>(
  (SETTINGS as readonly Setting[]).flatMap((setting) => {
    const { fileKey, flag, variable } = spellings(setting.name);
    return [setting.name, fileKey, flag, variable].map((name): [string, Setting] => [name, setting]);
  }),
);

function choicesOf(setting: Setting): readonly string[] | null {
  if (setting.type === 'boolean') return ['on', 'off'];
  return setting.type === 'choice' ? setting.choices : null;
}

function settingOf(name: string): Setting | undefined {
  return (SETTINGS as readonly Setting[]).find((setting) => setting.name === name);
}

/** The value of a setting as one writes it; '' for one that there is not. */
function textOf(config: Config, setting: Setting | undefined): string {
  return setting === undefined ? '' : valueText(setting, config[setting.name as keyof Config]);
}

function byOf({ number, author }: LedgerEntry): string {
  return `knob ${number} by ${author}`;
}

function shownOf({ number, at, author, address, message, data }: LedgerEntry): KnobEntry {
  const { before, after } = data as KnobData;
  const changes = Object.keys(after).map((name) => ({
    name,
    before: before[name] ?? null,
    after: after[name] ?? null,
  }));
  return { number, at, author, from: address, message, changes };
}
