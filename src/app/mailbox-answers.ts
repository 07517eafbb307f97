import { BadArgument } from '../actors/bad-argument.js';
import { type MailboxReport, mailboxReport, topMailboxes } from '../actors/mailbox-report.js';
import type { Runtime } from '../actors/runtime.js';
import type { Answers } from './answers.js';

/** What the topic `top` is asked with. */
export interface TopParams {
  readonly by: 'length' | 'rate' | 'delay';
  /** At most {@link TOP_MAX}. */
  readonly count: number;
}

export const TOP_BY = ['length', 'rate', 'delay'] as const;
export const TOP_MAX = 1000;

/**
 * The topics `top` ({@link TopParams} → MailboxReport[], the most first) and `mailbox` (`{ id }` → MailboxReport, null if
 * there is no such process).
 */
export function registerMailboxes(answers: Answers, runtime: Runtime): void {
  answers
    .on('top', ({ by, count }: TopParams): MailboxReport[] => {
      if (!TOP_BY.includes(by)) throw new BadArgument(`by must be length, rate or delay, not ${by}`);
      if (!Number.isInteger(count) || count < 1 || count > TOP_MAX)
        throw new BadArgument(`count must be 1 to ${TOP_MAX}, not ${count}`);
      return topMailboxes(runtime, by, count);
    })
    .on('mailbox', ({ id }: { readonly id: number }) => mailboxReport(runtime, id));
}
