import type { Clock, ClockTimer } from '../structures/clock.js';
import type { ClientStore, Credentials, Cursor, OutboxRecord, StoreChange } from './client-store.js';

/**
 * Gathers what changed in one turn and writes it as one change: at most one save is open, and what gathers
 * meanwhile is the next one (group commit). A save that fails is tried again until it succeeds; until then
 * nothing that depends on it leaves the client.
 */
export interface JournalOwner {
  /** Whether anything was staged or not: the turn has come. Called before the change is closed. */
  turn(): void;
  saved(change: StoreChange): void;
  saveFailed(error: Error, retryInMs: number): void;
}

const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 10_000;

export class Journal {
  readonly #store: ClientStore;
  readonly #clock: Clock;
  readonly #owner: JournalOwner;
  #put = new Map<number, OutboxRecord>();
  #remove: number[] = [];
  #cursor: Cursor | undefined;
  #credentials: Credentials | null | undefined;
  #nextMessageId: number | undefined;
  #dirty = false;
  #scheduled = false;
  #saving = false;
  #closed = false;
  #retryTimer: ClockTimer | null = null;
  #failures = 0;
  /** The change whose write failed and is to be tried again. */
  #failed: StoreChange | null = null;
  #onClosed: () => void = () => {};

  constructor(store: ClientStore, clock: Clock, owner: JournalOwner) {
    this.#store = store;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** An item and the counter behind it: never one without the other. */
  put(record: OutboxRecord, nextMessageId: number): void {
    this.#put.set(record.id, record);
    this.#nextMessageId = nextMessageId;
    this.#touch();
  }

  /** The item is staged, and no write of it has begun: it may still change. */
  isStaged(id: number): boolean {
    return this.#put.has(id);
  }

  remove(id: number): void {
    // An item that was never written needs no removal, unless a write of it is on its way.
    this.#put.delete(id);
    this.#remove.push(id);
    this.#touch();
  }

  cursor(cursor: Cursor): void {
    this.#cursor = cursor;
    this.#touch();
  }

  credentials(credentials: Credentials | null): void {
    this.#credentials = credentials;
    this.#touch();
  }

  nextMessageId(id: number): void {
    this.#nextMessageId = id;
    this.#touch();
  }

  /** Asks for a turn although nothing may be staged. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#clock.defer(() => {
      this.#scheduled = false;
      if (this.#closed) return;
      this.#owner.turn();
      this.#save();
    });
  }

  /** Writes what is staged without waiting for the turn, closes the store, then calls `done`. */
  close(done: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed = done;
    if (this.#retryTimer !== null) {
      // The failed write has its last chance now.
      this.#clock.clearTimer(this.#retryTimer);
      this.#retryTimer = null;
      if (this.#failed !== null) this.#write(this.#failed);
    } else if (!this.#saving) this.#finish();
  }

  #finish(): void {
    const end = (): void => {
      this.#store.close();
      this.#onClosed();
    };
    if (this.#dirty) this.#store.save(this.#take(), end);
    else end();
  }

  #touch(): void {
    this.#dirty = true;
    this.schedule();
  }

  #take(): StoreChange {
    const change: StoreChange = {
      ...(this.#credentials === undefined ? {} : { credentials: this.#credentials }),
      ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
      ...(this.#nextMessageId === undefined ? {} : { nextMessageId: this.#nextMessageId }),
      remove: this.#remove,
      put: [...this.#put.values()],
    };
    this.#put = new Map();
    this.#remove = [];
    this.#cursor = undefined;
    this.#credentials = undefined;
    this.#nextMessageId = undefined;
    this.#dirty = false;
    return change;
  }

  #save(): void {
    if (!this.#dirty || this.#saving) return;
    this.#saving = true;
    this.#write(this.#take());
  }

  #write(change: StoreChange): void {
    this.#failed = null;
    this.#store.save(change, (error) => {
      if (this.#closed) {
        this.#finish();
        return;
      }
      if (error !== null) {
        const retryInMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#failures, 10));
        this.#failures += 1;
        this.#failed = change;
        this.#retryTimer = this.#clock.setTimer(() => {
          this.#retryTimer = null;
          this.#write(change);
        }, retryInMs);
        this.#owner.saveFailed(error, retryInMs);
        return;
      }
      this.#failures = 0;
      this.#saving = false;
      this.#owner.saved(change);
      // What gathered meanwhile is the next commit.
      this.#save();
    });
  }
}
