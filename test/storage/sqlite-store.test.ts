import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore, type SqliteStoreOptions } from '../../src/storage/sqlite/sqlite-store.js';
import { type StoreUnderTest, storeContract } from './store-contract.js';

/** A SQLite store in a folder of its own. */
function inFolder(options: Partial<SqliteStoreOptions>): StoreUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-store-'));
  return {
    open: (events, limits) =>
      SqliteStore.open({ folder, limits, events, now: 1_700_000_000_000, ...options }),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

storeContract('SQLite', () => inFolder({}));
// The same promises hold when everything goes through the old generation at once.
storeContract('SQLite, every inbox long', () => inFolder({ inboxYoungMax: 0 }));
storeContract('SQLite, log dissolved at every commit', () => inFolder({ youngBytesMax: 0, usersMax: 1 }));
storeContract('SQLite, inboxes long from two', () => inFolder({ inboxYoungMax: 2, youngBytesMax: 512 }));
