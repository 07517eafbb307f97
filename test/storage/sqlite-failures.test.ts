import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DATABASE_FILE } from '../../src/storage/sqlite/database-file.js';
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import { AppendStatus, EntryKind, StoreFailure } from '../../src/storage/stores.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ALICE, BOB, CAROL, LIMITS, StoreBench } from './store-contract.js';

const NOW = 1_700_000_000_000;
const ROOMY = { ...LIMITS, inboxCountMax: 1e6, inboxBytesMax: 1e9 };

function open(folder: string): StoreBench {
  return new StoreBench(
    {
      open: (events, limits) => SqliteStore.open({ folder, limits, events, now: NOW }),
      dispose: () => {},
    },
    ROOMY,
  );
}

/** A file system of its own with little room, or null where none may be mounted. */
function smallDisk(t: TestContext, size: string): string | null {
  const folder = join(temporaryFolder(t), 'disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return null;
  }
  return folder;
}

/** One batch of appends from `ref` on, with a question in it. Returns the failure and what was said. */
function attempt(bench: StoreBench, ref: number, count: number, bytes: number) {
  const body = Buffer.alloc(bytes, 'f');
  bench.events.take();
  bench.store.begin();
  for (let n = 0; n < count; n++) {
    bench.store.append(BOB, ALICE, 1, EntryKind.message, ref + n, NOW, body, 0, bytes, n, 0);
  }
  bench.store.lookup(CAROL, 77);
  const failure = bench.store.commit();
  return { failure, events: bench.events.take() };
}

describe('a full disk', () => {
  it('fails whole batches, and lets the store go on by itself when it has room again', (t) => {
    const disk = smallDisk(t, '4m');
    if (disk === null) {
      t.skip('no file system may be mounted here');
      return;
    }
    try {
      const bench = open(disk);
      bench.register(ALICE);
      bench.register(BOB);
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(2 << 20));
      let ref = 1;
      let stored = 0;
      let failed = attempt(bench, ref, 20, 4000);
      while (failed.failure === null) {
        stored += 20;
        ref += 20;
        failed = attempt(bench, ref, 20, 4000);
      }
      for (let round = 0; round < 3; round++) {
        assert.equal(failed.failure, StoreFailure.diskFull);
        assert.equal(failed.events.length, 21, 'every command of the batch, and nothing else');
        for (const [n, event] of failed.events.entries()) {
          assert.ok(event.type === 'failed' && event.failure === StoreFailure.diskFull);
          assert.equal(event.requester, n < 20 ? n : 77);
          assert.equal(event.ref, n < 20 ? ref + n : 0);
          assert.equal(event.partition === -1, n < 20);
        }
        bench.store.housekeep(NOW, true);
        failed = attempt(bench, ref, 20, 4000);
      }
      rmSync(join(disk, 'ballast'));
      assert.equal(
        bench.pending(BOB).length,
        stored,
        'all that was said to be stored, and nothing of the rest',
      );
      assert.equal(attempt(bench, ref, 20, 4000).failure, null);
      assert.equal(bench.status(BOB, ALICE, ref), AppendStatus.duplicate);
      bench.reopen();
      assert.deepEqual(
        bench.pending(BOB).map(([, , id]) => id),
        Array.from({ length: stored + 20 }, (_, n) => n + 1),
      );
      bench.store.close();
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('can be opened on, and answers what it holds', (t) => {
    const disk = smallDisk(t, '4m');
    if (disk === null) {
      t.skip('no file system may be mounted here');
      return;
    }
    try {
      const bench = open(disk);
      bench.register(ALICE);
      bench.store.close();
      let size = 4 << 20;
      while (size > 0) {
        try {
          writeFileSync(join(disk, 'ballast'), Buffer.alloc(size));
          break;
        } catch {
          size -= 4096;
        }
      }
      assert.throws(() => open(disk), /disk is full/);
      rmSync(join(disk, 'ballast'));
      const again = open(disk);
      assert.equal(again.account(ALICE).device, 1);
      again.store.close();
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('may show as a limit of the process: failed writes, and then none', { timeout: 60_000 }, async (t) => {
    const folder = temporaryFolder(t);
    const script = fileURLToPath(new URL('./limited-process.js', import.meta.url));
    try {
      execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    } catch {
      t.skip('needs prlimit');
      return;
    }
    // Ignored, the signal turns into EFBIG, which is what a quota looks like.
    const child = spawn(
      '/bin/bash',
      ['-c', 'trap "" XFSZ; ulimit -S -f 600; exec "$0" "$1" "$2"', process.execPath, script, folder],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const failures = new Set<number>();
    let stored: number[] = [];
    child.on('message', (message: { type: string; failure?: number; refs?: number[] }) => {
      if (message.type === 'failed') {
        failures.add(message.failure!);
        execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited']);
      } else if (message.type === 'done') {
        stored = message.refs!;
      }
    });
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 0);
    assert.ok(failures.size > 0, 'it never failed');
    for (const failure of failures) {
      assert.ok(failure === StoreFailure.io || failure === StoreFailure.diskFull, `failure ${failure}`);
    }
    const bench = open(folder);
    assert.deepEqual(
      bench.pending(BOB).map(([, , ref]) => ref),
      stored,
    );
    assert.ok(statSync(join(folder, DATABASE_FILE)).size > 600 * 512);
    bench.store.close();
  });
});

describe('a database that is damaged while it is open', () => {
  it('fails the batches that meet the damage, with the reason', (t) => {
    const folder = temporaryFolder(t);
    const bench = open(folder);
    bench.register(ALICE);
    bench.register(BOB);
    bench.append(BOB, ALICE, 1);
    bench.store.close();
    bench.store = SqliteStore.open({
      folder,
      limits: ROOMY,
      events: new (class {
        // The events of this store do not matter, its answers do.
        publish(): void {}
        discard(): void {}
        appended(): void {}
        wiped(): void {}
        controlled(): void {}
        entry(): void {}
        page(): void {}
        account(): void {}
        deviceReplaced(): void {}
        truncated(): void {}
        failed(): void {}
        restarted(): void {}
      })(),
      now: NOW,
      usersMax: 0,
    });
    // Everything behind the first page; nothing of it is in SQLite's cache but what opening has read.
    const path = join(folder, DATABASE_FILE);
    const { size } = statSync(path);
    execFileSync(
      'dd',
      ['if=/dev/zero', `of=${path}`, 'bs=4096', 'seek=1', `count=${size / 4096 - 1}`, 'conv=notrunc'],
      {
        stdio: 'ignore',
      },
    );
    const outcomes = new Set<StoreFailure | null>();
    for (let user = 1; user < 5; user++) {
      bench.store.begin();
      bench.store.control({ op: 'pin-request', user, pinHash: new Uint8Array([1]), now: NOW }, 1, 0);
      outcomes.add(bench.store.commit());
      bench.store.housekeep(NOW + 100_000 * user, true);
    }
    assert.ok(outcomes.has(StoreFailure.corrupt), `outcomes ${[...outcomes].join()}`);
    bench.store.close();
  });
});
