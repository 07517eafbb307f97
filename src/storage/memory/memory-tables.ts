import type { PinState } from '../pin-rules.js';
import type { ReceiptRanges } from '../receipt-ranges.js';
import { type DeviceId, type Entry, EntryKind, type Seq, type UserId } from '../stores.js';
import type { Tables } from '../tables.js';
import type { UserState } from '../user-state.js';

const NOBODY: ReadonlySet<UserId> = new Set();

/** {@link Tables} as plain maps. Says what happens as simply as can be, so that the other one can be held against it. */
export class MemoryTables implements Tables {
  readonly #users = new Map<UserId, UserState>();
  readonly #inboxes = new Map<UserId, Entry[]>();
  readonly #pins = new Map<UserId, PinState>();
  #last: Seq = 0;

  nextSeq(): Seq {
    return ++this.#last;
  }

  user(user: UserId): UserState | null {
    return this.#users.get(user) ?? null;
  }

  saveUser(state: UserState): void {
    this.#users.set(state.user, state);
  }

  saveLastSeen(_state: UserState): void {
    // The state in the map has it.
  }

  blocked(state: UserState): ReadonlySet<UserId> {
    return state.blocked ?? NOBODY;
  }

  saveBlock(state: UserState, peer: UserId, on: boolean): void {
    state.blocked ??= new Set();
    if (on) state.blocked.add(peer);
    else state.blocked.delete(peer);
  }

  pin(user: UserId): PinState | null {
    return this.#pins.get(user) ?? null;
  }

  savePin(user: UserId, pin: PinState): void {
    this.#pins.set(user, pin);
  }

  add(
    inbox: UserState,
    _sender: UserState | null,
    seq: Seq,
    time: number,
    kind: EntryKind,
    from: UserId,
    _device: DeviceId,
    ref: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): void {
    const entry = { seq, time, kind, from, ref, body: source.slice(bodyStart, bodyEnd) };
    const entries = this.#inboxes.get(inbox.user);
    if (entries === undefined) this.#inboxes.set(inbox.user, [entry]);
    else entries.push(entry);
  }

  wipe(inbox: UserState, _seq: Seq, upTo: Seq, _time: number, ranges: ReceiptRanges): number {
    const removed = this.#remove(inbox, (entry) => entry.seq <= upTo);
    for (const { kind, from, ref } of removed) {
      if (kind === EntryKind.message) ranges.add(from, ref);
    }
    return removed.length;
  }

  page(inbox: UserState, after: Seq, countMax: number, bytesMax: number, page: Entry[]): boolean {
    let bytes = 0;
    for (const entry of this.#inboxes.get(inbox.user) ?? []) {
      if (entry.seq <= after) continue;
      bytes += entry.body.length;
      if (page.length > 0 && (page.length >= countMax || bytes > bytesMax)) return true;
      page.push(entry);
    }
    return false;
  }

  /** The oldest pending entry of all; +∞ when there is none. */
  oldestTime(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const [first] of this.#inboxes.values()) {
      if (first !== undefined) oldest = Math.min(oldest, first.time);
    }
    return oldest;
  }

  /** Drops from the front of each inbox what was accepted before `time`, and marks the inboxes. */
  expire(time: number, dropped: (inbox: UserId, truncated: Seq) => void): void {
    for (const [user, entries] of [...this.#inboxes]) {
      // Only what stands in front: behind a wall clock that was set back, times do not ascend.
      const kept = entries.findIndex((entry) => entry.time >= time);
      const last = kept < 0 ? entries.at(-1) : entries[kept - 1];
      const state = this.#users.get(user);
      if (last === undefined || state === undefined) continue;
      this.#remove(state, (entry) => entry.seq <= last.seq);
      state.floor = Math.max(state.floor, last.seq);
      state.truncated = Math.max(state.truncated, last.seq);
      dropped(user, last.seq);
    }
  }

  /** Takes the entries in front for which `gone` holds. */
  #remove(inbox: UserState, gone: (entry: Entry) => boolean): Entry[] {
    const entries = this.#inboxes.get(inbox.user);
    if (entries === undefined) return [];
    const kept = entries.findIndex((entry) => !gone(entry));
    const removed = kept < 0 ? entries : entries.splice(0, kept);
    if (kept < 0) this.#inboxes.delete(inbox.user);
    for (const { body } of removed) {
      inbox.pendingCount--;
      inbox.pendingBytes -= body.length;
    }
    return removed;
  }
}
