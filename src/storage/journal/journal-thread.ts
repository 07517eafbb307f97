/**
 * What the thread of a journal runs that has one to itself. It opens the file, says `open` or `refused`, serves the ports
 * that it is given, and ends when it is told to `close`.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SystemClock } from '../../structures/system-clock.js';
import { SqliteJournal, type SqliteJournalOptions } from '../sqlite/sqlite-journal.js';
import { StoreOpenError, type StoreOpenReason } from '../store-open-error.js';
import { JournalWriter } from './journal-writer.js';

export type ToJournalThread =
  | { readonly type: 'attach'; readonly port: MessagePort }
  | { readonly type: 'close' };

export type FromJournalThread =
  | { readonly type: 'open' }
  | {
      readonly type: 'refused';
      readonly reason: StoreOpenReason;
      readonly path: string;
      readonly message: string;
    };

const parent = parentPort;
if (parent === null) throw new Error('this is what a worker thread runs');

function open(): SqliteJournal | null {
  try {
    return SqliteJournal.open(workerData as SqliteJournalOptions);
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    const { reason, path, advice } = error;
    parent!.postMessage({ type: 'refused', reason, path, message: advice } satisfies FromJournalThread);
    return null;
  }
}

const journal = open();
if (journal !== null) {
  const writer = new JournalWriter({ journal, clock: new SystemClock() });
  parent.on('message', (message: ToJournalThread) => {
    if (message.type === 'attach') {
      writer.attach(message.port);
    } else {
      writer.close();
      parent.close();
    }
  });
  parent.postMessage({ type: 'open' } satisfies FromJournalThread);
}
