import type { Pid, Process } from '../../actors/index.js';
import { receive, sleep } from '../../actors/index.js';
import type { GroupDescription, Reading } from '../reading.js';
import type { AlertBook } from './alert-book.js';
import type { AlertRule } from './alert-rules.js';
import type { Backlog, BacklogSource } from './backlog-source.js';
import type { EventCounts } from './event-counts.js';
import { FigureWatch, findingOf } from './figure-watch.js';
import { processObservations } from './process-findings.js';

/** How often it is looked whether any process has a backlog. */
const LOOK_MS = 1000;
/** The same while one has, or something is wrong: what is too old after a second is told of soon after. */
const WATCH_MS = 250;
/** A look that is so late was held up by this thread. */
const LATE_MS = 500;
/** How often figures are read, and a scheduler is asked for a sign of life. */
const FIGURES_MS = 5000;
/** The same of figures that the operating system has to be asked for, a file for each: they change slowly. */
const SYSTEM_MS = 15_000;
const SYSTEM_GROUPS = new Set(['net', 'files']);
/** What the process is sent when there is something to look at. */
const LOOK = 'look';
/** Processes that a scheduler tells of at most. */
export const PROCESSES_MAX = 1024;

/** In the place of the time at which a scheduler was asked that is not there. */
const NOT_THERE = Number.POSITIVE_INFINITY;

/** What is read: `Groups` on the main thread. */
export interface FiguresSource {
  describe(): readonly GroupDescription[];
  read(names: Iterable<string>): Promise<Reading>;
}

export interface AlertMonitorParts {
  readonly rules: readonly AlertRule[];
  readonly book: AlertBook;
  readonly events: EventCounts;
  readonly figures: FiguresSource;
  /** The schedulers, as of now. */
  readonly backlogs: () => readonly BacklogSource[];
}

/** Of one incarnation of a scheduler. */
interface Asked {
  isUnderWay: boolean;
  askedAt: number;
  /** Since when it has not answered, or is not there; null: it has. */
  silentSince: number | null;
}

/**
 * The process that looks whether anything is wrong. While no message waits anywhere a timer looks at one number for each
 * scheduler a second, and the process has its turn every five, for the figures.
 */
export class AlertMonitor {
  readonly #parts: AlertMonitorParts;
  readonly #self: Process<never>;
  readonly #watch: FigureWatch;
  readonly #asked = new Map<string, Asked>();
  #figuresAt = Number.NEGATIVE_INFINITY;
  #systemAt = Number.NEGATIVE_INFINITY;
  #isReading = false;
  /** When it meant to look next. */
  #dueAt = Number.POSITIVE_INFINITY;

  private constructor(self: Process<never>, parts: AlertMonitorParts) {
    this.#parts = parts;
    this.#self = self;
    this.#watch = new FigureWatch(parts.rules);
  }

  /** What makes a process of it: `supervisor.spawnLink(AlertMonitor.process(parts))`. */
  static process(parts: AlertMonitorParts): (self: Process<never>) => Promise<void> {
    return async (self) => {
      const monitor = new AlertMonitor(self, parts);
      // Whoever is to be told has his place by then.
      await self.wait(sleep(LOOK_MS));
      for (;;) {
        monitor.#doze(monitor.look());
        await self.wait(receive(LOOK));
      }
    };
  }

  /** Has the process look after this time, or when there is something to look at. */
  #doze(ms: number): void {
    const { alive, runtime } = this.#self;
    if (!alive) return;
    runtime.clock.setTimer(() => {
      const now = runtime.clock.now();
      if (this.#isQuiet(now)) {
        this.#dueAt = now + LOOK_MS;
        this.#doze(LOOK_MS);
      } else runtime.send(this.#self as unknown as Pid<typeof LOOK>, LOOK);
    }, ms);
  }

