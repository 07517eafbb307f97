/** The journal's file: opening, deleting, failing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import { openPersistenceEngine } from '../../src/nact/open-persistence-engine.js';
import type { JournalAnswer, JournalFailure, JournalRequest } from '../../src/storage/journal/journal.js';
import { openDatabase } from '../../src/storage/sqlite/database.js';
import { DATABASE_FILE } from '../../src/storage/sqlite/database-file.js';
import { SqliteJournal } from '../../src/storage/sqlite/sqlite-journal.js';
import { StoreOpenError, type StoreOpenReason } from '../../src/storage/store-open-error.js';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ALL, contentOf, event, JournalBench, snapshot } from './journal-bench.js';

const fileIn = (t: TestContext) => join(temporaryFolder(t), 'journal.db');

function benchOn(t: TestContext, path = fileIn(t), snapshotsKept?: number): JournalBench {
  const bench = new JournalBench(
    SqliteJournal.open(snapshotsKept === undefined ? { path } : { path, snapshotsKept }),
  );
  atEnd(t, () => bench.close());
  return bench;
}

/** One commit. The failures: that of the commit, and of each request. */
function commit(
  journal: SqliteJournal,
  ...requests: JournalRequest[]
): [JournalFailure | null, ...(JournalFailure | null)[]] {
  journal.begin();
  const answers: JournalAnswer[] = requests.map((request) => journal.apply(request));
  const failure = journal.commit();
  return [failure, ...answers.map((answer) => (answer.ok ? null : answer.failure))];
}

const persist = (key: string, sequence: number, data: unknown = sequence): JournalRequest => ({
  op: 'persist',
  event: event(key, sequence, data),
  again: false,
});

async function persistMany(bench: JournalBench, key: string, from: number, to: number): Promise<void> {
  const all: Promise<void>[] = [];
  for (let sequence = from; sequence <= to; sequence++) all.push(bench.port.persist(event(key, sequence)));
  await Promise.all(all);
}

describe('opening a journal', () => {
  async function refusal(path: string, reason: StoreOpenReason, words: RegExp): Promise<void> {
    const expected = (error: unknown) => {
      assert.ok(error instanceof StoreOpenError, String(error));
      assert.equal(error.reason, reason);
      assert.match(error.message, words);
      return true;
    };
    assert.throws(() => SqliteJournal.open({ path }), expected);
    // The same from a thread.
    await assert.rejects(openPersistenceEngine({ path }), expected);
  }

  it('makes a file that nobody else can read, and finds it again', async (t) => {
    const path = fileIn(t);
    const first = SqliteJournal.open({ path });
    assert.equal(statSync(path).mode & 0o077, 0);
    assert.deepEqual(commit(first, persist('a', 1)), [null, null]);
    first.close();
    assert.deepEqual(await contentOf(benchOn(t, path).port, 'a'), [[1, 1]]);
  });

  it('needs its folder', async (t) => {
    await refusal(join(temporaryFolder(t), 'none', 'journal.db'), 'missing', /does not exist/);
  });

  it('is refused while another has it, in this process too', async (t) => {
    const path = fileIn(t);
    benchOn(t, path);
    await refusal(path, 'locked', /somebody else has this journal open/);
  });

  it('refuses the files of others, and leaves them as they are', async (t) => {
    const folder = temporaryFolder(t);
    const text = join(folder, 'text');
    writeFileSync(text, 'this is a letter to my bank, and no database at all. '.repeat(100));
    await refusal(text, 'corrupt', /damaged|database/);
    const foreign = join(folder, 'foreign.db');
    const db = new Database(foreign);
    db.exec('CREATE TABLE recipes (name TEXT)');
    db.close();
    await refusal(foreign, 'corrupt', /some other program/);
    openDatabase(folder).close();
    await refusal(join(folder, DATABASE_FILE), 'corrupt', /some other program/);
    assert.throws(() => {
      SqliteJournal.open({ path: join(folder, 'journal.db') }).close();
      const store = join(folder, 'store');
      mkdirSync(store);
      execFileSync('cp', [join(folder, 'journal.db'), join(store, DATABASE_FILE)]);
      openDatabase(store);
    }, /some other program/);
  });

  it('refuses a newer version, and one without its tables', async (t) => {
    const path = fileIn(t);
    SqliteJournal.open({ path }).close();
    const db = new Database(path);
    db.pragma('user_version = 2');
    db.close();
    await refusal(path, 'too-new', /written by a newer version \(format 2, this one knows 1\)/);
    const again = new Database(path);
    again.pragma('user_version = 1');
    again.exec('DROP TABLE events');
    again.close();
    await refusal(path, 'corrupt', /not those of a journal \(no such table: events\)/);
  });

  it('takes every name for a file', (t) => {
    const before = process.cwd();
    process.chdir(temporaryFolder(t));
    try {
      const journal = SqliteJournal.open({ path: ':memory:' });
      journal.close();
      assert.ok(existsSync(':memory:'));
    } finally {
      process.chdir(before);
    }
  });

  it('may come later: until it works each batch fails', (t) => {
    const folder = join(temporaryFolder(t), 'later');
    const journal = SqliteJournal.openLater({ path: join(folder, 'journal.db') });
    assert.deepEqual(commit(journal, persist('a', 1)), ['io', 'io']);
    mkdirSync(folder);
    assert.deepEqual(commit(journal, persist('a', 1)), [null, null]);
    journal.close();
    assert.deepEqual(commit(journal, persist('a', 2)), ['closed', 'closed']);
  });

  it('says which bound is bad, from a thread too', async (t) => {
    const path = fileIn(t);
    assert.throws(() => SqliteJournal.open({ path, snapshotsKept: 0 }), /snapshotsKept .* not 0/);
    await assert.rejects(openPersistenceEngine({ path, snapshotsKept: 1.5 }), /snapshotsKept .* not 1.5/);
  });
});

