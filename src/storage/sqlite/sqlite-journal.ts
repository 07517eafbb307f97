import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import {
  type DeletedStep,
  type DeleteEventsRequest,
  type EventPage,
  type Journal,
  type JournalAnswer,
  type JournalEvent,
  JournalFailure,
  type JournalRequest,
  type JournalSnapshot,
  type PersistRequest,
  type ReadRequest,
} from '../journal/journal.js';
import { JournalError } from '../journal/journal-error.js';
import { StoreOpenError, StoreOpenReason } from '../store-open-error.js';
import { StoreFailure } from '../stores.js';
import { closeQuietly, openDatabaseFile } from './database.js';
import { failureOf } from './failure.js';
import { JOURNAL } from './journal-schema.js';
import { JournalStatements } from './journal-statements.js';

export interface SqliteJournalOptions {
  /** The file; made if it is not there. Its folder must be there. */
  readonly path: string;
  /** Snapshots of a key that are kept: the latest ones. Default 2. */
  readonly snapshotsKept?: number;
}

/** What one page looks at, and one step of a deletion: nobody else is served meanwhile. */
const PAGE_EVENTS_MAX = 1024;
const PAGE_CHARS_MAX = 256 * 1024;
const STEP_EVENTS_MAX = 4096;
/** Keys whose number and last sequence are known without asking. */
const KNOWN_KEYS_MAX = 50_000;

const FAILURES: Readonly<Record<StoreFailure, JournalFailure>> = {
  [StoreFailure.diskFull]: JournalFailure.diskFull,
  [StoreFailure.readOnly]: JournalFailure.readOnly,
  [StoreFailure.corrupt]: JournalFailure.corrupt,
  [StoreFailure.io]: JournalFailure.io,
  [StoreFailure.closed]: JournalFailure.closed,
};

interface KnownKey {
  readonly id: number;
  /** The key's last event, 0 for none. */
  last: number;
}

/** One open database, with what is known of it; thrown away whole when anything in it fails. */
class Opened {
  readonly statements: JournalStatements;
  readonly keys = new Map<string, KnownKey>();
  inTransaction = false;

  constructor(readonly db: Database.Database) {
    this.statements = new JournalStatements(db);
  }
}

/**
 * The durable journal: one file, one process, one thread. A commit is on disk (`synchronous=FULL`) when `commit` returns.
 *
 * After a failure the database is opened anew. While the cause lasts, that costs one attempted write for each batch; when
 * it is gone, the next batch just works.
 */
export class SqliteJournal implements Journal {
  readonly path: string;
  readonly #snapshotsKept: number;
  #opened: Opened | null = null;
  #failure: JournalFailure | null = null;
  #failureText = '';
  /** The newest event of the open batch. */
  #newest: JournalEvent | null = null;
  #closed = false;

  /**
   * Opens the journal in a file, and makes it if there is none.
   *
   * @throws {StoreOpenError} missing, not-writable, locked, corrupt, too-new, engine, disk-full, io
   * @throws {RangeError} for a bad number of snapshots
   */
  static open(options: SqliteJournalOptions): SqliteJournal {
    const journal = new SqliteJournal(options);
    journal.#opened = journal.#open();
    return journal;
  }

  /**
   * A journal that is opened with its first batch, and again with each as long as that fails: then the batch does.
   *
   * @throws {RangeError} for a bad number of snapshots
   */
  static openLater(options: SqliteJournalOptions): SqliteJournal {
    return new SqliteJournal(options);
  }

  private constructor({ path, snapshotsKept = 2 }: SqliteJournalOptions) {
    if (!Number.isInteger(snapshotsKept) || snapshotsKept < 1) {
      throw new RangeError(`snapshotsKept must be a number from 1 on, not ${snapshotsKept}`);
    }
    // Absolute, or SQLite would take some names for databases in memory.
    this.path = resolve(path);
    this.#snapshotsKept = snapshotsKept;
  }