  /** Whether a look would find nothing to do: this one costs a timer, and that one a turn. */
  #isQuiet(now: number): boolean {
    const { book, events } = this.#parts;
    if (now - this.#dueAt >= LATE_MS) return false;
    if (!events.isEmpty || book.isWatched('events')) return false;
    if (now - this.#figuresAt >= FIGURES_MS && !this.#isReading) return false;
    for (const source of this.#parts.backlogs()) {
      const { name, isRunning } = source;
      if (!isRunning || source.backlogged() > 0 || this.#isWatched(name)) return false;
      const asked = this.#asked.get(name);
      if (asked === undefined || asked.askedAt === NOT_THERE || asked.silentSince !== null) return false;
      if (!asked.isUnderWay && now - asked.askedAt >= FIGURES_MS) return false;
    }
    return true;
  }

  /** Looks, and returns in how many ms it is to be looked again. */
  look(): number {
    const now = this.#self.runtime.clock.now();
    const { book, events, rules } = this.#parts;
    this.#excuse(now - this.#dueAt);
    let isWatching = false;
    const sources = this.#parts.backlogs();
    for (const source of sources) {
      this.#lookAt(source, now);
      isWatching ||= source.backlogged() > 0 || this.#isWatched(source.name);
    }
    if (!events.isEmpty || book.isWatched('events')) book.evaluate('events', events.observe(rules, now));
    if (now - this.#figuresAt >= FIGURES_MS && !this.#isReading) {
      this.#figuresAt = now;
      this.#readFigures(now);
    }
    const pauseMs = isWatching ? WATCH_MS : LOOK_MS;
    this.#dueAt = now + pauseMs;
    return pauseMs;
  }

  /** Whoever did not answer while this thread itself stood still may have answered: it has not been heard yet. */
  #excuse(lateMs: number): void {
    if (!(lateMs >= LATE_MS)) return;
    for (const asked of this.#asked.values()) {
      if (asked.isUnderWay) asked.askedAt += lateMs;
      if (asked.silentSince !== null && asked.askedAt !== NOT_THERE) asked.silentSince += lateMs;
    }
  }

  #lookAt(source: BacklogSource, now: number): void {
    const { book } = this.#parts;
    const scope = scopeOf(source.name);
    let asked = this.#asked.get(source.name);
    if (!source.isRunning) {
      if (asked?.askedAt !== NOT_THERE) {
        asked = { isUnderWay: false, askedAt: NOT_THERE, silentSince: asked?.silentSince ?? now };
        this.#asked.set(source.name, asked);
      }
      // What was wrong with its processes has ended with them.
      if (book.isWatched(scope)) book.evaluate(scope, []);
      this.#judgeSilence(source.name, asked, now);
      return;
    }
    if (asked === undefined || asked.askedAt === NOT_THERE) {
      asked = {
        isUnderWay: false,
        askedAt: Number.NEGATIVE_INFINITY,
        silentSince: asked?.silentSince ?? null,
      };
      this.#asked.set(source.name, asked);
    }
    if (asked.isUnderWay) return;
    if (asked.silentSince !== null) this.#judgeSilence(source.name, asked, now);
    const isQuiet = source.backlogged() === 0 && asked.silentSince === null && !this.#isWatched(source.name);
    if (isQuiet && now - asked.askedAt < FIGURES_MS) return;
    asked.isUnderWay = true;
    asked.askedAt = now;
    const state = asked;
    this.#later(source.ask(PROCESSES_MAX), (backlog) => {
      state.isUnderWay = false;
      this.#answered(source.name, state, backlog);
    });
  }

  #answered(name: string, asked: Asked, backlog: Backlog | null): void {
    // It has ended meanwhile, or is another one by now.
    if (this.#asked.get(name) !== asked) return;
    const { book, rules } = this.#parts;
    // The next look judges it: it knows whether this thread was there to hear an answer.
    if (backlog === null) {
      asked.silentSince ??= asked.askedAt;
      return;
    }
    asked.silentSince = null;
    book.evaluate(scopeOf(name), processObservations(rules, backlog.processes));
    this.#judgeSilence(name, asked, this.#self.runtime.clock.now());
  }

  #judgeSilence(name: string, { silentSince }: Asked, now: number): void {
    const { book, rules } = this.#parts;
    const scope = silenceOf(name);
    if (silentSince === null && !book.isWatched(scope)) return;
    const value = silentSince === null ? 0 : now - silentSince;
    const observations = rules
      .filter((rule) => rule.source.kind === 'silence')
      .map((rule) => ({ rule, subject: name, label: null, value, find: () => findingOf(rule, name, value) }));
    book.evaluate(scope, observations);
  }

  #isWatched(name: string): boolean {
    const { book } = this.#parts;
    return book.isWatched(scopeOf(name)) || book.isWatched(silenceOf(name));
  }

  #readFigures(now: number): void {
    const { figures, book } = this.#parts;
    const descriptions = figures.describe();
    const isSystemDue = now - this.#systemAt >= SYSTEM_MS;
    if (isSystemDue) this.#systemAt = now;
    const all = this.#watch.groups(descriptions);
    const names = isSystemDue ? all : all.filter((name) => !SYSTEM_GROUPS.has(name));
    if (names.length === 0) return;
    this.#isReading = true;
    this.#later(figures.read(names), (reading) => {
      this.#isReading = false;
      for (const [group, observations] of this.#watch.observe(reading, descriptions)) {
        book.evaluate(`figures ${group}`, observations);
      }
    });
  }

  /** What fails ends this process, with a report, and its supervisor starts another one. */
  #later<T>(promise: Promise<T>, then: (value: T) => void): void {
    promise.then(then).catch((thrown: unknown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#self.exit({ type: 'error', error });
    });
  }
}

function scopeOf(scheduler: string): string {
  return `processes ${scheduler}`;
}

function silenceOf(scheduler: string): string {
  return `silence ${scheduler}`;
}
