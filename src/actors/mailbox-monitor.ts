import type { ClockTimer } from '../structures/clock.js';
import { Activity } from './activity.js';
import type { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import { QueueAge } from './queue-age.js';
import type { Runtime } from './runtime.js';

/** Processes of which more than their counters is known. */
const RECORDS_MAX = 4096;
/** Among so many one is chosen that gives its place to another. */
const PROBES = 8;
/** How often those with a backlog are looked at, in ms, and how many of them at a time. */
const SAMPLE_MS = 250;
const SAMPLE_MAX = 1024;

/** @internal */
interface BacklogSum {
  readonly messages: number;
  readonly longest: number;
  /** Of the messages, those put aside by selective receives. */
  readonly saved: number;
  /** Processes among them that do not stand in the run queue: they wait for something else, or are suspended. */
  readonly aside: number;
}

/** What the longest mailboxes are chosen by: how many wait, how many are handled for each second, how long the oldest has waited. */
export type TopBy = 'length' | 'rate' | 'delay';

/**
 * Knows which processes of a runtime have a backlog and which are busy, without looking at all of them: a process makes
 * itself known when its mailbox passes 64 messages, and whoever has just run is looked at when a turn looks at the clock
 * anyway. What it keeps is bounded: of more than {@link RECORDS_MAX} processes those that have least to show are forgotten.
 */
export class MailboxMonitor {
  readonly #runtime: Runtime;
  readonly #records: Activity[] = [];
  readonly #backlogged: Activity[] = [];
  /** Where the next one is looked for that gives its place to another. */
  #hand = 0;
  /** Where the next sample begins. */
  #sampled = 0;
  #timer: ClockTimer | null = null;
  readonly #onTimer = () => this.#sample();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Processes known to have a backlog. */
  get backlogged(): number {
    return this.#backlogged.length;
  }

  /** @internal What is in the mailboxes with a backlog. */
  waiting(): BacklogSum {
    const sum = { messages: 0, longest: 0, saved: 0, aside: 0 };
    for (const { process } of this.#backlogged) {
      const length = process.messageQueueLength;
      sum.messages += length;
      sum.saved += length - process.mailboxLength;
      if (length > sum.longest) sum.longest = length;
      if (length !== 0 && !isRunnable(process)) sum.aside++;
    }
    return sum;
  }

  /** @internal A mailbox has become long. */
  grown(process: Process<never>): void {
    if ((process.flags & ProcessFlag.backlogged) !== 0) return;
    const now = this.#runtime.clock.now();
    const record = this.#record(process, now, process.messageQueueLength);
    if (record !== null) this.#enter(record, now);
  }

  /** @internal A mailbox has become empty that was long. */
  emptied(process: Process<never>): void {
    if (process.messageQueueLength === 0) this.#leave(process.activity!);
  }

  /** @internal A process is about to run, or waits for that, and it is `now`. */
  seen(process: Process<never>, now: number): void {
    if (process.alive) this.#record(process, now, 0)?.touch(now);
  }

  /** @internal A process has just run, and it is `now`. */
  ran(process: Process<never>, now: number): void {
    if (!process.alive) return;
    const record = this.#record(process, now, 0);
    if (record === null) return;
    record.touch(now);
    if (process.queue !== null && record.backlogIndex < 0) this.#enter(record, now);
  }

  /** @internal A process that has a record has ended. */
  ended(process: Process<never>): void {
    const record = process.activity!;
    this.#leave(record);
    const last = this.#records.pop()!;
    if (last !== record) {
      this.#records[record.index] = last;
      last.index = record.index;
    }
    process.activity = null;
  }

  /** What is known of a process, up to date. It is known from now on. Null if the records are full of longer mailboxes. */
  activityOf(process: Process<never>): Activity | null {
    const now = this.#runtime.clock.now();
    const record = this.#record(process, now, process.messageQueueLength);
    if (record !== null) this.#look(record, now);
    return record;
  }

  /** Up to `count` of those with a backlog, up to date; if there are more, the longest ones. */
  backlog(count: number): Activity[] {
    const now = this.#runtime.clock.now();
    for (const record of this.#backlogged) record.touch(now);
    if (this.#backlogged.length <= count) return [...this.#backlogged];
    const length = ({ process }: Activity) => process.messageQueueLength;
    return [...this.#backlogged].sort((a, b) => length(b) - length(a)).slice(0, count);
  }

  /** Up to `count` of those that are known, the most first, up to date. */
  top(by: TopBy, count: number): Activity[] {
    const now = this.#runtime.clock.now();
    for (const record of this.#records) this.#look(record, now);
    const figure =
      by === 'length'
        ? ({ process }: Activity) => process.messageQueueLength
        : by === 'rate'
          ? ({ pace }: Activity) => pace
          : ({ oldestMs }: Activity) => oldestMs;
    const ranked = this.#records.map((record) => ({ record, figure: figure(record) }));
    ranked.sort((a, b) => b.figure - a.figure);
    return ranked.slice(0, count).map(({ record }) => record);
  }

  /** Somebody looks at it: few messages are a backlog, too, if it is not about to run. */
  #look(record: Activity, now: number): void {
    record.touch(now);
    const { process } = record;
    if (record.backlogIndex < 0 && process.messageQueueLength !== 0 && !isRunnable(process))
      this.#enter(record, now);
  }

  #enter(record: Activity, now: number): void {
    record.age = new QueueAge();
    record.backlogIndex = this.#backlogged.length;
    this.#backlogged.push(record);
    record.process.flags |= ProcessFlag.backlogged;
    record.touch(now);
    this.#timer ??= this.#runtime.clock.setTimer(this.#onTimer, SAMPLE_MS);
  }

  #leave(record: Activity): void {
    const { backlogIndex } = record;
    if (backlogIndex < 0) return;
    const last = this.#backlogged.pop()!;
    if (last !== record) {
      this.#backlogged[backlogIndex] = last;
      last.backlogIndex = backlogIndex;
    }
    record.backlogIndex = -1;
    record.age = null;
    record.process.flags &= ~ProcessFlag.backlogged;
  }

  /** Looks at some of those with a backlog, as long as there are any: an idle runtime has no timer for it. */
  #sample(): void {
    this.#timer = null;
    const now = this.#runtime.clock.now();
    for (let left = Math.min(SAMPLE_MAX, this.#backlogged.length); left > 0; left--) {
      if (this.#sampled >= this.#backlogged.length) this.#sampled = 0;
      const record = this.#backlogged[this.#sampled]!;
      if (record.process.messageQueueLength === 0) {
        this.#leave(record);
        continue;
      }
      record.touch(now);
      this.#sampled++;
    }
    // What waits for something else than a slice makes no turns at whose end it would be counted.
    this.#runtime.stats?.publish(now);
    if (this.#backlogged.length !== 0) this.#timer = this.#runtime.clock.setTimer(this.#onTimer, SAMPLE_MS);
  }

  /** The record of a process, that of another one if there is no room. Null: all that were looked at have longer mailboxes. */
  #record(process: Process<never>, now: number, length: number): Activity | null {
    if (process.activity !== null) return process.activity;
    const records = this.#records;
    let record: Activity;
    if (records.length < RECORDS_MAX) {
      record = new Activity(process, now);
      record.index = records.length;
      records.push(record);
    } else {
      const least = this.#least();
      if (least.backlogIndex >= 0 && least.process.messageQueueLength >= length) return null;
      this.#leave(least);
      least.process.activity = null;
      record = least;
      record.reset(process, now);
    }
    process.activity = record;
    return record;
  }

  /** Of the next few records the one that has least to show: without a backlog before with one, then by age or length. */
  #least(): Activity {
    const records = this.#records;
    let least: Activity | null = null;
    for (let probe = 0; probe < PROBES; probe++) {
      this.#hand = this.#hand + 1 < records.length ? this.#hand + 1 : 0;
      const record = records[this.#hand]!;
      if (least === null || showsLess(record, least)) least = record;
    }
    return least!;
  }
}

function showsLess(a: Activity, b: Activity): boolean {
  const aBacklogged = a.backlogIndex >= 0;
  if (aBacklogged !== b.backlogIndex >= 0) return !aBacklogged;
  return aBacklogged ? a.process.messageQueueLength < b.process.messageQueueLength : a.at < b.at;
}

function isRunnable({ flags, mailboxLength }: Process<never>): boolean {
  return mailboxLength !== 0 && (flags & ProcessFlag.suspended) === 0;
}
