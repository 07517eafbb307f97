import { type MessageTrace, MessageTraces } from '../metrics/message-trace.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import type { AskedThread, ThreadQuestions } from './thread-questions.js';
import { type MarksAnswer, stationMarks } from './trace-answers.js';

/** How often the schedulers are asked for what they have marked. */
export const FETCH_MS = 1000;
/** A message that has not arrived by then is told of as it is. */
const LINGER_MS = 5000;
const OPEN_MAX = 20_000;

export interface MessageTracingParts {
  readonly clock: Clock;
  readonly questions: ThreadQuestions;
  readonly schedulers: () => readonly (AskedThread & { readonly name: string })[];
  readonly onTrace: (trace: MessageTrace) => void;
  /** The schedulers could not keep so many marks more: the share is too high for the load. */
  readonly onDropped: (marks: number) => void;
}

/**
 * Follows a share of the messages through the schedulers: fetches their marks once a second, and puts them together. While
 * the share is 0 nothing is asked, and nothing marked.
 */
export class MessageTracing {
  readonly #parts: MessageTracingParts;
  readonly #traces: MessageTraces;
  readonly #dropped = new Map<string, number>();
  #ratio = 0;
  #timer: ClockTimer | null = null;
  #isFetching = false;

  constructor(parts: MessageTracingParts) {
    this.#parts = parts;
    this.#traces = new MessageTraces({ lingerMs: LINGER_MS, openMax: OPEN_MAX, onTrace: parts.onTrace });
  }

  /** From 0 to 1; effective at the next fetch, at once when it was 0. */
  set ratio(ratio: number) {
    this.#ratio = ratio;
    if (ratio > 0 && this.#timer === null && !this.#isFetching) void this.#fetch();
  }

  /** Fetches what there is for the last time. */
  async close(): Promise<void> {
    const { clock } = this.#parts;
    const wasOn = this.#ratio > 0;
    this.#ratio = 0;
    if (this.#timer !== null) clock.clearTimer(this.#timer);
    this.#timer = null;
    if (wasOn && !this.#isFetching) await this.#fetch();
    this.#traces.flush();
  }

  async #fetch(): Promise<void> {
    const { clock, questions, schedulers } = this.#parts;
    const ratio = this.#ratio;
    this.#timer = null;
    this.#isFetching = true;
    await Promise.all(
      schedulers().map(async (scheduler) => {
        const answer = await questions
          .ask<MarksAnswer>(scheduler, 'message-marks', { ratio }, FETCH_MS)
          .catch(() => null);
        if (answer !== null) this.#take(scheduler.name, answer);
      }),
    );
    this.#isFetching = false;
    this.#traces.expire(clock.now());
    // It was turned off meanwhile: the schedulers are to hear of it.
    if (ratio > 0 || this.#ratio > 0) {
      this.#timer = clock.setTimer(() => void this.#fetch(), FETCH_MS);
    } else {
      this.#traces.flush();
    }
  }

  #take(thread: string, { marks, dropped }: MarksAnswer): void {
    const now = this.#parts.clock.now();
    for (const mark of stationMarks(marks, thread)) this.#traces.add(mark, now);
    const before = this.#dropped.get(thread) ?? 0;
    this.#dropped.set(thread, dropped);
    if (dropped > before) this.#parts.onDropped(dropped - before);
  }
}
