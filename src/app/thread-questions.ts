import type { Clock } from '../structures/clock.js';

/** How long a thread may take to answer, unless the question says otherwise. */
const TIMEOUT_MS = 1000;

/** A question to a thread; its `Answers` know the topics. Everything in it can be cloned. */
export interface Question {
  readonly type: 'question';
  readonly id: number;
  readonly topic: string;
  readonly params: unknown;
}

export interface Answer {
  readonly type: 'answer';
  readonly id: number;
  readonly value: unknown;
  /** What the answering function threw: its name and message. */
  readonly error: { readonly name: string; readonly message: string } | null;
}

/** A thread's own words why it could not answer. */
export class QuestionFailed extends Error {
  override readonly name = 'QuestionFailed';
  constructor(
    /** The name of the error that was thrown there, such as BadArgument. */
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

/** What can be asked. */
export interface AskedThread {
  readonly running: boolean;
  post(message: Question): void;
}

/** Asks the threads of the server. One that is not running, or does not answer in time, has said null. */
export class ThreadQuestions {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * That the answer is a `T` is the word of whoever registered the topic.
   *
   * @throws QuestionFailed if answering it threw
   */
  ask<T>(
    thread: AskedThread,
    topic: string,
    params: unknown = null,
    timeoutMs: number = TIMEOUT_MS,
  ): Promise<T | null> {
    if (!thread.running) return Promise.resolve(null);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(() => {
        this.#waiting.delete(id);
        resolve(null);
      }, timeoutMs);
      this.#waiting.set(id, ({ value, error }) => {
        this.#clock.clearTimer(timer);
        if (error === null) resolve(value as T);
        else reject(new QuestionFailed(error.name, error.message));
      });
      thread.post({ type: 'question', id, topic, params });
    });
  }

  arrived(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    waiting?.(answer);
  }
}
