import { LastingCounters } from '../metrics/lasting-counters.js';
import type { SchedulerThread } from './scheduler-threads.js';
import type { SchedulerStats, WriterStats } from './thread-messages.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';

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

/** Asks all threads at once, for all groups of a reading. */
export class FiguresOfThreads {
  readonly #questions: ThreadQuestions;
  readonly #schedulers: readonly SchedulerThread[];
  readonly #writer: AskedThread;
  readonly #chat = new LastingCounters();
  readonly #listener = new LastingCounters();
  #underWay: Promise<ServerFigures> | null = null;

  constructor(questions: ThreadQuestions, schedulers: readonly SchedulerThread[], writer: AskedThread) {
    this.#questions = questions;
    this.#schedulers = schedulers;
    this.#writer = writer;
  }

  read(): Promise<ServerFigures> {
    this.#underWay ??= this.#ask().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #ask(): Promise<ServerFigures> {
    const ask = <T>(thread: AskedThread) =>
      this.#questions.ask<T>(thread, 'stats', null, TIMEOUT_MS).catch(() => null);
    const [writer, ...answers] = await Promise.all([
      ask<WriterStats | null>(this.#writer),
      ...this.#schedulers.map(async (scheduler) => {
        const { number, name } = scheduler;
        const stats = await ask<SchedulerStats>(scheduler);
        if (stats === null) return null;
        this.#chat.heard(name, number, stats.chat as unknown as Readonly<Record<string, number>>);
        this.#listener.heard(name, number, stats.listener);
        return stats;
      }),
    ]);
    return {
      schedulers: answers.filter((stats) => stats !== null),
      writer,
      chat: this.#chat,
      listener: this.#listener,
    };
  }
}
