import type { RuntimeStat } from '../../actors/runtime-stats.js';
import { counter, gauge } from '../../metrics/columns.js';
import type { GroupSource } from '../../metrics/reading.js';
import { StatsBlock } from '../../schedulers/index.js';
import type { WatchedThread } from './watched-thread.js';

/** Message queues, for each scheduler. Of one that hangs, too: nothing is asked of it. */
export function msgqGroup(threads: readonly WatchedThread[]): GroupSource {
  return {
    description: {
      name: 'msgq',
      version: 1,
      title: 'Message queues',
      instance: 'thread',
      columns: [
        gauge('total', '{message}', 'Messages that wait in mailboxes.'),
        gauge('longest', '{message}', 'Messages in the longest mailbox.'),
        gauge('non_empty', '{process}', 'Processes in whose mailbox something waits.'),
        gauge('backlogged', '{process}', 'Processes that are known to have a backlog.'),
        gauge('saved', '{message}', 'Messages that selective receives have put aside, in long mailboxes.'),
        counter('received', '{message}', 'Messages that came into mailboxes.'),
        counter('handled', '{message}', 'Messages that were handled.'),
        counter('dispatched', '{message}', 'Of them, those handled at once on the stack of their sender.'),
      ],
    },
    read: () =>
      threads.flatMap(({ name, stats }) => {
        if (stats === null) return [];
        const now = (stat: RuntimeStat) => StatsBlock.of(stats).read(stat);
        return [
          {
            instance: name,
            figures: [
              now('waiting'),
              now('longest'),
              now('nonEmpty'),
              now('backlogged'),
              now('saved'),
              now('received'),
              now('handled'),
              now('dispatches'),
            ],
          },
        ];
      }),
  };
}
