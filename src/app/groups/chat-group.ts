import type { ChatStats } from '../../chat/chat-stats.js';
import { columnName, counter } from '../../metrics/columns.js';
import type { Column, GroupSource } from '../../metrics/reading.js';
import { type FiguresOfThreads, rowsOnce } from '../server-figures.js';

/** Each counter of the chat, its unit, and what it says. */
const COUNTERS: readonly (readonly [keyof ChatStats, string, string])[] = [
  ['sends', '{message}', 'Messages that clients sent.'],
  ['sendAcks', '{message}', 'Of them, stored and acknowledged.'],
  ['deliveries', '{message}', 'Messages handed to clients, pushed or pulled.'],
  ['receipts', '{receipt}', 'Receipts handed to clients.'],
  ['acks', '{ack}', 'Acknowledgements of deliveries by clients.'],
  ['duplicates', '{message}', 'Messages that came a second time and were stored once.'],
  ['refused', '{message}', 'Messages that were not stored; their senders were told.'],
  ['held', '{message}', 'Of them, those that had to wait for one before them.'],
  [
    'entriesLocal',
    '{message}',
    'New messages and receipts pushed to a session on the scheduler of the inbox.',
  ],
  ['entriesRemote', '{message}', 'The same to a session on another scheduler.'],
  [
    'entriesOffline',
    '{message}',
    'New messages and receipts for users who were not online: they wait in the store.',
  ],
  ['pulls', '{request}', 'Times that a session asked the store for what waits.'],
  ['pagesSent', '{page}', 'Pages of waiting messages sent.'],
  ['mores', '{request}', 'Times that a client asked for more.'],
  ['ephemeralsIn', '{message}', 'Messages that are not stored (typing and the like) from clients.'],
  ['ephemeralsOut', '{message}', 'Such messages handed to clients.'],
  ['ephemeralsDropped', '{message}', 'Such messages that were dropped.'],
  ['requests', '{request}', 'Requests of clients.'],
  ['errorsSent', '{error}', 'Errors told to clients.'],
  ['rateLimited', '{frame}', 'Frames refused because their client sent too many.'],
  ['attaches', '{session}', 'Clients that said who they are.'],
  ['attachesRefused', '{session}', 'Clients that were not believed.'],
  ['superseded', '{session}', 'Sessions ended by a newer one of the same user.'],
  ['registrations', '{user}', 'Registrations that were begun.'],
  ['pinsSent', '{message}', 'PINs sent.'],
  ['pinsRefused', '{request}', 'Wrong PINs.'],
  ['storeFailures', '{message}', 'Messages refused because the store could not commit.'],
  ['overloaded', '{message}', 'Messages refused because the store was behind.'],
  ['ackTimeouts', '{session}', 'Sessions ended because their client did not acknowledge.'],
  [
    'entriesBehind',
    '{message}',
    'New messages and receipts for users who were online, but were still being sent what came before: a page has them.',
  ],
  ['deliveriesPulled', '{message}', 'Messages handed to clients in pages that they asked for.'],
];

/** What the chat does, over all schedulers. */
export function chatGroup(threads: FiguresOfThreads): GroupSource {
  const rows = rowsOnce(({ chat }) => {
    const pushed = chat.sum('deliveries') - chat.sum('deliveriesPulled');
    return [{ instance: '', figures: [...COUNTERS.map(([name]) => chat.sum(name)), pushed] }];
  });
  return {
    description: {
      name: 'chat',
      version: 1,
      title: 'Chat',
      instance: null,
      columns: [
        ...COUNTERS.map(([name, unit, text]): Column => counter(columnName(name), unit, text)),
        counter('deliveries_pushed', '{message}', 'Messages handed to clients as they came, unasked.'),
      ],
    },
    read: async () => rows(await threads.read()),
  };
}
