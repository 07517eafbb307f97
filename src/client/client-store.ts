/**
 * What a client must remember: who it is, up to where it has accepted, and what it wants to send.
 *
 * The client relies on two promises of a store: a change is all or nothing, and when `done(null)` was called
 * the change survives a crash (a memory store survives none, and says so). The client never has two saves
 * open at once, puts a message into the store before it sends it (else its id could be used again for another
 * message, which the server would take for a repeat), and stores its cursor before it acknowledges.
 *
 * Callbacks instead of promises, and they may be called before the method returns: a simulation of hundreds
 * of clients then runs without a microtask.
 */
export interface ClientStore {
  load(done: (error: Error | null, state: StoredState) => void): void;
  save(change: StoreChange, done: (error: Error | null) => void): void;
  /** Gives back what the store holds (files, locks). No call follows. */
  close(): void;
}

/** The password of a device, for as long as no other device replaces it. */
export interface Credentials {
  /** The user: digits of the phone number as an integer. */
  readonly user: number;
  readonly device: number;
  /** 32 secret bytes. */
  readonly key: Uint8Array;
}

/** Everything up to `seq` of the database incarnation `epoch` was accepted. 0, 0: nothing yet. */
export interface Cursor {
  readonly epoch: number;
  readonly seq: number;
}

export const OutboxKind = { message: 1, readReceipt: 2 } as const;
export type OutboxKind = (typeof OutboxKind)[keyof typeof OutboxKind];

/** Something that the server has not acknowledged yet. */
export interface OutboxRecord {
  readonly id: number;
  readonly kind: OutboxKind;
  readonly to: number;
  /** The message's body, or the encoded ranges of a read receipt. */
  readonly body: Uint8Array;
}

export interface StoredState {
  readonly credentials: Credentials | null;
  readonly cursor: Cursor;
  /** The next message id to use, at least 1. */
  readonly nextMessageId: number;
  /** In the order of their ids. */
  readonly outbox: readonly OutboxRecord[];
}

/** What changed; absent fields stay as they are. `remove` is applied before `put`. */
export interface StoreChange {
  readonly credentials?: Credentials | null;
  readonly cursor?: Cursor;
  readonly nextMessageId?: number;
  readonly remove: readonly number[];
  readonly put: readonly OutboxRecord[];
}

export const EMPTY_STATE: StoredState = {
  credentials: null,
  cursor: { epoch: 0, seq: 0 },
  nextMessageId: 1,
  outbox: [],
};

/** The state after a change. Pure; stores that keep a snapshot use it. */
export function applyChange(state: StoredState, change: StoreChange): StoredState {
  let outbox = state.outbox;
  if (change.remove.length > 0) {
    const gone = new Set(change.remove);
    outbox = outbox.filter((record) => !gone.has(record.id));
  }
  if (change.put.length > 0) {
    const put = new Set(change.put.map((record) => record.id));
    outbox = [...outbox.filter((record) => !put.has(record.id)), ...change.put].sort((a, b) => a.id - b.id);
  }
  return {
    credentials: change.credentials === undefined ? state.credentials : change.credentials,
    cursor: change.cursor ?? state.cursor,
    nextMessageId: change.nextMessageId ?? state.nextMessageId,
    outbox,
  };
}
