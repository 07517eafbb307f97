import type { Clock } from '../structures/clock.js';

/** So long an answer is kept that says something of which nobody counts how often it changes: how full a heap is, say. */
const KEPT_MS = 10_000;

/** How far a thread is. */
export interface Progress {
  /** Another one for each of its incarnations. */
  readonly incarnation: number;
  /** Moves with all that happens there. */
  readonly stirs: number;
}

/** What was heard of one thread. */
interface Heard<T> extends Progress {
  readonly at: number;
  /** Nothing had happened since the answer before: nothing was half done when it was given. */
  readonly isSettled: boolean;
  readonly answer: T;
}

/**
 * What threads answered, kept while nothing happens there: one that sleeps is not woken only to say the same again. Whether
 * anything has happened stands in shared memory.
 */
export class StillThreads<T> {
  readonly #clock: Clock;
  /** By thread. */
  readonly #heard = new Map<string, Heard<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * What the thread says now; null: it does not answer.
   *
   * @param progress of before the question
   * @param ask asks it
   */
  async ask(thread: string, progress: Progress, ask: () => Promise<T | null>): Promise<T | null> {
    const { incarnation, stirs } = progress;
    const before = this.#heard.get(thread);
    const at = this.#clock.now();
    const isStill = before !== undefined && before.incarnation === incarnation && before.stirs === stirs;
    if (isStill && before.isSettled && at - before.at < KEPT_MS) return before.answer;
    const answer = await ask();
    if (answer === null) this.#heard.delete(thread);
    else this.#heard.set(thread, { incarnation, stirs, at, isSettled: isStill, answer });
    return answer;
  }
}
