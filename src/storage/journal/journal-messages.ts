import type { JournalAnswer, JournalRequest } from './journal.js';

/** To the writer: requests that gathered, in order. Numbered upwards on their port. */
export interface RequestBatch {
  readonly type: 'requests';
  readonly number: number;
  /** The last batch whose answers the sender had seen when it made this one. */
  readonly seen: number;
  readonly requests: readonly JournalRequest[];
}

/** From the writer: the answers to one batch, each in its place. Batches are answered in order. */
export interface AnswerBatch {
  readonly type: 'answers';
  readonly number: number;
  readonly answers: readonly JournalAnswer[];
}
