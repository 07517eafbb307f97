import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { openDatabase } from '../../src/storage/sqlite/database.js';
import { DATABASE_FILE } from '../../src/storage/sqlite/database-file.js';
import { EPOCH_FILE } from '../../src/storage/sqlite/epoch-file.js';
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import { StoreOpenError, type StoreOpenReason } from '../../src/storage/store-open-error.js';
import { AppendStatus } from '../../src/storage/stores.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ALICE, BOB, StoreBench, type StoreUnderTest } from './store-contract.js';

const PROCESS = fileURLToPath(new URL('./store-process.js', import.meta.url));
const NOW = 1_700_000_000_000;

function inFolder(folder: string, now = NOW): StoreUnderTest {
  return {
    open: (events, limits) => SqliteStore.open({ folder, limits, events, now }),
    dispose: () => {},
  };
}

function refusal(folder: string, reason: StoreOpenReason, words: RegExp): void {
  assert.throws(
    () => new StoreBench(inFolder(folder)),
    (error) => {
      assert.ok(error instanceof StoreOpenError, String(error));
      assert.equal(error.reason, reason);
      assert.ok(error.message.startsWith(folder), error.message);
      assert.match(error.message, words);
      return true;
    },
  );
}

/** Opens and closes a store with one message, so that there is a file to spoil. */
function used(folder: string): void {
  const bench = new StoreBench(inFolder(folder));
  bench.register(ALICE);
  bench.register(BOB);
  for (let ref = 1; ref <= 3; ref++) bench.append(BOB, ALICE, ref, 'x'.repeat(300));
  bench.store.close();
}

