import { LastingCounters } from '../metrics/lasting-counters.js';
import type { Row } from '../metrics/reading.js';
import { StatsBlock } from '../schedulers/index.js';
import type { Clock } from '../structures/clock.js';
import type { SchedulerThread } from './scheduler-threads.js';
import { type Progress, StillThreads } from './still-threads.js';
import type { SchedulerStats, WriterStats } from './thread-messages.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';
import type { WriterThread } from './writer-thread.js';

/** Less than a reading may take: one thread that does not answer must not cost the figures of the others. */
const TIMEOUT_MS = 700;

/** What the threads said of themselves, at one look. */
export interface ServerFigures {
  /** Of the schedulers that answered. */
  readonly schedulers: readonly SchedulerStats[];
  /** null: it did not answer. */
  readonly writer: WriterStats | null;
  /** Counters of the chat and of the listeners, over all schedulers that there are and were. */
  readonly chat: LastingCounters;
  readonly listener: LastingCounters;
}

/** How far a scheduler is. */
export function progressOf({ number, stats }: SchedulerThread): Progress {
  return { incarnation: number, stirs: stats === null ? 0 : StatsBlock.of(stats).read('stirs') };
}

/** Asks all threads at once, for all groups of a reading; those in which something has happened. */
export class FiguresOfThreads {
  readonly #questions: ThreadQuestions;
  readonly #schedulers: readonly SchedulerThread[];
  readonly #writer: WriterThread;
  readonly #stillSchedulers: StillThreads<SchedulerStats>;
  readonly #stillWriter: StillThreads<WriterStats>;
  readonly #chat = new LastingCounters();
  readonly #listener = new LastingCounters();
  #underWay: Promise<ServerFigures> | null = null;
  #latest: ServerFigures | null = null;

  constructor(
    questions: ThreadQuestions,
    schedulers: readonly SchedulerThread[],
    writer: WriterThread,
    clock: Clock,
  ) {
    this.#questions = questions;
    this.#schedulers = schedulers;
    this.#writer = writer;
    this.#stillSchedulers = new StillThreads(clock);
    this.#stillWriter = new StillThreads(clock);
  }

  /** The same object as before while all threads said the same. */
  read(): Promise<ServerFigures> {
    this.#underWay ??= this.#ask().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #ask(): Promise<ServerFigures> {
    const [writer, ...answers] = await Promise.all([
      this.#askWriter(),
      ...this.#schedulers.map((scheduler) => this.#askScheduler(scheduler)),
    ]);
    const schedulers = answers.filter((stats) => stats !== null);
    const latest = this.#latest;
    if (latest !== null && latest.writer === writer && isSame(latest.schedulers, schedulers)) return latest;
    this.#latest = { schedulers, writer, chat: this.#chat, listener: this.#listener };
    return this.#latest;
  }

  #askScheduler(scheduler: SchedulerThread): Promise<SchedulerStats | null> {
    const { number, name, running } = scheduler;
    if (!running) return Promise.resolve(null);
    return this.#stillSchedulers.ask(name, progressOf(scheduler), async () => {
      const stats = await this.#stats<SchedulerStats>(scheduler);
      if (stats === null) return null;
      this.#chat.heard(name, number, stats.chat as unknown as Readonly<Record<string, number>>);
      this.#listener.heard(name, number, stats.listener);
      return stats;
    });
  }

  #askWriter(): Promise<WriterStats | null> {
    const { name, incarnation, stats, running } = this.#writer;
    if (!running) return Promise.resolve(null);
    const block = StatsBlock.of(stats);
    const progress = { incarnation, stirs: block.read('commits') + block.read('failures') };
    return this.#stillWriter.ask(name, progress, () => this.#stats(this.#writer));
  }

  #stats<T>(thread: AskedThread): Promise<T | null> {
    return this.#questions.ask<T>(thread, 'stats', null, TIMEOUT_MS).catch(() => null);
  }
}

function isSame<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}

/** Rows of figures, made anew only when the figures are others. */
export function rowsOnce(
  rows: (figures: ServerFigures) => readonly Row[],
): (figures: ServerFigures) => readonly Row[] {
  let latest: ServerFigures | null = null;
  let made: readonly Row[] = [];
  return (figures) => {
    if (figures !== latest) made = Object.freeze(rows(figures));
    latest = figures;
    return made;
  };
}
