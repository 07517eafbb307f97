import type { MailboxReport } from '../../actors/mailbox-report.js';
import { type Action, ActionRefused } from '../action.js';
import { integerParam, onlyParams } from '../params.js';

/** What the busiest processes are sought by: how many messages wait, how many are handled a second, how long the oldest has waited. */
export type TopBy = 'length' | 'rate' | 'delay';

export interface TopAnswer {
  /** The most first. */
  readonly mailboxes: readonly MailboxReport[];
  /** Threads that did not answer. */
  readonly silent: readonly string[];
}

const COUNT_MAX = 1000;

/** The busiest processes of all threads. */
export function topAction(top: (by: TopBy, count: number) => Promise<TopAnswer>): Action {
  return {
    name: 'top',
    description:
      'The processes with the longest mailboxes (by: length), the most messages a second (rate) or the oldest messages (delay).',
    changes: false,
    run: (params) => {
      onlyParams(params, 'by', 'count');
      const { by = 'length' } = params;
      if (by !== 'length' && by !== 'rate' && by !== 'delay')
        throw new ActionRefused(400, `by must be length, rate or delay, not ${JSON.stringify(by)}`);
      return top(by, integerParam(params, 'count', { min: 1, max: COUNT_MAX, otherwise: 20 }));
    },
  };
}
