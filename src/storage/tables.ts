import type { PinState } from './pin-rules.js';
import type { ReceiptRanges } from './receipt-ranges.js';
import type { DeviceId, Entry, EntryKind, Seq, UserId } from './stores.js';
import type { UserState } from './user-state.js';

/**
 * What the state machine needs of a place to keep things. It decides and changes {@link UserState}s; the
 * tables remember. Everything between two commits is one transaction.
 */
export interface Tables {
  /** The next position in the log. */
  nextSeq(): Seq;

  /** The state of a registered user, null for anybody else. Valid until the next command. */
  user(user: UserId): UserState | null;
  /** Keeps a new user, or whatever changed in `state` outside the methods below. */
  saveUser(state: UserState): void;
  /** Keeps `state.lastSeen`, which changed: often, and of little weight. */
  saveLastSeen(state: UserState): void;

  /** The users that `state` blocks; changed through {@link saveBlock} only. */
  blocked(state: UserState): ReadonlySet<UserId>;
  saveBlock(state: UserState, peer: UserId, on: boolean): void;

  pin(user: UserId): PinState | null;
  savePin(user: UserId, pin: PinState): void;

  /**
   * Appends to an inbox. The state machine has updated the counters of `inbox` and the window of `sender`
   * already; both are kept with the entry. `sender` is null for entries without a message id of their own.
   */
  add(
    inbox: UserState,
    sender: UserState | null,
    seq: Seq,
    time: number,
    kind: EntryKind,
    from: UserId,
    device: DeviceId,
    ref: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): void;

  /**
   * Removes what is pending up to and including `upTo` from an inbox, lowers its pending counters, hands the
   * removed messages to `ranges`, and keeps `inbox.acked` and `inbox.floor`, which the state machine has set.
   * Returns how many entries went.
   */
  wipe(inbox: UserState, seq: Seq, upTo: Seq, time: number, ranges: ReceiptRanges): number;

  /**
   * Fills `page` with what is pending after `after`, oldest first: at most `countMax` entries and `bytesMax`
   * bytes of bodies, but at least one if there is any. Returns whether more was pending. Bodies are views,
   * valid until the next command.
   */
  page(inbox: UserState, after: Seq, countMax: number, bytesMax: number, page: Entry[]): boolean;
}
