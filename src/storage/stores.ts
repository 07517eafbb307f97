/**
 * What the server keeps, as a log-first contract.
 *
 * A store is a state machine: it applies **commands** one after another and emits **events** in the same
 * order. Commands gather while the last commit runs and are committed together; the events of a batch are
 * published only when the batch is on disk. All judgement that must survive a crash (de-duplication, device
 * fencing, blocks, inbox limits, PIN tries) is made while a command is applied, so it is one transaction
 * with what it guards, and a log of the commands replayed elsewhere gives the same store.
 *
 *     session ──append/wipe──▶ StorePort ──ring──▶ writer: apply … apply, commit ──ring──▶ events
 *                                                            result  → the requester (`requester` echoed)
 *                                                            entry   → the inbox's partition
 *                                                            page    → the inbox's partition
 *
 * Order: events leave in log order. Everything about one inbox (entries, pages, accounts) goes to that
 * inbox's partition, so a partition sees its inboxes' history without gaps or swaps, and a page read at some
 * point of the log comes before every entry committed after that point.
 *
 * Two implementations (SQLite; memory over a command log) pass one contract suite.
 */

/** A user: the digits of an E.164 phone number as an integer (at most 15 digits, so a safe integer). */
export type UserId = number;
/** The incarnation of a user's device: 1 for the first registration, one more at each replacement. 0: none. */
export type DeviceId = number;
/** Position in a store's log: increases, has gaps, at most 2^53−1. A message's seq is its log position. */
export type Seq = number;

/** Number of partitions that users hash into. Fixed: it is part of the data format. */
export const PARTITIONS = 64;

export const EntryKind = {
  /** `ref` is the sender's message id, `body` the opaque body. */
  message: 1,
  /** `ref` is 0, `body` the ranges of the receiver's own message ids, in wire form. */
  receiptDelivered: 2,
  /** Like delivered; made by the reader's client, so `ref` is the reader's message id. */
  receiptRead: 3,
} as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** What waits in an inbox. */
export interface Entry {
  readonly seq: Seq;
  /** Wall-clock ms at which the server accepted it. */
  readonly time: number;
  readonly kind: EntryKind;
  readonly from: UserId;
  readonly ref: number;
  readonly body: Uint8Array;
}

/** What came of an append. Anything but `stored` and `duplicate` left nothing behind. */
export const AppendStatus = {
  stored: 0,
  /** This sender's message id was stored before (and may be wiped by now). Acknowledge it again. */
  duplicate: 1,
  unknownRecipient: 2,
  /** The recipient blocks the sender. */
  blocked: 3,
  /** The recipient's inbox is at its limit of messages or bytes. Retryable. */
  inboxFull: 4,
  /** Below the de-duplication window: nobody can tell whether it is a repeat. `highest` is in the event. */
  messageIdTooOld: 5,
  /** The sending device was replaced. */
  deviceRevoked: 6,
  /** An earlier message of this requester could not be stored, and this one must not overtake it. Retryable. */
  held: 7,
} as const;
export type AppendStatus = (typeof AppendStatus)[keyof typeof AppendStatus];

/** Why a batch could not be committed. Every command of it fails with the same reason; nothing of it remains. */
export const StoreFailure = {
  diskFull: 1,
  readOnly: 2,
  corrupt: 3,
  io: 4,
  /** The writer is shutting down. */
  closed: 5,
} as const;
export type StoreFailure = (typeof StoreFailure)[keyof typeof StoreFailure];

/**
 * The de-duplication window in message ids (RFC 6479's sliding window, for ids instead of packets): a device
 * may have ids n…n+WINDOW−1 in flight, never more. Announced to clients in the welcome.
 */
export const MESSAGE_ID_WINDOW = 256;

/** Where the count of refusals that a requester has heard of begins anew. */
export const HEARD_MODULUS = 65_536;

/** What `lookup` answers about a user. */
export interface Account {
  readonly user: UserId;
  /** 0: not registered. */
  readonly device: DeviceId;
  /** SHA-256(keySalt ‖ key), 32 bytes, and its salt, 16 bytes; empty when not registered. */
  readonly keySalt: Uint8Array;
  readonly keyHash: Uint8Array;
  /** The highest seq ever appended to this inbox that is still pending, or wiped last: the inbox's head. */
  readonly head: Seq;
  /** Everything up to here was accepted by the present device. */
  readonly acked: Seq;
  /** Something at or below here was dropped by the age limit without being accepted. 0: never. */
  readonly truncated: Seq;
  readonly pendingCount: number;
  readonly pendingBytes: number;
  /** Wall-clock ms, 0 when never seen. */
  readonly lastSeen: number;
  readonly name: string;
  /** Whom this user blocks, at most `blockedMax`. */
  readonly blocked: readonly UserId[];
}

