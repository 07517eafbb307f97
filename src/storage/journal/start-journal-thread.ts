import { resolve } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { SqliteJournalOptions } from '../sqlite/sqlite-journal.js';
import { StoreOpenError } from '../store-open-error.js';
import { JournalFailure } from './journal.js';
import { JournalError } from './journal-error.js';
import type { JournalPort } from './journal-port.js';
import type { FromJournalThread, ToJournalThread } from './journal-thread.js';

/** A journal with a thread to itself. */
export interface JournalThread {
  /** Has the thread do what it was asked for, close the file and end. Resolves when it has. */
  close(): Promise<void>;
  /** Ends the thread now; a commit that it is making is made, or not. */
  terminate(): void;
  /** Resolves when the thread has ended: null if it was told to, or why. */
  readonly ended: Promise<Error | null>;
}

/**
 * Opens a journal in a thread of its own and joins `port` with it. The thread does not keep the program alive, unanswered
 * requests do.
 *
 * @throws {StoreOpenError} missing, not-writable, locked, corrupt, too-new, engine, disk-full, io
 */
export async function startJournalThread(
  port: JournalPort,
  options: SqliteJournalOptions,
): Promise<JournalThread> {
  const worker = new Worker(new URL('./journal-thread.js', import.meta.url), {
    workerData: { ...options, path: resolve(options.path) } satisfies SqliteJournalOptions,
    name: 'journal',
  });
  const post = (message: ToJournalThread, transfer: readonly MessagePort[] = []) =>
    worker.postMessage(message, [...transfer]);
  let told = false;
  let error: Error | null = null;
  worker.on('error', (thrown: unknown) => {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  });
  const ended = new Promise<Error | null>((done) => {
    worker.once('exit', (code) => {
      const text = `the thread of the journal ${options.path} ended with code ${code}`;
      done(told ? error : (error ?? new JournalError(JournalFailure.lost, text)));
    });
  });
  await new Promise<void>((opened, refused) => {
    worker.once('message', (message: FromJournalThread) => {
      if (message.type === 'open') opened();
      else refused(new StoreOpenError(message.reason, message.path, message.message));
    });
    void ended.then(refused);
  });
  worker.unref();
  const { port1, port2 } = new MessageChannel();
  post({ type: 'attach', port: port2 }, [port2]);
  port.attach(port1);
  return {
    ended,
    terminate: () => void worker.terminate(),
    close: async () => {
      // Through the port, because what was asked for may still stand in it.
      await Promise.race([port.settled(), ended]);
      told = true;
      worker.ref();
      post({ type: 'close' });
      await ended;
    },
  };
}