  begin(): void {
    this.#failure = this.#closed ? JournalFailure.closed : null;
    this.#failureText = 'the journal was closed';
    this.#newest = null;
    if (this.#opened === null && !this.#closed) {
      try {
        this.#opened = this.#open();
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  apply(request: JournalRequest): JournalAnswer {
    if (this.#failure === null) {
      try {
        return { ok: true, value: this.#do(request, this.#opened!) };
      } catch (error) {
        if (error instanceof JournalError)
          return { ok: false, failure: error.reason, message: error.message };
        this.#fail(error);
      }
    }
    return { ok: false, failure: this.#failure!, message: `${this.path}: ${this.#failureText}` };
  }

  commit(): JournalFailure | null {
    const opened = this.#opened;
    if (opened?.inTransaction && this.#failure === null) {
      opened.inTransaction = false;
      try {
        opened.statements.commit.run();
      } catch (error) {
        this.#fail(error);
        if (this.#isStoredAllTheSame()) this.#failure = null;
      }
    }
    return this.#failure;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeQuietly(this.#opened?.db);
    this.#opened = null;
  }

  #open(): Opened {
    const db = openDatabaseFile(this.path, JOURNAL);
    try {
      return new Opened(db);
    } catch (error) {
      closeQuietly(db);
      if (!(error instanceof Database.SqliteError)) throw error;
      const text = `the tables are not those of a journal (${error.message})`;
      throw new StoreOpenError(StoreOpenReason.corrupt, this.path, text, error);
    }
  }

  /** Nothing that this connection thinks it knows is trusted any more, and what it had not committed is gone. */
  #fail(error: unknown): void {
    const failure = error instanceof StoreOpenError ? failureOfOpening(error) : failureOf(error);
    // Anything else is a bug, and must not be hidden.
    if (failure === null) throw error;
    this.#failure = FAILURES[failure];
    this.#failureText = (error as Error).message;
    closeQuietly(this.#opened?.db);
    this.#opened = null;
  }

  /**
   * A commit that failed may be on disk all the same (a sync that reported an error, for instance). Whoever is told that
   * it failed must be able to rely on it, so the file is asked. A batch of snapshots and deletions can be repeated, it
   * need not be known.
   */
  #isStoredAllTheSame(): boolean {
    const event = this.#newest;
    if (event === null) return false;
    try {
      this.#opened = this.#open();
      const key = this.#find(this.#opened, event.key);
      return key !== undefined && key.last >= event.sequence;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #do(request: JournalRequest, opened: Opened): unknown {
    switch (request.op) {
      case 'persist':
        return this.#persist(request, opened);
      case 'take-snapshot':
        return this.#takeSnapshot(request.snapshot, opened);
      case 'latest-snapshot':
        return this.#latestSnapshot(request.key, opened);
      case 'read':
        return this.#read(request, opened);
      case 'delete-events':
        return this.#deleteEvents(request, opened);
      case 'delete-snapshots': {
        const key = this.#find(opened, request.key);
        if (key === undefined) return 0;
        this.#write(opened);
        return opened.statements.deleteSnapshots.run(key.id, request.upTo).changes;
      }
    }
  }

  #persist({ event, again }: PersistRequest, opened: Opened): void {
    this.#write(opened);
    const key = this.#findOrAdd(opened, event.key);
    const { sequence, createdAt, isDeleted, data } = event;
    const tags = JSON.stringify(event.tags);
    if (sequence <= key.last) {
      const there = again ? opened.statements.event.get(key.id, sequence) : undefined;
      if (there !== undefined && there.createdAt === createdAt && there.tags === tags && there.data === data)
        return;
      throw new JournalError(
        JournalFailure.sequence,
        `event ${sequence} of ${event.key}: the journal is at ${key.last} already`,
      );
    }
    opened.statements.insertEvent.run(key.id, sequence, createdAt, isDeleted ? 1 : 0, tags, data);
    key.last = sequence;
    this.#newest = event;
  }

  #takeSnapshot({ key, sequence, createdAt, data }: JournalSnapshot, opened: Opened): void {
    this.#write(opened);
    const { id } = this.#findOrAdd(opened, key);
    opened.statements.putSnapshot.run(id, sequence, createdAt, data);
    opened.statements.pruneSnapshots.run(id, id, this.#snapshotsKept - 1);
  }

  #latestSnapshot(name: string, opened: Opened): JournalSnapshot | null {
    const key = this.#find(opened, name);
    const row = key === undefined ? undefined : opened.statements.latestSnapshot.get(key.id);
    return row === undefined ? null : { key: name, ...row };
  }

  #read({ key: name, after, upTo, countMax, tags }: ReadRequest, opened: Opened): EventPage {
    const key = this.#find(opened, name);
    const last = Math.min(upTo, key?.last ?? 0);
    const events: JournalEvent[] = [];
    if (key === undefined || after >= last || countMax === 0)
      return { events, next: after, last, done: true };
    let next = after;
    let seen = 0;
    let chars = 0;
    for (const row of opened.statements.events.iterate(key.id, after, last)) {
      next = row.sequence;
      seen++;
      const own = JSON.parse(row.tags) as string[];
      if (tags.every((tag) => own.includes(tag))) {
        const { sequence, createdAt, deleted, data } = row;
        events.push({ key: name, sequence, createdAt, isDeleted: deleted !== 0, tags: own, data });
        chars += data.length;
      }
      if (events.length >= countMax || seen >= PAGE_EVENTS_MAX || chars >= PAGE_CHARS_MAX) break;
    }
    return { events, next, last, done: next >= last || events.length >= countMax };
  }

  #deleteEvents({ key: name, from, upTo }: DeleteEventsRequest, opened: Opened): DeletedStep {
    const key = this.#find(opened, name);
    if (key === undefined || from > Math.min(upTo, key.last)) return { deleted: 0, next: from, done: true };
    const { statements } = opened;
    this.#write(opened);
    // Where this step ends: so many living events further on, or at the end.
    const border = statements.livingEvent.get(key.id, from, upTo, STEP_EVENTS_MAX);
    const end = border === undefined ? Math.min(upTo, key.last) : border.sequence - 1;
    const deleted = statements.wipeEvents.run(key.id, from, end).changes;
    // What has nothing living before it need not keep its place, but for the last.
    const living = statements.livingEvent.get(key.id, 0, key.last, 0)?.sequence ?? key.last;
    statements.removeEvents.run(key.id, living);
    return { deleted, next: end + 1, done: border === undefined };
  }

  #write(opened: Opened): void {
    if (opened.inTransaction) return;
    opened.statements.begin.run();
    opened.inTransaction = true;
  }

