import type { AlertNotice } from './alert-sink.js';

/** Notices that wait for a sink; when it is full the oldest goes. */
export const QUEUE_MAX = 100;

/** Notices on their way to where it takes time, one at a time, in order. */
export class NoticeQueue {
  readonly #work: (notice: AlertNotice, dropped: number) => Promise<void>;
  #waiting: AlertNotice[] = [];
  /** Dropped since the last one that was worked on: it says so. */
  #dropped = 0;
  #isBusy = false;

  /** @param work must not throw, and must come to an end */
  constructor(work: (notice: AlertNotice, dropped: number) => Promise<void>) {
    this.#work = work;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(notice: AlertNotice): void {
    this.#waiting.push(notice);
    if (this.#waiting.length > QUEUE_MAX) {
      this.#waiting.shift();
      this.#dropped++;
    }
    if (!this.#isBusy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    for (let notice = this.#waiting.shift(); notice !== undefined; notice = this.#waiting.shift()) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      await this.#work(notice, dropped);
    }
    this.#isBusy = false;
  }
}
