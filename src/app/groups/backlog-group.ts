import { lately } from '../../actors/activity.js';
import type { MailboxReport } from '../../actors/mailbox-report.js';
import { gauge } from '../../metrics/columns.js';
import type { GroupDescription, GroupSource, Row } from '../../metrics/reading.js';
import type { AskedThread, ThreadQuestions } from '../thread-questions.js';
import { topOfAll } from '../top-mailboxes.js';

/** Rows at most. */
const ROWS_MAX = 20;
/** Less than this is no backlog, unless it has waited for long. */
const MESSAGES_MIN = 100;
const OLDEST_MS_MIN = 1000;

const DESCRIPTION: GroupDescription = {
  name: 'backlog',
  version: 1,
  title: `Processes with a backlog: the ${ROWS_MAX} longest mailboxes of at least ${MESSAGES_MIN} messages, or one that has waited for a second`,
  instance: 'process',
  transient: true,
  columns: [
    gauge('messages', '{message}', 'Messages that wait.'),
    gauge(
      'out_rate',
      '{message}/s',
      'Messages handled a second: of the last 10 s, or of the last one if that is something else altogether.',
    ),
    gauge('in_rate', '{message}/s', 'Messages that came a second, of the same time.'),
    gauge('delay', 'ms', 'How long a message that comes now will wait; n/a: nothing is handled.'),
    gauge('oldest', 'ms', 'How long the oldest message has waited.'),
    gauge('drain', 'ms', 'In how long the mailbox will be empty as it goes now; n/a: never.'),
    gauge('stalled', 'ms', 'For how long nothing has been handled.'),
  ],
};

/**
 * Group `backlog`: the processes that have messages waiting, over all schedulers.
 *
 * @param isBacklogged whether some process of it is known to have a backlog; the others are not asked.
 */
export function backlogGroup<Scheduler extends AskedThread & { readonly name: string }>(
  questions: ThreadQuestions,
  schedulers: readonly Scheduler[],
  isBacklogged: (scheduler: Scheduler) => boolean,
): GroupSource {
  return {
    description: DESCRIPTION,
    read() {
      const backlogged = schedulers.filter(isBacklogged);
      if (backlogged.length === 0) return [];
      return topOfAll(questions, backlogged, { by: 'length', count: ROWS_MAX }).then(({ mailboxes }) =>
        backlogRows(mailboxes),
      );
    },
  };
}

/** A row's instance is the pid, the label and the current handler with tabs between them. */
export function backlogRows(mailboxes: readonly MailboxReport[]): readonly Row[] {
  return mailboxes
    .filter(({ length, oldestMs }) => length >= MESSAGES_MIN || (length > 0 && oldestMs >= OLDEST_MS_MIN))
    .map(({ pid, label, handler, length, inRate, outRate, delayMs, oldestMs, drainMs, stalledMs }) => {
      const { ins, outs } = lately(inRate, outRate);
      return {
        instance: [pid, label, handler].map((text) => text.replaceAll('\t', ' ')).join('\t'),
        figures: [length, outs, ins, delayMs, oldestMs, drainMs, stalledMs],
      };
    });
}