/** Rare requests, answered with a {@link ControlResult}: encoded with msgpack on the ring. */
export type Control =
  /**
   * A PIN was asked for. `pinHash`: HMAC-SHA-256 of number and PIN under the server's secret. Starts anew the
   * tries and the life of the PIN; refused while the number's limits forbid another.
   */
  | { readonly op: 'pin-request'; readonly user: UserId; readonly pinHash: Uint8Array; readonly now: number }
  /**
   * Counts one try, compares in constant time and, when right, replaces the device: key, de-duplication state
   * and cursor of the old one go in the same transaction.
   */
  | {
      readonly op: 'pin-verify';
      readonly user: UserId;
      readonly pinHash: Uint8Array;
      readonly keySalt: Uint8Array;
      readonly keyHash: Uint8Array;
      readonly now: number;
    }
  | {
      readonly op: 'block';
      readonly user: UserId;
      readonly peer: UserId;
      readonly on: boolean;
      readonly now: number;
    }
  | { readonly op: 'blocked'; readonly user: UserId }
  | { readonly op: 'set-name'; readonly user: UserId; readonly name: string }
  /** Which of these numbers are registered, with their names. At most 256. */
  | { readonly op: 'lookup-users'; readonly asker: UserId; readonly users: readonly UserId[] }
  | { readonly op: 'last-seen'; readonly user: UserId; readonly time: number };

export type ControlResult =
  | {
      readonly op: 'pin-request';
      readonly ok: true;
      readonly expiresMs: number;
      readonly resendAfterMs: number;
    }
  | { readonly op: 'pin-request'; readonly ok: false; readonly retryAfterMs: number }
  | {
      readonly op: 'pin-verify';
      readonly ok: true;
      readonly device: DeviceId;
      /** 0 when there was none. Whoever holds its session must close it. */
      readonly replaced: DeviceId;
      /** The new device numbers its messages from here, above all of the old one's. */
      readonly firstMessageId: number;
    }
  /** The same answer for a wrong PIN, an expired one and a number that never asked. */
  | {
      readonly op: 'pin-verify';
      readonly ok: false;
      readonly triesLeft: number;
      readonly retryAfterMs: number;
    }
  | { readonly op: 'block'; readonly ok: true }
  | { readonly op: 'block'; readonly ok: false; readonly reason: 'too-many' }
  | { readonly op: 'blocked'; readonly users: readonly UserId[] }
  | { readonly op: 'set-name' }
  | {
      readonly op: 'lookup-users';
      readonly users: readonly { readonly user: UserId; readonly name: string; readonly lastSeen: number }[];
    }
  | { readonly op: 'last-seen' };

/**
 * The store as sessions and partitions see it: asynchronous, in order, never blocking. Each method returns
 * false when the command could not be queued (queue and overflow are full): nothing was taken, tell the
 * client to retry. `requester` is a number that comes back with the result, unread.
 */
export interface StorePort {
  /**
   * Appends to `inbox` on behalf of `from`'s `device`. `body` is copied before the call returns.
   * Result: `appended` to the requester; when stored also `entry` to the inbox's partition.
   *
   * @param heard how many of its appends were refused for now (`failed`, or `held`), as far as the requester has heard
   *   by now, modulo {@link HEARD_MODULUS}. One that has not heard of all of them is on its way behind a message that
   *   comes again, and must not overtake it: it is `held`.
   */
  append(
    requester: number,
    inbox: UserId,
    from: UserId,
    device: DeviceId,
    kind: EntryKind,
    ref: number,
    time: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    heard: number,
  ): boolean;
  /**
   * The device has accepted everything up to and including `upTo`: wipes it and, in the same transaction,
   * appends a delivered receipt to each sender's inbox (one for each sender, as ranges).
   * Result: `wiped` to the requester, `entry` for each receipt to that sender's partition.
   */
  wipe(requester: number, inbox: UserId, device: DeviceId, upTo: Seq, time: number): boolean;
  /**
   * Reads what is pending after `after`: at most `countMax` entries and `bytesMax` bytes of bodies, but at
   * least one entry. Result: `page` to the inbox's partition.
   */
  read(requester: number, inbox: UserId, after: Seq, countMax: number, bytesMax: number): boolean;
  /** Result: `account` to the user's partition. */
  lookup(requester: number, user: UserId): boolean;
  /** Result: `controlled` to the requester. @param ref comes back with it: an integer from 0 to 2^31−1. */
  control(requester: number, ref: number, control: Control): boolean;
}

