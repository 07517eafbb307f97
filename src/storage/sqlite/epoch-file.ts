import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../../structures/replace-file.js';
import { StoreOpenError, StoreOpenReason } from '../store-open-error.js';
import type { Seq } from '../stores.js';

/** The epoch file's name in the data folder. */
export const EPOCH_FILE = 'epoch';

/** What the file says; all counters as of the last time it was written. */
export interface EpochRecord {
  /** The incarnation of the database that clients know. */
  readonly epoch: number;
  /** How often the database was opened. */
  readonly opens: number;
  /** No seq from here on was ever given out. */
  readonly reserved: Seq;
  /** After a clean close: the last seq given out. 0: open, or died. */
  readonly closedAt: Seq;
  /** Inode of the database. */
  readonly inode: number;
}

/** What the database itself says when it is opened. */
export interface DatabaseCounters {
  readonly epoch: number;
  readonly opens: number;
  readonly reserved: Seq;
  readonly last: Seq;
  readonly inode: number;
}

/**
 * Decides the epoch of a database that is being opened. The epoch lives in a file beside it, so that a backup
 * of the database put back in its place does not bring its old epoch with it. The file counts what the
 * database counts too; a database that counts less than the file, or is another file than it was, is an older
 * one: it gets a higher epoch, and clients are told to start over instead of resuming into a hole.
 *
 * A new epoch is the present second, or one more than the last one if that is higher: so a folder that was
 * deleted and started anew does not repeat an epoch either.
 */
export function decideEpoch(file: EpochRecord | null, database: DatabaseCounters, wallMs: number): number {
  if (file !== null && !isOlder(file, database)) return Math.max(file.epoch, database.epoch);
  return Math.max((file?.epoch ?? 0) + 1, database.epoch + 1, Math.floor(wallMs / 1000));
}

function isOlder(file: EpochRecord, database: DatabaseCounters): boolean {
  return (
    database.opens < file.opens ||
    database.reserved < file.reserved ||
    database.last < file.closedAt ||
    database.inode !== file.inode
  );
}

/** @throws {StoreOpenError} when there is a file and it cannot be understood. */
export function readEpochFile(folder: string): EpochRecord | null {
  const path = join(folder, EPOCH_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new StoreOpenError(StoreOpenReason.io, path, 'the epoch file cannot be read', error);
  }
  const fields = new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ') as [string, string]),
  );
  const field = (name: string): number => {
    const value = Number(fields.get(name) ?? Number.NaN);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new StoreOpenError(
        StoreOpenReason.corrupt,
        path,
        `the epoch file has no valid '${name}'; delete it, and every client will start over`,
      );
    }
    return value;
  };
  return {
    epoch: field('epoch'),
    opens: field('opens'),
    reserved: field('reserved'),
    closedAt: field('closedAt'),
    inode: field('inode'),
  };
}

export function writeEpochFile(folder: string, record: EpochRecord): void {
  const text = Object.entries(record)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
  replaceFile(join(folder, EPOCH_FILE), text);
}

/** Inode of a file; it changes when another file is moved into its place. */
export function inodeOf(path: string): number {
  // Above 2^53 on some file systems; rounding does not matter to a comparison with itself.
  return Math.min(statSync(path).ino, Number.MAX_SAFE_INTEGER);
}
