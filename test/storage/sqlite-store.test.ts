import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SqliteStore, type SqliteStoreOptions } from '../../src/storage/sqlite/sqlite-store.js';
import { AppendStatus, MESSAGE_ID_WINDOW } from '../../src/storage/stores.js';
import {
  ALICE,
  BOB,
  CAROL,
  LIMITS,
  StoreBench,
  type StoreUnderTest,
  storeContract,
} from './store-contract.js';

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

describe('the SQLite store over a restart', () => {
  it('does not take old ids of the log for new ones', () => {
    const under = inFolder({});
    const bench = new StoreBench(under);
    bench.register(ALICE);
    bench.append(ALICE, ALICE, 1);
    bench.append(ALICE, ALICE, MESSAGE_ID_WINDOW + 2);
    // Writes the user's row, with both ids in it; the log still holds them, too.
    bench.control({ op: 'set-name', user: ALICE, name: 'A' });
    bench.reopen();
    // Shares its bit with the first.
    assert.equal(bench.status(ALICE, ALICE, MESSAGE_ID_WINDOW + 1), AppendStatus.stored);
    bench.store.close();
    under.dispose();
  });

  it('keeps memory bounded by activity', () => {
    const under = inFolder({ youngBytesMax: 64 * 1024, usersMax: 50 });
    const bench = new StoreBench(under);
    const users = Array.from({ length: 300 }, (_, n) => 1000 + n);
    for (const user of users) bench.register(user);
    for (let ref = 1; ref <= 3; ref++) {
      for (const user of users) bench.append(user, user, ref, 'x'.repeat(200));
    }
    const store = bench.store as SqliteStore;
    assert.ok(store.figures.youngBytes <= 64 * 1024 + 1024, `${store.figures.youngBytes} bytes young`);
    // Those that the log needs, and fifty.
    assert.ok(store.figures.cachedUsers <= 50 + (64 * 1024) / 256, `${store.figures.cachedUsers} users`);
    for (const user of users) assert.equal(bench.pending(user).length, 3);
    bench.reopen();
    for (const user of users) assert.equal(bench.status(user, user, 3), AppendStatus.duplicate);
    bench.store.close();
    under.dispose();
  });

  it('lets a long inbox push nobody out', () => {
    const under = inFolder({ youngBytesMax: 256 * 1024, inboxYoungMax: 20 });
    const limits = { ...LIMITS, inboxCountMax: 1e6, inboxBytesMax: 1e9 };
    const bench = new StoreBench(under, limits);
    for (const user of [ALICE, BOB, CAROL]) bench.register(user);
    bench.append(CAROL, ALICE, 1, 'x'.repeat(200));
    for (let ref = 2; ref < 2000; ref++) bench.append(BOB, ALICE, ref, 'x'.repeat(500));
    const store = bench.store as SqliteStore;
    // A megabyte went by; what is left of it in the log are the traces for the window.
    assert.ok(store.figures.youngBytes < 160 * 1024, `${store.figures.youngBytes} bytes young`);
    assert.equal(bench.pending(BOB).length, 1998);
    bench.store.close();
    under.dispose();
  });

  it('counts what waits, young and old, over age and restarts', () => {
    const under = inFolder({ inboxYoungMax: 2 });
    const bench = new StoreBench(under);
    const waiting = () => {
      const { youngCount, oldCount } = (bench.store as SqliteStore).figures;
      return { young: youngCount, old: oldCount };
    };
    for (const user of [ALICE, BOB]) bench.register(user);
    for (let ref = 1; ref <= 5; ref++) bench.append(ALICE, BOB, ref);
    bench.append(BOB, ALICE, 1);
    assert.deepEqual(waiting(), { young: 1, old: 5 });
    bench.reopen();
    assert.deepEqual(waiting(), { young: 1, old: 5 });
    const later = bench.now + LIMITS.inboxAgeMsMax + 1000;
    for (let n = 0; n < 50; n++) bench.store.housekeep(later, true);
    assert.deepEqual(waiting(), { young: 0, old: 0 });
    bench.reopen();
    assert.deepEqual(waiting(), { young: 0, old: 0 });
    bench.store.close();
    assert.deepEqual(waiting(), { young: 0, old: 0 }, 'as it was when it was closed');
    under.dispose();
  });

  it('empties log and WAL when there is time', () => {
    const under = inFolder({});
    const bench = new StoreBench(under);
    bench.register(ALICE);
    bench.append(ALICE, ALICE, 1);
    const store = bench.store as SqliteStore;
    while (store.housekeep(bench.now + 20_000, true));
    assert.equal(store.figures.youngBytes, 0);
    assert.equal(store.figures.walBytes, 0);
    assert.equal(bench.pending(ALICE).length, 1);
    bench.store.close();
    under.dispose();
  });
});