/**
 * Where events go. Buffers handed in (`body`, `entries`, hashes) are views that are valid during the call
 * only: who keeps them copies them.
 */
export interface StoreEvents {
  appended(
    requester: number,
    ref: number,
    status: AppendStatus,
    /** Of the inbox: with `seq` and `time` it makes the message's id. */
    partition: number,
    seq: Seq,
    time: number,
    highest: number,
  ): void;
  wiped(requester: number, inbox: UserId, upTo: Seq, count: number): void;
  controlled(requester: number, ref: number, result: ControlResult): void;
  /** A new entry in an inbox of `partition`. */
  entry(
    partition: number,
    inbox: UserId,
    seq: Seq,
    time: number,
    kind: EntryKind,
    from: UserId,
    ref: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): void;
  /** `hasMore`: something newer than the last entry was pending when the page was read. */
  page(
    partition: number,
    requester: number,
    inbox: UserId,
    entries: readonly Entry[],
    hasMore: boolean,
  ): void;
  account(partition: number, requester: number, account: Account): void;
  /** The device of `user` was replaced by `device`: every session of another device must go. */
  deviceReplaced(partition: number, user: UserId, device: DeviceId): void;
  /** The age limit dropped entries of `inbox` up to `truncated`. */
  truncated(partition: number, inbox: UserId, truncated: Seq): void;
  /**
   * The batch with this command could not be committed. `ref` is the message id of an append, the ref of a
   * control, 0 otherwise;
   * `partition` is −1 when the command's result would have gone to the requester.
   */
  failed(
    partition: number,
    requester: number,
    command: CommandKind,
    ref: number,
    failure: StoreFailure,
  ): void;
  /**
   * Between the events before this and those behind it some may be missing: a writer died, or a batch that was
   * reported as failed turned out to be on disk. Comes before anything newer. Whoever pushes entries to clients must
   * read what is pending behind the last one that it pushed, before it pushes on: or a client's cumulative
   * acknowledgement wipes what it never saw.
   */
  restarted?(): void;
}

export const CommandKind = { append: 1, wipe: 2, read: 3, lookup: 4, control: 5 } as const;
export type CommandKind = (typeof CommandKind)[keyof typeof CommandKind];

/** Limits that the store itself enforces. */
export interface StoreLimits {
  /** Entries one inbox may hold. */
  readonly inboxCountMax: number;
  /** Bytes of bodies one inbox may hold. */
  readonly inboxBytesMax: number;
  /** Age in ms at which a pending entry is dropped (and its inbox marked truncated). */
  readonly inboxAgeMsMax: number;
  readonly pinTriesMax: number;
  readonly pinLifeMs: number;
  /** Time between two PINs for one number, and how many in a day. */
  readonly pinResendMs: number;
  readonly pinsPerDayMax: number;
  readonly blockedMax: number;
}

/** The store itself, synchronous, on the writer's thread. */
export interface Store {
  /** The incarnation of this database, announced to clients. */
  readonly epoch: number;
  /** Opens a transaction; the commands that follow belong to it. */
  begin(): void;
  append(
    inbox: UserId,
    from: UserId,
    device: DeviceId,
    kind: EntryKind,
    ref: number,
    time: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    requester: number,
    /** See {@link StorePort.append}. */
    heard: number,
  ): void;
  wipe(inbox: UserId, device: DeviceId, upTo: Seq, time: number, requester: number): void;
  read(inbox: UserId, after: Seq, countMax: number, bytesMax: number, requester: number): void;
  lookup(user: UserId, requester: number): void;
  control(control: Control, requester: number, ref: number): void;
  /**
   * Makes the batch durable (synchronous=FULL) and then publishes its events. On failure everything of the
   * batch is undone, `failed` is published for each of its commands, and the failure is returned.
   */
  commit(): StoreFailure | null;
  /** Work between batches: ageing, moving young entries to the old generation, checkpoints. Returns true when there is more to do. */
  housekeep(now: number, idle: boolean): boolean;
  close(): void;
}
