import { JournalFailure } from '../storage/journal/journal.js';
import { JournalPort, type JournalPortOptions } from '../storage/journal/journal-port.js';
import { type JournalThread, startJournalThread } from '../storage/journal/start-journal-thread.js';
import type { SqliteJournalOptions } from '../storage/sqlite/sqlite-journal.js';
import { JournalPersistenceEngine } from './journal-persistence-engine.js';

/** A persistence engine with a file and a thread of its own. */
export class OpenedPersistenceEngine extends JournalPersistenceEngine {
  readonly #thread: JournalThread;
  readonly #port: JournalPort;

  /** @internal Use {@link openPersistenceEngine}. */
  constructor(port: JournalPort, thread: JournalThread) {
    super(port);
    this.#port = port;
    this.#thread = thread;
    void thread.ended.then((error) => {
      if (error !== null) port.close(JournalFailure.lost, error.message);
    });
  }

  /** Resolves when the thread has ended: null after {@link close}, else why. Requests are refused (`lost`) then. */
  get ended(): Promise<Error | null> {
    return this.#thread.ended;
  }

  /** Waits until everything asked for is on disk, and closes the file. Requests are refused (`closed`) then. */
  async close(): Promise<void> {
    await this.#thread.close();
    this.#port.close();
  }
}

/**
 * Opens a persistence engine on a file (made if it is not there; its folder must be), in a thread of its own: all that nact
 * needs, without the chat server. The program may end while it is open; what was persisted is on disk.
 *
 *     const engine = await openPersistenceEngine({ path: './ledger.db' });
 *     const system = start(configurePersistence(engine));
 *
 * @throws {StoreOpenError} missing, not-writable, locked, corrupt, too-new, engine, disk-full, io
 */
export async function openPersistenceEngine(
  options: SqliteJournalOptions & JournalPortOptions,
): Promise<OpenedPersistenceEngine> {
  const port = new JournalPort(options);
  return new OpenedPersistenceEngine(port, await startJournalThread(port, options));
}
