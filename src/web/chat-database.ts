import type {
  ClientStore,
  Credentials,
  Cursor,
  IncomingReceipt,
  OutboxRecord,
  StoreChange,
  StoredState,
} from '../client/browser.js';
import { advances } from '../client/sent-message.js';
import type { ChatMessage, Conversation } from './chat-records.js';

/**
 * Everything the page remembers, in one IndexedDB database: the client's own state and the history.
 *
 *     state          name                 → credentials | cursor | nextMessageId | position | name
 *     outbox         id                   → record of the client library
 *     messages       key                  → ChatMessage   (index: peer, position)
 *     conversations  peer                 → Conversation
 *
 * It is the client's store, and it writes what the page staged in the same transaction as the client's
 * change. So a message is in the history exactly when the cursor is behind it, and in the outbox exactly when
 * it is shown: there is no moment at which a crash makes a message appear twice, or not at all.
 *
 * What is staged when the client has nothing to write goes by itself in the next task.
 */
export class ChatDatabase implements ClientStore {
  readonly #name: string;
  #database: IDBDatabase | null = null;
  #staged: Operation[] = [];
  #flushing = false;

  constructor(profile: string) {
    this.#name = `rookery-${profile}`;
  }

  /** Opens the database; rejects where the browser has none (some private windows). */
  async open(): Promise<void> {
    const request = indexedDB.open(this.#name, 1);
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore('state');
      database.createObjectStore('outbox', { keyPath: 'id' });
      database.createObjectStore('conversations', { keyPath: 'peer' });
      const messages = database.createObjectStore('messages', { keyPath: 'key' });
      messages.createIndex('by-peer', ['peer', 'position']);
    };
    this.#database = await settled(request);
    // Another page wants to delete or upgrade: let it.
    this.#database.onversionchange = () => this.#database?.close();
  }

  // The client's store

