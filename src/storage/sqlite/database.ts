import { accessSync, closeSync, constants, openSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { StoreOpenError, StoreOpenReason } from '../store-open-error.js';
import { DATABASE_FILE } from './database-file.js';
import { openReasonOf } from './failure.js';
import { APPLICATION_ID, createTables, SCHEMA_VERSION } from './schema.js';

/** What tells one kind of file from another, and how it is to be opened. */
export interface DatabaseKind {
  /** In the file's header: whose it is. */
  readonly applicationId: number;
  /** In the file's header: the newest version of its tables that is understood. */
  readonly schemaVersion: number;
  /** Makes the tables of an empty file, in one transaction, with both numbers above. */
  readonly createTables: (db: Database.Database) => void;
  readonly cacheKib: number;
  /** Pages of WAL after which a commit makes a checkpoint too; 0: the owner makes them. */
  readonly checkpointPages: number;
  /** What to do when somebody else has the file. */
  readonly lockedAdvice: string;
}

const STORE: DatabaseKind = {
  applicationId: APPLICATION_ID,
  schemaVersion: SCHEMA_VERSION,
  createTables,
  cacheKib: 64 * 1024,
  checkpointPages: 0,
  lockedAdvice: 'another server is running on this data folder; stop it first, or choose another folder',
};

/** SQLite before this can corrupt a database in WAL mode when a checkpoint and a reset race. */
const SQLITE_VERSION_MIN = [3, 51, 3] as const;
const PAGE_BYTES = 4096;
/** With less room than this a disk counts as full. */
const FREE_BYTES_MIN = 128 * 1024;
/** synchronous=FULL as SQLite reports it. */
const SYNCHRONOUS_FULL = 2;

/** Opens the store's database in a data folder. @throws {StoreOpenError} */
export function openDatabase(folder: string): Database.Database {
  return openDatabaseFile(join(folder, DATABASE_FILE), STORE);
}

/**
 * Opens a database for this process alone, durable, with its tables made. The lock is SQLite's own
 * (`locking_mode=EXCLUSIVE`: held from the first access to the close, released by the kernel when the process
 * dies), so it can neither be forgotten nor go stale.
 *
 * @throws {StoreOpenError}
 */
export function openDatabaseFile(path: string, kind: DatabaseKind): Database.Database {
  const folder = dirname(path);
  checkFolder(folder);
  let db: Database.Database | undefined;
  makePrivately(path);
  try {
    db = new Database(path, { timeout: 0 });
    // Before anything reads the file: with it SQLite keeps the WAL's index on the heap and not in a file that
    // would have to grow, which it cannot on a full disk.
    db.pragma('locking_mode = EXCLUSIVE');
    checkEngine(db, path);
    db.pragma(`page_size = ${PAGE_BYTES}`);
    const mode = db.pragma('journal_mode = WAL', { simple: true });
    db.pragma('synchronous = FULL');
    const synchronous = db.pragma('synchronous', { simple: true });
    if (mode !== 'wal' || synchronous !== SYNCHRONOUS_FULL) {
      throw new StoreOpenError(
        StoreOpenReason.engine,
        path,
        `commits would not be durable here (journal_mode ${String(mode)}, synchronous ${String(synchronous)})`,
      );
    }
    db.pragma(`wal_autocheckpoint = ${kind.checkpointPages}`);
    db.pragma(`cache_size = -${kind.cacheKib}`);
    // Zeroes what is deleted wherever the page is written anyway; see README, Limitations.
    db.pragma('secure_delete = FAST');
    db.pragma('temp_store = MEMORY');
    checkSchema(db, path, kind);
    return db;
  } catch (error) {
    closeQuietly(db);
    if (error instanceof StoreOpenError) throw error;
    let reason = openReasonOf(error);
    if (reason === null) throw error;
    // SQLite reads a log that was left behind by way of new files, and calls it an I/O error when they find no room.
    if (reason === StoreOpenReason.io && isFull(folder)) reason = StoreOpenReason.diskFull;
    throw new StoreOpenError(reason, path, adviceFor(reason, error, kind), error);
  }
}

/** Closes without a word: for a database that has failed already. */
export function closeQuietly(db: Database.Database | undefined): void {
  try {
    db?.close();
  } catch {
    // Its error was reported when it happened.
  }
}

/** What people wrote is nobody else's business, whatever the folder's mode. SQLite gives its WAL that of the database. */
function makePrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // It is there already; or it cannot be, and SQLite will say why.
  }
}

function isFull(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < FREE_BYTES_MIN;
}

function checkFolder(folder: string): void {
  try {
    if (!statSync(folder).isDirectory()) {
      throw new StoreOpenError(StoreOpenReason.missing, folder, 'the data folder is not a folder');
    }
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof StoreOpenError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new StoreOpenError(StoreOpenReason.missing, folder, 'the data folder does not exist', error);
    }
    const why =
      (error as NodeJS.ErrnoException).code === 'EROFS'
        ? 'the data folder is on a file system that is mounted read-only'
        : `the data folder cannot be read and written by this user (${(error as Error).message})`;
    throw new StoreOpenError(StoreOpenReason.notWritable, folder, why, error);
  }
}

function checkEngine(db: Database.Database, path: string): void {
  const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
  const parts = version.split('.').map(Number);
  for (const [i, least] of SQLITE_VERSION_MIN.entries()) {
    const part = parts[i] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new StoreOpenError(
        StoreOpenReason.engine,
        path,
        `SQLite ${version} can corrupt databases in WAL mode; ${SQLITE_VERSION_MIN.join('.')} or later is needed`,
      );
    }
  }
}

function checkSchema(db: Database.Database, path: string, kind: DatabaseKind): void {
  const application = db.pragma('application_id', { simple: true }) as number;
  const version = db.pragma('user_version', { simple: true }) as number;
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (tables === 0 && version === 0 && application === 0) {
    kind.createTables(db);
    return;
  }
  if (application !== kind.applicationId) {
    throw new StoreOpenError(StoreOpenReason.corrupt, path, 'this is a database of some other program');
  }
  if (version > kind.schemaVersion) {
    throw new StoreOpenError(
      StoreOpenReason.tooNew,
      path,
      `written by a newer version (format ${version}, this one knows ${kind.schemaVersion})`,
    );
  }
}

function adviceFor(reason: StoreOpenReason, error: unknown, kind: DatabaseKind): string {
  const detail = error instanceof Error ? ` (${error.message})` : '';
  switch (reason) {
    case StoreOpenReason.locked:
      return kind.lockedAdvice;
    case StoreOpenReason.notWritable:
      return `the database cannot be written by this user${detail}`;
    case StoreOpenReason.corrupt:
      return `the database is damaged; restore a backup, the damaged file is left as it is${detail}`;
    case StoreOpenReason.diskFull:
      return 'the disk is full; make room and start again, nothing that was acknowledged is lost';
    default:
      return `the database cannot be read${detail}`;
  }
}
