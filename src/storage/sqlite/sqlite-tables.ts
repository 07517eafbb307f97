import type Database from 'better-sqlite3';
import { markMessageId } from '../dedupe-window.js';
import type { PinState } from '../pin-rules.js';
import type { ReceiptRanges } from '../receipt-ranges.js';
import { type DeviceId, type Entry, EntryKind, type Seq, type StoreLimits, type UserId } from '../stores.js';
import type { Tables } from '../tables.js';
import type { UserState } from '../user-state.js';
import type { MetaTable } from './meta-table.js';
import { OldGeneration } from './old-generation.js';
import { PinTable } from './pin-table.js';
import { UserCache } from './user-cache.js';
import { UserTable } from './user-table.js';
import { RecordType, YoungLog } from './young-log.js';

/** Seqs set aside at once; a restart skips what is left of them. */
export const SEQ_BLOCK = 2 ** 20;

export interface SqliteTablesOptions {
  /** The young log is kept below this by moving its oldest rows. */
  readonly youngBytesMax: number;
  /** An inbox with this many entries pending is long, and goes straight to the old generation. */
  readonly inboxYoungMax: number;
  /** User states in memory, besides those that the young log needs. */
  readonly usersMax: number;
}

/**
 * {@link Tables} over SQLite. One batch is one row in the log table: what it did, as records that the
 * database copies and never looks into. The users table and the old generation follow behind: when the log
 * has grown to its limit its oldest rows are dissolved, which folds the users that they touched into the users
 * table, moves what is still pending into the old generation, and deletes the rows, in the transaction of some
 * later batch.
 *
 *     batch ─▶ log row, log row, log row … ─▶ users (one row for all changes of a user)
 *              └──── in memory too ────┘   └▶ old   (the few entries that are still there)
 *
 * Any error leaves this object useless: it is thrown away, and a new one is loaded from the file.
 */
export class SqliteTables implements Tables {
  readonly #options: SqliteTablesOptions;
  readonly #young = new YoungLog();
  readonly #old: OldGeneration;
  readonly #users: UserTable;
  readonly #cache: UserCache;
  readonly #pins: PinTable;
  readonly #meta: MetaTable;
  readonly #insertRow: Database.Statement;
  readonly #deleteRows: Database.Statement;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  #inTransaction = false;
  #last: Seq;
  #reserved: Seq;
  /** Users with changes that only the log holds, in the order in which the first change came. */
  #dirtyHead: UserState | null = null;
  #dirtyTail: UserState | null = null;
  /** Users whose row must go with the open transaction. */
  #saving: UserState[] = [];
  /** Work for the checkpointer: bytes written to the WAL since it last ran, roughly. */
  walBytes = 0;
  /** Entries that wait, of all inboxes: in the log, and in the old generation. */
  #youngCount = 0;
  #oldCount: number;

  /** Loads what the log holds. `db` is open, exclusive and durable. */
  constructor(db: Database.Database, options: SqliteTablesOptions, meta: MetaTable) {
    this.#options = options;
    this.#old = new OldGeneration(db);
    this.#users = new UserTable(db);
    this.#pins = new PinTable(db);
    this.#meta = meta;
    this.#cache = new UserCache(options.usersMax);
    this.#insertRow = db.prepare('INSERT INTO log (first, records) VALUES (?, ?)');
    this.#deleteRows = db.prepare('DELETE FROM log WHERE first <= ?');
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#reserved = meta.get('reserved');
    this.#last = this.#reserved;
    // What the users' rows say is committed with what it is about. Counting the entries themselves would read all bodies.
    this.#oldCount = db.prepare('SELECT ifnull(sum(old_count), 0) FROM users').pluck().get() as number;
    this.#load(db);
  }

  /** The last seq given out. */
  get last(): Seq {
    return this.#last;
  }

  /** No seq above this is given out without telling the meta table first. */
  get reserved(): Seq {
    return this.#reserved;
  }

