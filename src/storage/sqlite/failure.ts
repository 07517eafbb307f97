import Database from 'better-sqlite3';
import { StoreOpenReason } from '../store-open-error.js';
import { StoreFailure } from '../stores.js';

/** The failure behind an error of SQLite; null for any other error, which is a bug and must not be hidden. */
export function failureOf(error: unknown): StoreFailure | null {
  if (!(error instanceof Database.SqliteError)) return null;
  const { code } = error;
  if (code === 'SQLITE_FULL') return StoreFailure.diskFull;
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_PERM')) return StoreFailure.readOnly;
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return StoreFailure.corrupt;
  if (
    code.startsWith('SQLITE_IOERR') ||
    code.startsWith('SQLITE_CANTOPEN') ||
    code.startsWith('SQLITE_BUSY') ||
    code.startsWith('SQLITE_LOCKED') ||
    code === 'SQLITE_NOMEM'
  ) {
    return StoreFailure.io;
  }
  return null;
}

/** The same judgement while opening. */
export function openReasonOf(error: unknown): StoreOpenReason | null {
  if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
    return StoreOpenReason.locked;
  }
  if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CANTOPEN')) {
    return StoreOpenReason.notWritable;
  }
  switch (failureOf(error)) {
    case StoreFailure.diskFull:
      return StoreOpenReason.diskFull;
    case StoreFailure.readOnly:
      return StoreOpenReason.notWritable;
    case StoreFailure.corrupt:
      return StoreOpenReason.corrupt;
    case StoreFailure.io:
      return StoreOpenReason.io;
    default:
      return null;
  }
}
