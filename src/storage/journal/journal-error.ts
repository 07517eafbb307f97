import { JournalFailure } from './journal.js';

/** A request to the journal came to nothing; `reason` says why, and the message names the key. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly reason: JournalFailure;

  constructor(reason: JournalFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

/** For what was asked for behind an event that was refused, before its asker knew. */
export function behindFailure(key: string): JournalError {
  return new JournalError(JournalFailure.behind, `not stored: an earlier event of ${key} was not`);
}
