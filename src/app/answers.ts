import type { Answer, Question } from './thread-questions.js';

/**
 * What a thread answers to the main thread's questions, by their topics. A topic belongs to the file that registers it; its
 * parameters and its answer are cloned on their way.
 */
export class Answers {
  readonly #topics = new Map<string, (params: never) => unknown>();
  readonly #post: (answer: Answer) => void;

  constructor(post: (answer: Answer) => void) {
    this.#post = post;
  }

  /** @throws RangeError if the topic has its answer already. */
  on<P>(topic: string, answer: (params: P) => unknown): this {
    if (this.#topics.has(topic)) throw new RangeError(`the topic ${topic} has its answer already`);
    this.#topics.set(topic, answer);
    return this;
  }

  answer({ id, topic, params }: Question): void {
    const answer = this.#topics.get(topic);
    void (async () => {
      try {
        if (answer === undefined) throw new RangeError(`nobody here knows the topic ${topic}`);
        this.#post({ type: 'answer', id, value: await answer(params as never), error: null });
      } catch (thrown) {
        const { name, message } =
          thrown instanceof Error ? thrown : { name: 'Error', message: String(thrown) };
        this.#post({ type: 'answer', id, value: null, error: { name, message } });
      }
    })();
  }
}
