import type {
  ClientStore,
  Credentials,
  Cursor,
  OutboxRecord,
  StoreChange,
  StoredState,
} from './client-store.js';

/**
 * The client's memory in a browser: IndexedDB, one database for each profile.
 *
 *     state   credentials | cursor | nextMessageId  →  value
 *     outbox  id                                    →  record
 *
 * Each change is one transaction with strict durability: `done` is called when the browser has flushed it to
 * the disk (browsers that do not know the option flush to the operating system, which survives a crash of the
 * browser and not one of the machine). Only one page at a time may use a profile: the page sees to that.
 *
 * Typed by what is used instead of by the DOM library, so that it compiles beside code for Node.
 */
export class BrowserClientStore implements ClientStore {
  readonly #name: string;
  #database: Database | null = null;

  constructor(profile = 'default') {
    this.#name = `rookery-client-${profile}`;
  }

  load(done: (error: Error | null, state: StoredState) => void): void {
    this.#open((openError, database) => {
      if (database === null) {
        done(openError, NOTHING);
        return;
      }
      const transaction = database.transaction(['state', 'outbox'], 'readonly');
      const state = transaction.objectStore('state');
      const credentials = state.get('credentials');
      const cursor = state.get('cursor');
      const nextMessageId = state.get('nextMessageId');
      const outbox = transaction.objectStore('outbox').getAll();
      transaction.oncomplete = () =>
        done(null, {
          credentials: (credentials.result as Credentials | undefined) ?? null,
          cursor: (cursor.result as Cursor | undefined) ?? NOTHING.cursor,
          nextMessageId: (nextMessageId.result as number | undefined) ?? 1,
          outbox: (outbox.result as OutboxRecord[]).sort((a, b) => a.id - b.id),
        });
      transaction.onabort = () => done(failureOf(transaction), NOTHING);
    });
  }

  save(change: StoreChange, done: (error: Error | null) => void): void {
    this.#open((openError, database) => {
      if (database === null) {
        done(openError);
        return;
      }
      let transaction: Transaction;
      try {
        transaction = database.transaction(['state', 'outbox'], 'readwrite', { durability: 'strict' });
        const state = transaction.objectStore('state');
        if (change.credentials !== undefined) state.put(change.credentials, 'credentials');
        if (change.cursor !== undefined) state.put(change.cursor, 'cursor');
        if (change.nextMessageId !== undefined) state.put(change.nextMessageId, 'nextMessageId');
        const outbox = transaction.objectStore('outbox');
        for (const id of change.remove) outbox.delete(id);
        for (const { id, kind, to, body } of change.put) outbox.put({ id, kind, to, body });
      } catch (error) {
        // The connection to the database is closing: open it anew the next time.
        this.#database = null;
        done(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      transaction.oncomplete = () => done(null);
      transaction.onabort = () => done(failureOf(transaction));
    });
  }

  close(): void {
    this.#database?.close();
    this.#database = null;
  }

  #open(done: (error: Error | null, database: Database | null) => void): void {
    if (this.#database !== null) {
      done(null, this.#database);
      return;
    }
    const factory = (globalThis as unknown as { indexedDB?: DatabaseFactory }).indexedDB;
    if (factory === undefined) {
      done(new Error('this browser offers no IndexedDB here'), null);
      return;
    }
    const request = factory.open(this.#name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('state');
      request.result.createObjectStore('outbox', { keyPath: 'id' });
    };
    request.onsuccess = () => {
      const database = request.result;
      this.#database = database;
      const forget = (): void => {
        if (this.#database === database) this.#database = null;
      };
      database.onclose = forget;
      database.onversionchange = () => {
        database.close();
        forget();
      };
      done(null, database);
    };
    request.onerror = () => done(request.error ?? new Error('IndexedDB cannot be opened'), null);
  }
}

const NOTHING: StoredState = {
  credentials: null,
  cursor: { epoch: 0, seq: 0 },
  nextMessageId: 1,
  outbox: [],
};

function failureOf(transaction: Transaction): Error {
  return transaction.error ?? new Error('the IndexedDB transaction was aborted');
}

interface Request {
  readonly result: unknown;
}
interface ObjectStore {
  get(key: string): Request;
  getAll(): Request;
  put(value: unknown, key?: string): Request;
  delete(key: number): Request;
}
interface Transaction {
  readonly error: Error | null;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
  objectStore(name: string): ObjectStore;
}
interface Database {
  onclose: (() => void) | null;
  onversionchange: (() => void) | null;
  createObjectStore(name: string, options?: { keyPath: string }): unknown;
  transaction(names: string[], mode: string, options?: { durability: 'strict' }): Transaction;
  close(): void;
}
interface DatabaseFactory {
  open(
    name: string,
    version: number,
  ): {
    readonly result: Database;
    readonly error: Error | null;
    onupgradeneeded: (() => void) | null;
    onsuccess: (() => void) | null;
    onerror: (() => void) | null;
  };
}