describe('deleting from a journal', () => {
  it('wipes events, and keeps the last one’s place', async (t) => {
    const bench = benchOn(t);
    await persistMany(bench, 'a', 1, 6);
    assert.equal(await bench.port.deleteEvents('a', 1, 2), 2);
    assert.deepEqual(await contentOf(bench.port, 'a'), [
      [3, 3],
      [4, 4],
      [5, 5],
      [6, 6],
    ]);
    assert.equal(await bench.port.deleteEvents('a', 4, 5), 2);
    assert.deepEqual(await contentOf(bench.port, 'a'), [
      [3, 3],
      [4, null],
      [5, null],
      [6, 6],
    ]);
    assert.equal(await bench.port.deleteEvents('a', 1, 3), 1);
    assert.deepEqual(await contentOf(bench.port, 'a'), [[6, 6]]);
    assert.equal(await bench.port.deleteEvents('a', 1, Number.MAX_SAFE_INTEGER), 1);
    assert.deepEqual(await contentOf(bench.port, 'a'), [[6, null]]);
    await assert.rejects(bench.port.persist(event('a', 6)), { reason: 'sequence' });
    await bench.port.persist(event('a', 7));
    assert.equal(await bench.port.deleteEvents('nobody', 1, 9), 0);
  });

  it('leaves no trace of what they said', async (t) => {
    const path = fileIn(t);
    const bench = benchOn(t, path);
    await bench.port.persist(event('a', 1, 'living', ['secret-tag']));
    await bench.port.persist(event('a', 2, 'the secret', ['secret-tag']));
    await bench.port.persist(event('a', 3, 'living'));
    await bench.port.deleteEvents('a', 2, 2);
    await bench.close();
    const db = new Database(path, { readonly: true });
    atEnd(t, () => db.close());
    assert.deepEqual(
      db.prepare('SELECT sequence, deleted, tags, data FROM events WHERE sequence = 2').all(),
      [{ sequence: 2, deleted: 1, tags: '[]', data: 'null' }],
    );
  });

  it('goes on over several steps when there is much', async (t) => {
    const bench = benchOn(t);
    await persistMany(bench, 'a', 1, 10_000);
    const before = bench.writer.counters.requests;
    assert.equal(await bench.port.deleteEvents('a', 2, 9_999), 9_998);
    assert.equal(bench.writer.counters.requests - before, 3);
    const content = await contentOf(bench.port, 'a');
    assert.equal(content.length, 10_000);
    assert.equal(content.filter(([, data]) => data !== null).length, 2);
    assert.equal(await bench.port.deleteEvents('a', 1, 1), 1);
    assert.deepEqual(await contentOf(bench.port, 'a'), [[10_000, 10_000]]);
  });

  it('keeps the latest snapshots only, as many as it is told', async (t) => {
    const path = fileIn(t);
    const bench = benchOn(t, path, 3);
    for (const sequence of [1, 9, 3, 7, 5]) await bench.port.takeSnapshot(snapshot('a', sequence));
    await bench.port.takeSnapshot(snapshot('a', 9, 'anew'));
    await bench.port.takeSnapshot(snapshot('b', 1));
    assert.deepEqual(await bench.port.latestSnapshot('a'), snapshot('a', 9, 'anew'));
    assert.equal(await bench.port.deleteSnapshots('a', 6), 1);
    assert.equal(await bench.port.deleteSnapshots('a', 9), 2);
    assert.equal(await bench.port.latestSnapshot('a'), null);
    assert.equal((await bench.port.latestSnapshot('b'))?.sequence, 1);
    assert.equal(await bench.port.deleteSnapshots('nobody', 9), 0);
  });
});