describe('opening a SQLite store', () => {
  it('makes files that nobody else can read, whatever the folder lets through', (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const db = openDatabase(folder);
    t.after(() => db.close());
    for (const name of [DATABASE_FILE, `${DATABASE_FILE}-wal`]) {
      assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
    }
  });

  it('needs a folder', (t) => {
    const folder = temporaryFolder(t);
    refusal(join(folder, 'none'), 'missing', /does not exist/);
    writeFileSync(join(folder, 'file'), '');
    refusal(join(folder, 'file'), 'missing', /not a folder/);
  });

  it('needs to write', async (t) => {
    const folder = temporaryFolder(t);
    used(folder);
    chmodSync(folder, 0o555);
    chmodSync(join(folder, DATABASE_FILE), 0o444);
    try {
      if (process.getuid?.() !== 0) {
        refusal(folder, 'not-writable', /cannot be read and written/);
        return;
      }
      // Nothing is closed to root, so somebody else tries.
      const child = fork(PROCESS, [folder, 'hold'], { uid: 65534, gid: 65534, cwd: '/' });
      const [message] = (await once(child, 'message')) as [{ type: string; reason?: string }];
      assert.equal(message.type, 'refused');
      assert.equal(message.reason, 'not-writable');
      child.kill();
      await once(child, 'exit');
    } finally {
      chmodSync(folder, 0o755);
    }
  });

  it('is refused while another process has it, and possible as soon as that one is dead', async (t) => {
    const folder = temporaryFolder(t);
    const child = fork(PROCESS, [folder, 'hold']);
    await once(child, 'message');
    refusal(folder, 'locked', /another server is running on this data folder/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    new StoreBench(inFolder(folder)).store.close();
  });

  it('is refused while this process has it already', (t) => {
    const folder = temporaryFolder(t);
    const bench = new StoreBench(inFolder(folder));
    refusal(folder, 'locked', /another server/);
    bench.register(ALICE);
    bench.store.close();
  });

  it('refuses a file that is no database, and leaves it as it is', (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(
      join(folder, DATABASE_FILE),
      'this is my diary, dear database, and not one of yours\n'.repeat(99),
    );
    const before = readFileSync(join(folder, DATABASE_FILE));
    refusal(folder, 'corrupt', /damaged; restore a backup/);
    assert.deepEqual(readFileSync(join(folder, DATABASE_FILE)), before);
  });

  it("refuses another program's database", (t) => {
    const folder = temporaryFolder(t);
    const db = new Database(join(folder, DATABASE_FILE));
    db.exec('CREATE TABLE recipes (id INTEGER)');
    db.close();
    refusal(folder, 'corrupt', /some other program/);
  });

  it('refuses a newer format', (t) => {
    const folder = temporaryFolder(t);
    used(folder);
    const db = new Database(join(folder, DATABASE_FILE));
    db.pragma('user_version = 99');
    db.close();
    refusal(folder, 'too-new', /format 99/);
  });

  it('refuses a damaged log', (t) => {
    const folder = temporaryFolder(t);
    used(folder);
    const db = new Database(join(folder, DATABASE_FILE));
    db.exec('UPDATE log SET records = zeroblob(length(records)) WHERE first = (SELECT max(first) FROM log)');
    db.close();
    refusal(folder, 'corrupt', /of the log is damaged/);
  });

  it('refuses a damaged page', (t) => {
    const folder = temporaryFolder(t);
    used(folder);
    const file = openSync(join(folder, DATABASE_FILE), 'r+');
    // All of the second page and behind: the tables, whatever they are.
    writeSync(file, Buffer.alloc(16 * 4096, 0xa5), 0, 16 * 4096, 4096);
    closeSync(file);
    refusal(folder, 'corrupt', /damaged/);
  });

  it('refuses an epoch file that it cannot understand', (t) => {
    const folder = temporaryFolder(t);
    used(folder);
    writeFileSync(join(folder, EPOCH_FILE), 'epoch x\n');
    refusal(folder, 'corrupt', /epoch/);
  });

  it('sets synchronous=FULL, which better-sqlite3 does not do by itself in WAL mode', (t) => {
    const db = openDatabase(temporaryFolder(t));
    assert.equal(db.pragma('synchronous', { simple: true }), 2);
    assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
    assert.equal(db.pragma('wal_autocheckpoint', { simple: true }), 0);
    db.close();
  });
});

describe('the epoch', () => {
  /** Copies the database, whatever its WAL holds: taken when the store is closed. */
  function backup(folder: string, to: string): void {
    mkdirSync(to);
    copyFileSync(join(folder, DATABASE_FILE), join(to, DATABASE_FILE));
  }
  function epochOf(folder: string, now?: number): number {
    const bench = new StoreBench(inFolder(folder, now));
    bench.store.close();
    return bench.store.epoch;
  }

  it('is that of the second in which the database was made', (t) => {
    assert.equal(epochOf(temporaryFolder(t)), NOW / 1000);
  });

  it('stays over restarts, clean or not', (t) => {
    const folder = temporaryFolder(t);
    const first = epochOf(folder);
    used(folder);
    assert.equal(epochOf(folder, NOW + 5000), first);
    const crashed = join(folder, 'crashed');
    mkdirSync(crashed);
    const bench = new StoreBench(inFolder(folder));
    assert.equal(bench.status(BOB, ALICE, 9), AppendStatus.stored);
    bench.store.close();
    assert.equal(epochOf(folder, NOW + 9000), first);
  });

  it('goes up when an older database is put back', (t) => {
    const folder = temporaryFolder(t);
    used(folder);
    const first = epochOf(folder);
    backup(folder, join(folder, 'backup'));
    const bench = new StoreBench(inFolder(folder));
    bench.append(BOB, ALICE, 4);
    const lastSeq = bench.events.takeOf('entry')[0]!.seq;
    bench.store.close();
    // In place, so that not even the inode tells.
    writeFileSync(join(folder, DATABASE_FILE), readFileSync(join(folder, 'backup', DATABASE_FILE)));
    const second = epochOf(folder);
    assert.equal(second, first + 1);
    assert.equal(epochOf(folder), second, 'once');
    const after = new StoreBench(inFolder(folder));
    after.append(BOB, ALICE, 5);
    assert.ok(after.events.takeOf('entry')[0]!.seq > lastSeq, 'and no seq is given out twice');
    after.store.close();
  });

  it('goes up when a copy made while it was open is put back', (t) => {
    const folder = temporaryFolder(t);
    used(folder);
    const bench = new StoreBench(inFolder(folder));
    const { epoch } = bench.store;
    bench.append(BOB, ALICE, 4);
    const names = [DATABASE_FILE, `${DATABASE_FILE}-wal`];
    const copies = names.map((name) => readFileSync(join(folder, name)));
    bench.append(BOB, ALICE, 5);
    bench.store.close();
    for (const [n, name] of names.entries()) writeFileSync(join(folder, name), copies[n]!);
    const after = new StoreBench(inFolder(folder));
    assert.deepEqual(
      after.pending(BOB).map(([, , ref]) => ref),
      [1, 2, 3, 4],
    );
    assert.equal(after.store.epoch, epoch + 1);
    after.store.close();
  });

  it('goes up when another file lies in the place of the database', (t) => {
    const folder = temporaryFolder(t);
    const first = epochOf(folder);
    backup(folder, join(folder, 'backup'));
    rmSync(join(folder, DATABASE_FILE));
    copyFileSync(join(folder, 'backup', DATABASE_FILE), join(folder, `${DATABASE_FILE}.new`));
    copyFileSync(join(folder, `${DATABASE_FILE}.new`), join(folder, DATABASE_FILE));
    assert.equal(epochOf(folder), first + 1);
  });

  it('goes up when the database is gone, and when the epoch file is', (t) => {
    const folder = temporaryFolder(t);
    const first = epochOf(folder);
    rmSync(join(folder, DATABASE_FILE));
    assert.equal(epochOf(folder), first + 1);
    rmSync(join(folder, EPOCH_FILE));
    assert.equal(epochOf(folder), first + 2);
  });
});
