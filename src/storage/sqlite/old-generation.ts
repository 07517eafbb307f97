import type Database from 'better-sqlite3';
import type { Entry, EntryKind, Seq, UserId } from '../stores.js';

/** What is needed of an entry that is being removed. */
export type RemovedEntry = [kind: EntryKind, sender: UserId, ref: number, bytes: number];
type EntryRow = [seq: number, time: number, kind: EntryKind, from: number, ref: number, body: Uint8Array];
type OldestRow = [inbox: number, seq: number, time: number];

/** Above every seq. */
const SEQ_END = Number.MAX_SAFE_INTEGER;

/** The `old` table: entries that stayed, side by side for each inbox, so that a page is one look and a run. */
export class OldGeneration {
  /** Entries that came and went since it was opened. */
  inserted = 0;
  deleted = 0;
  readonly #insert: Database.Statement;
  readonly #removed: Database.Statement;
  readonly #delete: Database.Statement;
  readonly #page: Database.Statement;
  readonly #oldestBehind: Database.Statement;
  readonly #lastOlder: Database.Statement;

  constructor(db: Database.Database) {
    this.#insert = db.prepare('INSERT INTO old VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#removed = db
      .prepare('SELECT kind, sender, ref, length(body) FROM old WHERE inbox = ? AND seq <= ? ORDER BY seq')
      .raw();
    this.#delete = db.prepare('DELETE FROM old WHERE inbox = ? AND seq <= ?');
    this.#page = db
      .prepare('SELECT seq, time, kind, sender, ref, body FROM old WHERE inbox = ? AND seq > ? ORDER BY seq')
      .raw();
    this.#oldestBehind = db
      .prepare('SELECT inbox, seq, time FROM old WHERE (inbox, seq) > (?, ?) ORDER BY inbox, seq LIMIT 1')
      .raw();
    this.#lastOlder = db
      .prepare(
        `SELECT max(seq) FROM old WHERE inbox = @inbox AND seq <
           ifnull((SELECT min(seq) FROM old WHERE inbox = @inbox AND time >= @time), 9007199254740991)`,
      )
      .pluck();
  }

  insert(
    inbox: UserId,
    seq: Seq,
    time: number,
    kind: EntryKind,
    from: UserId,
    ref: number,
    body: Uint8Array,
  ): void {
    this.inserted++;
    this.#insert.run(inbox, seq, time, kind, from, ref, body);
  }

  /** Removes everything up to `upTo` and tells what it was, in seq order. */
  remove(inbox: UserId, upTo: Seq): RemovedEntry[] {
    const removed = this.#removed.all(inbox, upTo) as RemovedEntry[];
    if (removed.length > 0) this.#delete.run(inbox, upTo);
    this.deleted += removed.length;
    return removed;
  }

  /** Adds to `page` like {@link Tables.page}. Returns true when it stopped before the end. */
  page(inbox: UserId, after: Seq, countMax: number, bytesMax: number, page: Entry[]): boolean {
    let bytes = 0;
    for (const row of this.#page.iterate(inbox, after) as IterableIterator<EntryRow>) {
      const body = row[5];
      bytes += body.length;
      if (page.length > 0 && (page.length >= countMax || bytes > bytesMax)) return true;
      page.push({ seq: row[0], time: row[1], kind: row[2], from: row[3], ref: row[4], body });
    }
    return false;
  }

  /** The oldest entry of the next inbox behind `inbox`, or null at the end. */
  nextInbox(inbox: UserId): { readonly inbox: UserId; readonly time: number } | null {
    const row = this.#oldestBehind.get(inbox, SEQ_END) as OldestRow | undefined;
    return row === undefined ? null : { inbox: row[0], time: row[2] };
  }

  /**
   * Seq of the last of those entries in front of an inbox that were accepted before `time`; null when there are
   * none. Not the last of all such entries: times do not ascend where the wall clock was set back.
   */
  lastOlder(inbox: UserId, time: number): Seq | null {
    return this.#lastOlder.get({ inbox, time }) as number | null;
  }
}
