import type { Clock } from '../structures/clock.js';
import type { SchedulerStats, WriterStats } from './thread-messages.js';

/** How long a thread may take to say how it is. */
const TIMEOUT_MS = 1000;

/** Asks threads how they are. One that does not answer in time answers null. */
export class StatsQuestions {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (stats: SchedulerStats | WriterStats) => void>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ask<T extends SchedulerStats | WriterStats>(
    thread: { readonly running: boolean },
    post: (id: number) => void,
  ): Promise<T | null> {
    if (!thread.running) return Promise.resolve(null);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(() => {
        this.#waiting.delete(id);
        resolve(null);
      }, TIMEOUT_MS);
      this.#waiting.set(id, (stats) => {
        this.#clock.clearTimer(timer);
        resolve(stats as T);
      });
      post(id);
    });
  }

  arrived(id: number, stats: SchedulerStats | WriterStats): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.(stats);
  }
}
