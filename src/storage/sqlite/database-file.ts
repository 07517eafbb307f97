import { join } from 'node:path';

/** The store's database in a data folder. */
export const DATABASE_FILE = 'rookery.db';

/** Its write-ahead log, as SQLite names it. */
export function walFileOf(folder: string): string {
  return join(folder, `${DATABASE_FILE}-wal`);
}