  get youngBytes(): number {
    return this.#young.bytes;
  }

  /** Entries that wait in the log, for all inboxes. */
  get youngCount(): number {
    return this.#youngCount;
  }

  /** Entries that wait in the old generation, for all inboxes. */
  get oldCount(): number {
    return this.#oldCount;
  }

  /** Entries that came into the old generation, and went out of it, since this was opened. */
  get aged(): { readonly inserted: number; readonly deleted: number } {
    return this.#old;
  }

  /** Wall-clock ms of the oldest record in the log; +∞ when the log is empty. */
  get oldestTime(): number {
    const segment = this.#young.oldest();
    if (segment === undefined) return Number.POSITIVE_INFINITY;
    return this.#young.timeAt(this.#young.locate(segment.start >>> 0));
  }

  get cachedUsers(): number {
    return this.#cache.size;
  }

  // ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────

  nextSeq(): Seq {
    return ++this.#last;
  }

  user(user: UserId): UserState | null {
    const cached = this.#cache.get(user);
    if (cached !== undefined) {
      cached.recentlyUsed = true;
      return cached;
    }
    const loaded = this.#users.load(user);
    if (loaded !== null) this.#cache.add(loaded);
    return loaded;
  }

  saveUser(state: UserState): void {
    if (this.#cache.get(state.user) === undefined) this.#cache.add(state);
    this.#save(state);
  }

  saveLastSeen(state: UserState): void {
    this.#young.appendSeen(this.nextSeq(), state.lastSeen, state.user);
    this.#markDirty(state);
  }

  blocked(state: UserState): ReadonlySet<UserId> {
    state.blocked ??= new Set(state.blockedCount === 0 ? [] : this.#users.blocked(state.user));
    return state.blocked;
  }

  saveBlock(state: UserState, peer: UserId, on: boolean): void {
    this.#open();
    if (on) state.blocked?.add(peer);
    else state.blocked?.delete(peer);
    this.#users.saveBlock(state.user, peer, on);
    this.#save(state);
  }

  pin(user: UserId): PinState | null {
    return this.#pins.load(user);
  }

  savePin(user: UserId, pin: PinState): void {
    this.#open();
    this.#pins.save(user, pin);
  }

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
  ): void {
    if (inbox.pendingCount > this.#options.inboxYoungMax) {
      this.#addOld(inbox, sender, seq, time, kind, from, device, ref, source.subarray(bodyStart, bodyEnd));
      return;
    }
    const young = this.#young;
    const position = young.appendEntry(
      seq,
      time,
      kind,
      inbox.user,
      from,
      device,
      ref,
      source,
      bodyStart,
      bodyEnd,
    );
    this.#chain(inbox, position);
    this.#markDirty(inbox);
    if (sender !== null) this.#markDirty(sender);
  }

  wipe(inbox: UserState, seq: Seq, upTo: Seq, time: number, ranges: ReceiptRanges): number {
    let count = 0;
    if (inbox.oldCount > 0) count = this.#wipeOld(inbox, upTo, ranges);
    const young = this.#young;
    let position = inbox.youngFirst;
    while (position !== 0) {
      const at = young.locate(position);
      if (young.seqAt(at) > upTo) break;
      young.killAt(at);
      if (young.kindAt(at) === EntryKind.message) ranges.add(young.fromAt(at), young.refAt(at));
      inbox.pendingBytes -= young.bodyBytesAt(at);
      inbox.pendingCount--;
      inbox.youngCount--;
      this.#youngCount--;
      count++;
      position = young.nextAt(at);
    }
    inbox.youngFirst = position;
    if (position === 0) inbox.youngLast = 0;
    young.appendWipe(seq, time, inbox.user, upTo);
    this.#markDirty(inbox);
    return count;
  }

  page(inbox: UserState, after: Seq, countMax: number, bytesMax: number, page: Entry[]): boolean {
    let bytes = 0;
    if (inbox.oldCount > 0 && after < inbox.oldHead) {
      if (this.#old.page(inbox.user, after, countMax, bytesMax, page)) return true;
      for (const entry of page) bytes += entry.body.length;
    }
    const young = this.#young;
    for (let position = inbox.youngFirst; position !== 0; ) {
      const at = young.locate(position);
      position = young.nextAt(at);
      const seq = young.seqAt(at);
      if (seq <= after) continue;
      bytes += young.bodyBytesAt(at);
      if (page.length > 0 && (page.length >= countMax || bytes > bytesMax)) return true;
      page.push({
        seq,
        time: young.timeAt(at),
        kind: young.kindAt(at),
        from: young.fromAt(at),
        ref: young.refAt(at),
        body: young.bodyAt(at),
      });
    }
    return false;
  }

  // ── Transactions ────────────────────────────────────────────────────────────────────────────────────────

  /** Makes everything since the last commit durable. Throws SQLite's errors. */
  commit(): void {
    const written = this.#young.unsealedBytes;
    if (written > 0 || this.#saving.length > 0) this.#open();
    if (this.#inTransaction) {
      for (let row = this.#young.seal(); row !== null; row = this.#young.seal()) {
        this.#insertRow.run(row.first, row.bytes);
      }
      // As much again as came in, and a little more, so that the log shrinks whatever comes.
      if (this.#young.bytes > this.#options.youngBytesMax) this.#dissolve(2 * written + 65_536);
      this.#flushSaving();
      this.#reserve();
      this.#commit.run();
      this.#inTransaction = false;
      this.walBytes += written + 4096;
    }
    this.#cache.trim();
  }

  /** Dissolves the oldest rows of the log, about `bytes` of them, in a transaction of its own. */
  compact(bytes: number): void {
    this.#open();
    this.#dissolve(bytes);
    this.commit();
  }

  /** Drops what is older than `time` from the next inboxes behind `inbox`. Returns the last inbox looked at, or null at the end. */
  expire(
    inbox: UserId,
    time: number,
    inboxesMax: number,
    dropped: (inbox: UserId, truncated: Seq) => void,
  ): UserId | null {
    let at = inbox;
    for (let n = 0; n < inboxesMax; n++) {
      const next = this.#old.nextInbox(at);
      if (next === null) return null;
      at = next.inbox;
      if (next.time >= time) continue;
      const upTo = this.#old.lastOlder(at, time);
      const state = this.user(at);
      if (upTo === null || state === null) continue;
      this.#open();
      for (const [, , , bytes] of this.#old.remove(at, upTo)) {
        state.oldCount--;
        this.#oldCount--;
        state.oldBytes -= bytes;
        state.pendingCount--;
        state.pendingBytes -= bytes;
      }
      state.floor = Math.max(state.floor, upTo);
      // A receipt that found no room may have set it higher already.
      state.truncated = Math.max(state.truncated, upTo);
      this.#save(state);
      dropped(at, upTo);
    }
    return at;
  }

  /** Forgets PINs and their limits that do not matter any more. */
  forgetPins(now: number, limits: StoreLimits): void {
    this.#pins.forget(now, limits);
  }

  /** Notes how far the log came, for a clean end. */
  close(): void {
    this.#open();
    this.#meta.set('last', this.#last);
    this.commit();
  }

  // ── Inside ──────────────────────────────────────────────────────────────────────────────────────────────

  #open(): void {
    if (this.#inTransaction) return;
    this.#begin.run();
    this.#inTransaction = true;
  }

  #save(state: UserState): void {
    if (state.saving) return;
    state.saving = true;
    this.#saving.push(state);
  }

  #flushSaving(): void {
    for (const state of this.#saving) {
      this.#users.save(state, this.#last);
      state.saving = false;
      state.dirty = false;
      this.walBytes += 4096;
    }
    this.#saving = [];
  }

  #reserve(): void {
    if (this.#last <= this.#reserved) return;
    this.#reserved = this.#last + SEQ_BLOCK;
    this.#meta.set('reserved', this.#reserved);
  }

  /** To be called after the record: a record's user is at most where its row ends. */
  #markDirty(state: UserState): void {
    state.dirty = true;
    if (state.dirtyAt >= 0) return;
    state.dirtyAt = this.#young.position;
    state.nextDirty = null;
    if (this.#dirtyTail === null) this.#dirtyHead = state;
    else this.#dirtyTail.nextDirty = state;
    this.#dirtyTail = state;
  }

  #chain(inbox: UserState, position: number): void {
    const young = this.#young;
    if (inbox.youngLast === 0) inbox.youngFirst = position;
    else young.setNextAt(young.locate(inbox.youngLast), position);
    inbox.youngLast = position;
    inbox.youngCount++;
    this.#youngCount++;
  }

  /** The way of an entry into a long inbox: its body never enters the log. */
  #addOld(
    inbox: UserState,
    sender: UserState | null,
    seq: Seq,
    time: number,
    kind: EntryKind,
    from: UserId,
    device: DeviceId,
    ref: number,
    body: Uint8Array,
  ): void {
    this.#open();
    // The young ones first: the old generation of an inbox is always before its young one.
    while (inbox.youngFirst !== 0) this.#moveFirst(inbox);
    this.#old.insert(inbox.user, seq, time, kind, from, ref, body);
    inbox.oldCount++;
    this.#oldCount++;
    inbox.oldBytes += body.length;
    inbox.oldHead = seq;
    this.#save(inbox);
    this.walBytes += body.length;
    if (sender !== null) {
      this.#young.appendMark(seq, time, from, device, ref);
      this.#markDirty(sender);
    }
  }

