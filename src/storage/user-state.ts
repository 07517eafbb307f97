import { type DeviceId, MESSAGE_ID_WINDOW, type Seq, type UserId } from './stores.js';

/** 32-bit words of a de-duplication window. */
export const WINDOW_WORDS = MESSAGE_ID_WINDOW / 32;

/**
 * All that the store knows of one registered user, in memory: what the judgement reads and changes. A user
 * without a state is not registered.
 *
 * The object is shared by the state machine (which decides) and the tables (which persist); the fields below
 * the line belong to the SQLite tables alone and are here because an extra look-up for each message costs
 * more than a few words.
 */
export class UserState {
  readonly user: UserId;
  device: DeviceId = 0;
  /** Salt and hash of the device key, see {@link setKey}. */
  #key = '';
  #saltBytes = 0;
  name = '';
  /** Wall-clock ms. */
  lastSeen = 0;

  /** The present device numbers its messages from here; ids below are unknown ground. */
  firstMessageId = 1;
  /** Highest message id stored, or `firstMessageId` − 1. */
  highest = 0;
  /**
   * Bit `id mod MESSAGE_ID_WINDOW`: stored, in 32-bit words, for the window that ends at `highest`. Null: every id
   * of the window is stored, as it is with a client whose sends all came in order.
   */
  window: number[] | null = null;

  /** Highest seq ever appended to the inbox. */
  head: Seq = 0;
  /** Everything up to here was accepted by the present device. */
  acked: Seq = 0;
  /** Everything up to here is gone, accepted or dropped by age. Never goes back, unlike `acked`. */
  floor: Seq = 0;
  truncated: Seq = 0;
  pendingCount = 0;
  /** Bytes of bodies. */
  pendingBytes = 0;
  /** How many users this one blocks: nobody, for almost everybody, so the set need not be loaded. */
  blockedCount = 0;
  blocked: Set<UserId> | null = null;

  // ── the SQLite tables' own ──────────────────────────────────────────────────────────────────────────────
  /** How much of the pending entries is in the old generation. */
  oldCount = 0;
  oldBytes = 0;
  /** Highest seq that went to the old generation. */
  oldHead: Seq = 0;
  /** The row in the users table holds every change up to this seq. */
  folded: Seq = 0;
  /** Chain of the young entries through the log, in seq order; 0: none. Positions in the young log. */
  youngFirst = 0;
  youngLast = 0;
  youngCount = 0;
  /** Something changed since the row was written. */
  dirty = false;
  /** Position in the young log at which it was put on the list of dirty users; −1: not on it. */
  dirtyAt = -1;
  nextDirty: UserState | null = null;
  /** On the list of those whose row goes into the open transaction. */
  saving = false;
  /** For the cache's second chance. */
  recentlyUsed = true;

  constructor(user: UserId) {
    this.user = user;
  }

  /** A copy, of 16 bytes; empty when there is no key. */
  get keySalt(): Uint8Array {
    return Buffer.from(this.#key.slice(0, this.#saltBytes), 'latin1');
  }

  /** A copy, of 32 bytes; empty when there is no key. */
  get keyHash(): Uint8Array {
    return Buffer.from(this.#key.slice(this.#saltBytes), 'latin1');
  }

  /**
   * The bytes are kept as one string of Latin-1. A hundred thousand of these objects lie in memory, and read
   * only when somebody connects; two small byte arrays take some 700 bytes, on the heap and beside it.
   */
  setKey(salt: Uint8Array, hash: Uint8Array): void {
    this.#key = Buffer.concat([salt, hash]).toString('latin1');
    this.#saltBytes = salt.length;
  }
}