  #find(opened: Opened, name: string): KnownKey | undefined {
    let key = opened.keys.get(name);
    if (key === undefined) {
      const row = opened.statements.key.get(name);
      if (row === undefined) return undefined;
      key = { id: row.id, last: row.last ?? 0 };
      this.#know(opened, name, key);
    }
    return key;
  }

  #findOrAdd(opened: Opened, name: string): KnownKey {
    const found = this.#find(opened, name);
    if (found !== undefined) return found;
    const key = { id: Number(opened.statements.addKey.run(name).lastInsertRowid), last: 0 };
    this.#know(opened, name, key);
    return key;
  }

  #know(opened: Opened, name: string, key: KnownKey): void {
    if (opened.keys.size >= KNOWN_KEYS_MAX) opened.keys.clear();
    opened.keys.set(name, key);
  }
}

/** Why the database could not be opened anew, as a failure of the batch. */
function failureOfOpening(error: StoreOpenError): StoreFailure {
  switch (error.reason) {
    case StoreOpenReason.diskFull:
      return StoreFailure.diskFull;
    case StoreOpenReason.notWritable:
      return StoreFailure.readOnly;
    case StoreOpenReason.corrupt:
    case StoreOpenReason.tooNew:
    case StoreOpenReason.engine:
      return StoreFailure.corrupt;
    default:
      return StoreFailure.io;
  }
}