  load(done: (error: Error | null, state: StoredState) => void): void {
    this.#load().then(
      (state) => done(null, state),
      (error: unknown) => done(asError(error), EMPTY),
    );
  }

  save(change: StoreChange, done: (error: Error | null) => void): void {
    this.#write((transaction) => {
      const state = transaction.objectStore('state');
      if (change.credentials !== undefined) state.put(change.credentials, 'credentials');
      if (change.cursor !== undefined) state.put(change.cursor, 'cursor');
      if (change.nextMessageId !== undefined) state.put(change.nextMessageId, 'nextMessageId');
      const outbox = transaction.objectStore('outbox');
      for (const id of change.remove) outbox.delete(id);
      for (const { id, kind, to, body } of change.put) outbox.put({ id, kind, to, body });
    }, done);
  }

  close(): void {
    if (this.#staged.length > 0)
      this.#write(
        () => {},
        () => {},
      );
    // The browser closes when the transactions that were begun are done, in their order before those of others.
    this.#database?.close();
    this.#database = null;
    this.#staged = [];
  }

  // The history

  async conversations(): Promise<Conversation[]> {
    const store = this.#transaction('readonly').objectStore('conversations');
    return settled(store.getAll() as IDBRequest<Conversation[]>);
  }

  /** At most `count` messages with `peer` before `position`, oldest first. */
  async messages(peer: number, before: number, count: number): Promise<ChatMessage[]> {
    const index = this.#transaction('readonly').objectStore('messages').index('by-peer');
    const range = IDBKeyRange.bound([peer, Number.NEGATIVE_INFINITY], [peer, before], false, true);
    const found: ChatMessage[] = [];
    return new Promise((resolve, reject) => {
      const request = index.openCursor(range, 'prev');
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor === null || found.length >= count) {
          resolve(found.reverse());
          return;
        }
        found.push(cursor.value as ChatMessage);
        cursor.continue();
      };
    });
  }

  async setting<T>(name: string): Promise<T | undefined> {
    const store = this.#transaction('readonly').objectStore('state');
    return settled(store.get(name) as IDBRequest<T | undefined>);
  }

  putSetting(name: string, value: unknown): void {
    this.#stage((transaction) => transaction.objectStore('state').put(value, name));
  }

  putMessage(message: ChatMessage): void {
    this.#stage((transaction) => transaction.objectStore('messages').put(message));
  }

  putConversation(conversation: Conversation): void {
    this.#stage((transaction) => transaction.objectStore('conversations').put(conversation));
  }

  removeMessage(key: string): void {
    this.#stage((transaction) => transaction.objectStore('messages').delete(key));
  }

  /** Changes one message, when it is there. */
  changeMessage(key: string, change: (message: ChatMessage) => ChatMessage): void {
    this.#stage((transaction) => {
      const messages = transaction.objectStore('messages');
      const request = messages.get(key) as IDBRequest<ChatMessage | undefined>;
      request.onsuccess = () => {
        if (request.result !== undefined) messages.put(change(request.result));
      };
    });
  }

  /** Turns the checkmarks that a receipt is about, also of messages that are not on screen. */
  applyReceipt(receipt: IncomingReceipt): void {
    this.#stage((transaction) => {
      const messages = transaction.objectStore('messages');
      const { from, ranges, state } = receipt;
      for (let at = 0; at + 1 < ranges.length; at += 2) {
        const request = messages.openCursor(
          IDBKeyRange.bound(outgoingKey(ranges[at]!), outgoingKey(ranges[at + 1]!)),
        );
        request.onsuccess = () => {
          const cursor = request.result;
          if (cursor === null) return;
          const message = cursor.value as ChatMessage;
          if (message.peer === from && advances(message.status, state))
            cursor.update({ ...message, status: state });
          cursor.continue();
        };
      }
    });
  }

  /** Forgets everything: another person begins here. */
  clearHistory(): void {
    this.#stage((transaction) => {
      transaction.objectStore('messages').clear();
      transaction.objectStore('conversations').clear();
    });
  }

  async #load(): Promise<StoredState> {
    const transaction = this.#transaction('readonly');
    const state = transaction.objectStore('state');
    const [credentials, cursor, nextMessageId, outbox] = await Promise.all([
      settled(state.get('credentials') as IDBRequest<Credentials | null | undefined>),
      settled(state.get('cursor') as IDBRequest<Cursor | undefined>),
      settled(state.get('nextMessageId') as IDBRequest<number | undefined>),
      settled(transaction.objectStore('outbox').getAll() as IDBRequest<OutboxRecord[]>),
    ]);
    return {
      credentials: credentials ?? null,
      cursor: cursor ?? EMPTY.cursor,
      nextMessageId: nextMessageId ?? 1,
      outbox,
    };
  }

  #stage(operation: Operation): void {
    this.#staged.push(operation);
    if (this.#flushing) return;
    this.#flushing = true;
    setTimeout(() => {
      this.#flushing = false;
      if (this.#staged.length > 0)
        this.#write(
          () => {},
          () => {},
        );
    }, 0);
  }

  #write(own: Operation, done: (error: Error | null) => void): void {
    const staged = this.#staged;
    this.#staged = [];
    const back = (error: unknown): void => {
      // Not lost: it goes with the next write, which the client tries again until one succeeds.
      this.#staged = [...staged, ...this.#staged];
      done(asError(error));
    };
    let transaction: IDBTransaction;
    try {
      transaction = this.#transaction('readwrite');
      for (const operation of staged) operation(transaction);
      own(transaction);
    } catch (error) {
      back(error);
      return;
    }
    transaction.oncomplete = () => done(null);
    transaction.onabort = () => back(transaction.error);
  }

  #transaction(mode: IDBTransactionMode): IDBTransaction {
    if (this.#database === null) throw new Error('the database is closed');
    return this.#database.transaction(['state', 'outbox', 'messages', 'conversations'], mode, {
      durability: mode === 'readwrite' ? 'strict' : 'default',
    });
  }
}

type Operation = (transaction: IDBTransaction) => void;

const EMPTY: StoredState = { credentials: null, cursor: { epoch: 0, seq: 0 }, nextMessageId: 1, outbox: [] };

/** Padded, so that keys sort like ids. */
export function outgoingKey(id: number): string {
  return `o:${String(id).padStart(16, '0')}`;
}

export function incomingKey(messageId: string): string {
  return `i:${messageId}`;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
