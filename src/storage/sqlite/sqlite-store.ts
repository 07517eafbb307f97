import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { CommandBatch } from '../command-batch.js';
import type { EventSink } from '../event-sink.js';
import { FullHold } from '../full-hold.js';
import { partitionOf } from '../partition-of.js';
import { SendHold } from '../send-hold.js';
import { StateMachine } from '../state-machine.js';
import { StoreOpenError, StoreOpenReason } from '../store-open-error.js';
import {
  AppendStatus,
  CommandKind,
  type Control,
  type DeviceId,
  type EntryKind,
  type Seq,
  type Store,
  StoreFailure,
  type StoreLimits,
  type UserId,
} from '../stores.js';
import { closeQuietly, openDatabase } from './database.js';
import { DATABASE_FILE } from './database-file.js';
import { decideEpoch, inodeOf, readEpochFile, writeEpochFile } from './epoch-file.js';
import { failureOf } from './failure.js';
import { MetaTable } from './meta-table.js';
import { SqliteTables, type SqliteTablesOptions } from './sqlite-tables.js';
import { CorruptRow } from './young-log.js';

export interface SqliteStoreOptions {
  /** An existing folder that belongs to this server alone. */
  readonly folder: string;
  readonly limits: StoreLimits;
  readonly events: EventSink;
  /** Wall-clock ms, for the number of a new epoch. */
  readonly now: number;
  /** Bytes of the log before its oldest rows are dissolved. Default 32 MiB. */
  readonly youngBytesMax?: number;
  /** Age in ms at which rows of the log are dissolved while there is time for it. Default 10 s. */
  readonly youngAgeMsMax?: number;
  /** Entries of one inbox in the log; a longer inbox goes straight to the old generation. Default 1024. */
  readonly inboxYoungMax?: number;
  /** User states in memory. Default 100 000. */
  readonly usersMax?: number;
  /** Bytes written to the WAL before a checkpoint between batches. Default 2 MiB. */
  readonly walBytesMax?: number;
}

/** Time between two rounds through all inboxes looking for what is too old. */
const EXPIRY_ROUND_MS = 60_000;
/** Inboxes looked at in one step of such a round. */
const EXPIRY_STEP_INBOXES = 64;
/** Bytes of the log dissolved in one step. */
const COMPACT_STEP_BYTES = 256 * 1024;
/** An idle store empties its WAL this long after the last time. */
const IDLE_CHECKPOINT_MS = 5_000;

/** All that stands on one open database; thrown away whole when anything in it fails. */
interface Opened {
  readonly db: Database.Database;
  readonly tables: SqliteTables;
  readonly machine: StateMachine;
}

/** What watches of a store. */
export interface SqliteStoreFigures {
  readonly youngBytes: number;
  /** Entries that wait in the young generation, and in the old one. */
  readonly youngCount: number;
  readonly oldCount: number;
  readonly cachedUsers: number;
  /** Bytes written to the WAL since it was checkpointed last, roughly. */
  readonly walBytes: number;
  /** Entries that came into the old generation, and went out of it, since the database was opened last. */
  readonly oldInserted: number;
  readonly oldDeleted: number;
  /** Batches that came to nothing since the store was opened. */
  readonly failures: number;
}

const NOTHING_KNOWN: SqliteStoreFigures = {
  youngBytes: 0,
  youngCount: 0,
  oldCount: 0,
  cachedUsers: 0,
  walBytes: 0,
  oldInserted: 0,
  oldDeleted: 0,
  failures: 0,
};

/**
 * The durable store: one folder, one process, one thread.
 *
 * After a failure (disk full, I/O error …) nothing of memory is trusted: the next batch opens the database
 * anew and reads the log again. While the cause lasts, that costs one attempted write for each batch; when it
 * is gone, the next batch just works.
 */