describe('a journal whose file fails', () => {
  /** A file system of its own with little room, or null where none may be mounted. */
  function smallDisk(t: TestContext): string | null {
    const folder = join(temporaryFolder(t), 'disk');
    mkdirSync(folder);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      t.skip('no file system may be mounted here');
      return null;
    }
    atEnd(t, () => execFileSync('umount', ['-l', folder]));
    return folder;
  }

  it('refuses commits while the disk is full, and goes on when it has room', (t) => {
    const disk = smallDisk(t);
    if (disk === null) return;
    const journal = SqliteJournal.open({ path: join(disk, 'journal.db') });
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(6 << 20));
    const data = 'x'.repeat(20_000);
    let sequence = 1;
    while (commit(journal, persist('a', sequence, data))[0] === null) sequence++;
    assert.ok(sequence > 10, `it was full at once: ${sequence}`);
    for (let n = 0; n < 3; n++) {
      const [failure] = commit(journal, persist('b', 1, data), persist('a', sequence, data));
      assert.equal(failure, 'disk-full');
      // What is there can be read all the same.
      journal.begin();
      const answer = journal.apply({
        op: 'read',
        key: 'a',
        after: sequence - 2,
        upTo: 1e9,
        countMax: 9,
        tags: [],
      });
      assert.ok(answer.ok);
      assert.deepEqual((answer.value as { events: unknown[] }).events, [event('a', sequence - 1, data)]);
      assert.equal(journal.commit(), null);
    }
    rmSync(join(disk, 'ballast'));
    assert.deepEqual(commit(journal, persist('a', sequence, data), persist('b', 1)), [null, null, null]);
    journal.close();
    const again = SqliteJournal.open({ path: join(disk, 'journal.db') });
    assert.deepEqual(commit(again, persist('a', sequence), persist('a', sequence + 1), persist('b', 2)), [
      null,
      'sequence',
      null,
      null,
    ]);
    again.close();
  });

  /** Has the next COMMIT fail as a sync does that reports an error, before or behind its work. */
  function failCommit(t: TestContext, done: boolean): () => void {
    const original = Database.prototype.prepare;
    let armed = false;
    t.mock.method(Database.prototype, 'prepare', function (this: Database.Database, sql: string) {
      const statement = original.call(this, sql);
      if (sql !== 'COMMIT') return statement;
      const run = statement.run.bind(statement) as () => Database.RunResult;
      statement.run = () => {
        if (!armed) return run();
        armed = false;
        if (done) run();
        throw new Database.SqliteError('disk I/O error', 'SQLITE_IOERR_FSYNC');
      };
      return statement;
    });
    return () => {
      armed = true;
    };
  }

  it('does not have what it said that it could not store', (t) => {
    const arm = failCommit(t, false);
    const journal = SqliteJournal.open({ path: fileIn(t) });
    assert.deepEqual(commit(journal, persist('a', 1)), [null, null]);
    arm();
    assert.deepEqual(commit(journal, persist('a', 2), persist('new', 1)), ['io', null, null]);
    assert.deepEqual(commit(journal, persist('a', 2), persist('new', 1)), [null, null, null]);
    journal.close();
  });

  it('says that it stored what a failed commit has stored all the same', (t) => {
    const arm = failCommit(t, true);
    const journal = SqliteJournal.open({ path: fileIn(t) });
    assert.deepEqual(commit(journal, persist('a', 1)), [null, null]);
    arm();
    assert.deepEqual(commit(journal, persist('a', 2), persist('new', 1)), [null, null, null]);
    assert.deepEqual(commit(journal, persist('a', 2), persist('a', 3)), [null, 'sequence', null]);
    journal.close();
  });

  it('lets damage spoil the reading of what is damaged, and nothing else', async (t) => {
    const path = fileIn(t);
    const first = SqliteJournal.open({ path });
    for (let n = 0; n < 50; n++) {
      commit(first, persist('damaged', n + 1, 'd'.repeat(1000)), persist('other', n + 1));
    }
    first.close();
    const db = new Database(path, { readonly: true });
    const { pageno } = db
      .prepare("SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY path LIMIT 1")
      .get() as { pageno: number };
    db.close();
    execFileSync(
      'dd',
      ['if=/dev/zero', `of=${path}`, 'bs=4096', `seek=${pageno - 1}`, 'count=1', 'conv=notrunc'],
      {
        stdio: 'ignore',
      },
    );
    const bench = benchOn(t, path);
    const { port } = bench;
    const asked = [
      port.persist(event('other', 51)),
      port.read('damaged', ALL),
      port.read('other', ALL),
      port.persist(event('other', 52)),
    ];
    assert.deepEqual(
      (await Promise.allSettled(asked)).map((one) => (one.status === 'rejected' ? one.reason.reason : null)),
      [null, 'corrupt', null, null],
    );
    assert.equal((await contentOf(port, 'other')).length, 52);
    const page = await port.read('other', { ...ALL, after: 50 });
    assert.deepEqual(page.events, [event('other', 51), event('other', 52)]);
  });
});