  /** Moves the first young entry of an inbox into the old generation. */
  #moveFirst(inbox: UserState): void {
    const young = this.#young;
    const at = young.locate(inbox.youngFirst);
    const seq = young.seqAt(at);
    const body = young.bodyAt(at);
    this.#old.insert(
      inbox.user,
      seq,
      young.timeAt(at),
      young.kindAt(at),
      young.fromAt(at),
      young.refAt(at),
      body,
    );
    young.killAt(at);
    inbox.youngFirst = young.nextAt(at);
    if (inbox.youngFirst === 0) inbox.youngLast = 0;
    inbox.youngCount--;
    inbox.oldCount++;
    this.#youngCount--;
    this.#oldCount++;
    inbox.oldBytes += body.length;
    inbox.oldHead = seq;
    this.walBytes += body.length + 256;
    this.#save(inbox);
  }

  #wipeOld(inbox: UserState, upTo: Seq, ranges: ReceiptRanges): number {
    this.#open();
    const removed = this.#old.remove(inbox.user, upTo);
    for (const [kind, sender, ref, bytes] of removed) {
      if (kind === EntryKind.message) ranges.add(sender, ref);
      inbox.oldCount--;
      this.#oldCount--;
      inbox.oldBytes -= bytes;
      inbox.pendingCount--;
      inbox.pendingBytes -= bytes;
    }
    if (removed.length > 0) {
      this.#save(inbox);
      this.walBytes += 4096;
    }
    return removed.length;
  }

  /** Dissolves the oldest rows; the transaction is open. */
  #dissolve(bytes: number): void {
    const young = this.#young;
    const survivors: UserState[] = [];
    let done = 0;
    let last: { readonly first: Seq; readonly end: number } | undefined;
    let rows = 0;
    for (let segment = young.oldest(); segment !== undefined && done < bytes; ) {
      young.scan(segment, (position) => {
        const at = young.locate(position);
        if (young.typeAt(at) !== RecordType.entry || young.isDeadAt(at)) return;
        const inbox = this.user(young.userAt(at));
        if (inbox !== null) survivors.push(inbox);
      });
      done += (segment.end - segment.start) * 8;
      last = segment;
      rows++;
      segment = young.segment(rows);
    }
    if (last === undefined) return;
    // One inbox after the other: its entries are neighbours in the old generation. The sort is stable, and
    // each inbox's entries leave its chain in order, so the state is all that need be sorted.
    survivors.sort((a, b) => a.user - b.user);
    for (const inbox of survivors) this.#moveFirst(inbox);
    for (let state = this.#dirtyHead; state !== null && state.dirtyAt <= last.end; state = this.#dirtyHead) {
      this.#dirtyHead = state.nextDirty;
      if (this.#dirtyHead === null) this.#dirtyTail = null;
      state.nextDirty = null;
      state.dirtyAt = -1;
      if (state.dirty) this.#save(state);
    }
    this.#deleteRows.run(last.first);
    for (; rows > 0; rows--) young.dropOldest();
  }

  #load(db: Database.Database): void {
    const nextRow = db.prepare('SELECT first, records FROM log WHERE first > ? ORDER BY first LIMIT 1').raw();
    let row = nextRow.get(-1) as [number, Uint8Array] | undefined;
    while (row !== undefined) {
      this.#young.load(row[0], row[1], (position) => this.#replay(position));
      row = nextRow.get(row[0]) as [number, Uint8Array] | undefined;
    }
  }

  /** Does once more, in memory, what a record of the log says. */
  #replay(position: number): void {
    const young = this.#young;
    const at = young.locate(position);
    const seq = young.seqAt(at);
    const user = this.user(young.userAt(at));
    if (user === null) return;
    switch (young.typeAt(at)) {
      case RecordType.entry:
        this.#replayEntry(user, position, at, seq);
        return;
      case RecordType.wipe:
        this.#replayWipe(user, young.upToAt(at), seq);
        return;
      case RecordType.mark:
        this.#replayMark(user, seq, young.markDeviceAt(at), young.markRefAt(at));
        return;
      case RecordType.seen:
        if (seq > user.folded) {
          user.lastSeen = Math.max(user.lastSeen, young.timeAt(at));
          this.#markDirty(user);
        }
        return;
    }
  }

  #replayEntry(inbox: UserState, position: number, at: number, seq: Seq): void {
    const young = this.#young;
    const from = young.fromAt(at);
    const ref = young.refAt(at);
    const device = young.deviceAt(at);
    const bytes = young.bodyBytesAt(at);
    young.setNextAt(at, 0);
    if (seq > inbox.floor && seq > inbox.oldHead) {
      this.#chain(inbox, position);
      inbox.pendingCount++;
      inbox.pendingBytes += bytes;
      inbox.head = Math.max(inbox.head, seq);
      this.#markDirty(inbox);
    } else {
      young.killAt(young.locate(position));
    }
    if (ref > 0) {
      const sender = this.user(from);
      if (sender !== null) this.#replayMark(sender, seq, device, ref);
    }
  }

  #replayWipe(inbox: UserState, upTo: Seq, seq: Seq): void {
    const young = this.#young;
    if (seq > inbox.folded) {
      inbox.acked = upTo;
      inbox.floor = Math.max(inbox.floor, upTo);
      this.#markDirty(inbox);
    }
    while (inbox.youngFirst !== 0) {
      const at = young.locate(inbox.youngFirst);
      if (young.seqAt(at) > inbox.floor) break;
      young.killAt(at);
      inbox.pendingCount--;
      inbox.pendingBytes -= young.bodyBytesAt(at);
      inbox.youngCount--;
      this.#youngCount--;
      inbox.youngFirst = young.nextAt(at);
    }
    if (inbox.youngFirst === 0) inbox.youngLast = 0;
  }

  #replayMark(sender: UserState, seq: Seq, device: DeviceId, ref: number): void {
    if (seq <= sender.folded || device !== sender.device) return;
    markMessageId(sender, ref);
    this.#markDirty(sender);
  }
}