export class SqliteStore implements Store {
  readonly epoch: number;
  readonly #options: SqliteStoreOptions;
  readonly #tablesOptions: SqliteTablesOptions;
  readonly #events: EventSink;
  readonly #batch = new CommandBatch();
  readonly #hold = new SendHold();
  readonly #fullHold = new FullHold();
  #appendTime = 0;
  #opens: number;
  #opened: Opened | null;
  /** The open batch is lost; what is left of it is only counted. */
  #failure: StoreFailure | null = null;
  #failures = 0;
  /** The database was opened anew, and the listeners have not been told yet. */
  #restarted = false;
  #reservedInFile: Seq;
  #closed = false;
  /** As they were when the database was given up last. */
  #figures: SqliteStoreFigures = NOTHING_KNOWN;
  #expiryHand: UserId | null = null;
  #expiryStartedAt = 0;
  #checkpointedAt = 0;

  /**
   * Opens the store of a folder, and makes it if the folder is empty.
   *
   * @throws {StoreOpenError} missing, not-writable, locked, corrupt, too-new, engine, disk-full, io
   */
  static open(options: SqliteStoreOptions): SqliteStore {
    return new SqliteStore(options);
  }

  private constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#events = options.events;
    this.#tablesOptions = {
      youngBytesMax: options.youngBytesMax ?? 32 * 1024 * 1024,
      inboxYoungMax: options.inboxYoungMax ?? 1024,
      usersMax: options.usersMax ?? 100_000,
    };
    const { folder } = options;
    const path = join(folder, DATABASE_FILE);
    const db = openDatabase(folder);
    try {
      const meta = new MetaTable(db);
      const file = readEpochFile(folder);
      const inode = inodeOf(path);
      const counters = {
        epoch: meta.get('epoch'),
        opens: meta.get('opens'),
        reserved: meta.get('reserved'),
        last: meta.get('last'),
        inode,
      };
      this.epoch = decideEpoch(file, counters, options.now);
      this.#opens = Math.max(counters.opens, file?.opens ?? 0) + 1;
      this.#reservedInFile = Math.max(counters.reserved, file?.reserved ?? 0);
      db.transaction(() => {
        meta.set('epoch', this.epoch);
        meta.set('opens', this.#opens);
        meta.set('reserved', this.#reservedInFile);
      }).immediate();
      writeEpochFile(folder, {
        epoch: this.epoch,
        opens: this.#opens,
        reserved: this.#reservedInFile,
        closedAt: 0,
        inode,
      });
      this.#opened = this.#load(db);
    } catch (error) {
      closeQuietly(db);
      throw asOpenError(error, path);
    }
  }

  /** While the database cannot be opened: as they were before. */
  get figures(): SqliteStoreFigures {
    const tables = this.#opened?.tables;
    if (tables === undefined) return { ...this.#figures, failures: this.#failures };
    const { youngBytes, youngCount, oldCount, cachedUsers, walBytes, aged } = tables;
    return {
      youngBytes,
      youngCount,
      oldCount,
      cachedUsers,
      walBytes,
      oldInserted: aged.inserted,
      oldDeleted: aged.deleted,
      failures: this.#failures,
    };
  }

  begin(): void {
    this.#failure = this.#closed ? StoreFailure.closed : null;
    if (this.#opened === null && !this.#closed) {
      try {
        this.#opened = this.#reopen();
        // A commit that failed may be on disk all the same (a sync that reported an error, for instance): its
        // entries are there now, and nobody has been told of them.
        this.#restarted = true;
      } catch (error) {
        this.#fail(error);
      }
    }
    if (this.#restarted) this.#events.restarted?.();
  }

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
    heard: number,
  ): void {
    this.#appendTime = time;
    if (this.#hold.holds(requester, ref, heard, time)) {
      this.#batch.addHeld(requester, ref);
      if (this.#opened === null) return;
      this.#events.appended(requester, ref, AppendStatus.held, partitionOf(inbox), 0, time, 0);
      return;
    }
    this.#batch.addAppend(requester, ref, heard);
    if (this.#opened === null) return;
    if (this.#fullHold.holds(requester, inbox, ref, time)) {
      this.#events.appended(requester, ref, AppendStatus.inboxFull, partitionOf(inbox), 0, time, 0);
      return;
    }
    try {
      const status = this.#opened.machine.append(
        inbox,
        from,
        device,
        kind,
        ref,
        time,
        source,
        bodyStart,
        bodyEnd,
        requester,
      );
      if (status === AppendStatus.inboxFull) this.#fullHold.refused(requester, inbox, ref, time);
    } catch (error) {
      this.#fail(error);
    }
  }

  wipe(inbox: UserId, device: DeviceId, upTo: Seq, time: number, requester: number): void {
    this.#batch.add(CommandKind.wipe, requester, 0, -1);
    if (this.#opened === null) return;
    try {
      this.#opened.machine.wipe(inbox, device, upTo, time, requester);
    } catch (error) {
      this.#fail(error);
    }
  }

  read(inbox: UserId, after: Seq, countMax: number, bytesMax: number, requester: number): void {
    this.#batch.add(CommandKind.read, requester, 0, partitionOf(inbox));
    if (this.#opened === null) return;
    try {
      this.#opened.machine.read(inbox, after, countMax, bytesMax, requester);
    } catch (error) {
      this.#fail(error);
    }
  }

  lookup(user: UserId, requester: number): void {
    this.#batch.add(CommandKind.lookup, requester, 0, partitionOf(user));
    if (this.#opened === null) return;
    try {
      this.#opened.machine.lookup(user, requester);
    } catch (error) {
      this.#fail(error);
    }
  }

  control(control: Control, requester: number, ref: number): void {
    this.#batch.add(CommandKind.control, requester, ref, -1);
    if (this.#opened === null) return;
    try {
      this.#opened.machine.control(control, requester, ref);
    } catch (error) {
      this.#fail(error);
    }
  }

  commit(): StoreFailure | null {
    if (this.#opened !== null) {
      try {
        this.#opened.tables.commit();
        this.#noteReserved(this.#opened.tables);
      } catch (error) {
        this.#fail(error);
      }
    }
    const failure = this.#failure;
    this.#failure = null;
    if (failure === null) {
      this.#batch.clear();
      this.#restarted = false;
    } else {
      this.#events.discard();
      this.#batch.fail(this.#events, failure, this.#hold, this.#appendTime);
    }
    this.#events.publish();
    return failure;
  }

  housekeep(now: number, idle: boolean): boolean {
    if (this.#opened === null || this.#closed) return false;
    try {
      const more = this.#housekeep(this.#opened, now, idle);
      this.#events.publish();
      return more;
    } catch (error) {
      this.#fail(error);
      this.#failure = null;
      this.#events.discard();
      return false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const opened = this.#opened;
    if (opened === null) return;
    try {
      opened.tables.close();
      this.#figures = this.figures;
      this.#opened = null;
      opened.db.pragma('wal_checkpoint(TRUNCATE)');
      opened.db.close();
      const { folder } = this.#options;
      writeEpochFile(folder, {
        epoch: this.epoch,
        opens: this.#opens,
        reserved: Math.max(this.#reservedInFile, opened.tables.reserved),
        closedAt: opened.tables.last,
        inode: inodeOf(join(folder, DATABASE_FILE)),
      });
    } catch (error) {
      // All that was published is on disk already. The next start finds a store that was not closed cleanly.
      this.#opened = null;
      closeQuietly(opened.db);
      if (failureOf(error) === null && (error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }

  #load(db: Database.Database): Opened {
    const tables = new SqliteTables(db, this.#tablesOptions, new MetaTable(db));
    return { db, tables, machine: new StateMachine(tables, this.#options.limits, this.#events) };
  }

  /** Opens the database anew after a failure, if it can be written again. */
  #reopen(): Opened {
    const db = openDatabase(this.#options.folder);
    try {
      const meta = new MetaTable(db);
      if (meta.get('opens') !== this.#opens) {
        throw new StoreOpenError(
          StoreOpenReason.corrupt,
          this.#options.folder,
          'the database was exchanged under a running server',
        );
      }
      // While the cause lasts this is where it shows, before the log is read for nothing.
      db.transaction(() => meta.set('opens', this.#opens)).immediate();
      return this.#load(db);
    } catch (error) {
      closeQuietly(db);
      throw error;
    }
  }

  /** Gives up everything that is open. Rethrows what is not a failure of the disk or the file. */
  #fail(error: unknown): void {
    const failure = storeFailureOf(error);
    if (failure === null) throw error;
    this.#failure = failure;
    this.#failures++;
    const opened = this.#opened;
    this.#figures = this.figures;
    this.#opened = null;
    closeQuietly(opened?.db);
  }

  /** Tells the epoch file which seqs may be in use, once for each block of them. */
  #noteReserved(tables: SqliteTables): void {
    if (tables.reserved <= this.#reservedInFile) return;
    const { folder } = this.#options;
    this.#reservedInFile = tables.reserved;
    try {
      writeEpochFile(folder, {
        epoch: this.epoch,
        opens: this.#opens,
        reserved: this.#reservedInFile,
        closedAt: 0,
        inode: inodeOf(join(folder, DATABASE_FILE)),
      });
    } catch {
      // The batch is on disk all the same. The file says less than it could about a restored backup until
      // the next block.
    }
  }

  #housekeep({ db, tables }: Opened, now: number, idle: boolean): boolean {
    const walBytesMax = this.#options.walBytesMax ?? 2 * 1024 * 1024;
    if (tables.walBytes >= walBytesMax) {
      db.pragma('wal_checkpoint(PASSIVE)');
      tables.walBytes = 0;
      this.#checkpointedAt = now;
    }
    if (!idle) return false;
    if (now - tables.oldestTime >= (this.#options.youngAgeMsMax ?? 10_000)) {
      tables.compact(COMPACT_STEP_BYTES);
      return true;
    }
    if (this.#expire(tables, now)) return true;
    if (tables.walBytes > 0 && Math.abs(now - this.#checkpointedAt) >= IDLE_CHECKPOINT_MS) {
      db.pragma('wal_checkpoint(TRUNCATE)');
      tables.walBytes = 0;
      this.#checkpointedAt = now;
    }
    return false;
  }

  /** One step of a round through all inboxes. Returns true while a round goes on. */
  #expire(tables: SqliteTables, now: number): boolean {
    if (this.#expiryHand === null) {
      if (Math.abs(now - this.#expiryStartedAt) < EXPIRY_ROUND_MS) return false;
      this.#expiryStartedAt = now;
      this.#expiryHand = -1;
      tables.forgetPins(now, this.#options.limits);
    }
    const before = now - this.#options.limits.inboxAgeMsMax;
    this.#expiryHand = tables.expire(this.#expiryHand, before, EXPIRY_STEP_INBOXES, (inbox, truncated) =>
      this.#events.truncated(partitionOf(inbox), inbox, truncated),
    );
    tables.commit();
    return this.#expiryHand !== null;
  }
}

function storeFailureOf(error: unknown): StoreFailure | null {
  if (error instanceof CorruptRow) return StoreFailure.corrupt;
  if (!(error instanceof StoreOpenError)) return failureOf(error);
  switch (error.reason) {
    case StoreOpenReason.diskFull:
      return StoreFailure.diskFull;
    case StoreOpenReason.notWritable:
      return StoreFailure.readOnly;
    case StoreOpenReason.corrupt:
    case StoreOpenReason.tooNew:
      return StoreFailure.corrupt;
    default:
      return StoreFailure.io;
  }
}

function asOpenError(error: unknown, path: string): unknown {
  if (error instanceof StoreOpenError) return error;
  if (error instanceof CorruptRow) {
    return new StoreOpenError(
      StoreOpenReason.corrupt,
      path,
      `${error.message}; restore a backup, the damaged file is left as it is`,
      error,
    );
  }
  const errno = (error as NodeJS.ErrnoException).code;
  switch (errno === 'ENOSPC' ? StoreFailure.diskFull : failureOf(error)) {
    case StoreFailure.diskFull:
      return new StoreOpenError(StoreOpenReason.diskFull, path, 'the disk is full', error);
    case StoreFailure.readOnly:
      return new StoreOpenError(StoreOpenReason.notWritable, path, 'the database cannot be written', error);
    case StoreFailure.corrupt:
      return new StoreOpenError(
        StoreOpenReason.corrupt,
        path,
        'the database is damaged; restore a backup, the damaged file is left as it is',
        error,
      );
    case StoreFailure.io:
      return new StoreOpenError(StoreOpenReason.io, path, 'the database cannot be read or written', error);
    default:
      if (errno === 'EROFS' || errno === 'EACCES' || errno === 'EPERM') {
        return new StoreOpenError(
          StoreOpenReason.notWritable,
          path,
          'the data folder cannot be written',
          error,
        );
      }
      return error;
  }
}
