import type { LoopTimes } from './thread-process.js';

interface ThreadHandle<To> {
  post(message: To): void;
  loopTimes(): LoopTimes;
}

/** A thread as the server knows it over its incarnations. */
export class Thread<To> {
  /** It serves. */
  running = false;
  dismissed = false;
  /** From its start to its end, whether it serves already or not. */
  #process: ThreadHandle<To> | null = null;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly name: string) {}

  /** To the present incarnation; to nobody while there is none. */
  post(message: To): void {
    this.#process?.post(message);
  }

  /** How long the event loop of the present incarnation has waited and worked; null while there is none. */
  loopTimes(): LoopTimes | null {
    return this.#process?.loopTimes() ?? null;
  }

  started(process: ThreadHandle<To>): void {
    this.#process = process;
  }

  ended(): void {
    this.running = false;
    this.#process = null;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Sends it away, and resolves when it is gone. From now on it is not started again, whatever it ends of. */
  dismiss(message: To): Promise<void> {
    this.dismissed = true;
    if (this.#process === null) return Promise.resolve();
    this.post(message);
    return this.gone();
  }

  /** Resolves when the present incarnation has ended. */
  gone(): Promise<void> {
    if (this.#process === null) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
