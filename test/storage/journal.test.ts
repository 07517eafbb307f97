/** The journal's port and writer, over a journal that fails on demand. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type {
  Journal,
  JournalAnswer,
  JournalFailure,
  JournalRequest,
} from '../../src/storage/journal/journal.js';
import type { JournalPortOptions } from '../../src/storage/journal/journal-port.js';
import { SqliteJournal } from '../../src/storage/sqlite/sqlite-journal.js';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { within } from '../support/within.js';
import { ALL, contentOf, event, JournalBench, snapshot } from './journal-bench.js';

/** A real journal whose commits can be made to fail: then they are not done. */
class Fragile implements Journal {
  fail: JournalFailure | null = null;
  committed: (() => void) | null = null;
  readonly batches: string[][] = [];
  readonly journal: SqliteJournal;

  constructor(path: string) {
    this.journal = SqliteJournal.open({ path });
  }

  begin(): void {
    this.batches.push([]);
    this.journal.begin();
  }

  apply(request: JournalRequest): JournalAnswer {
    this.batches.at(-1)!.push(request.op);
    // Writes of a commit that will fail stay out, reads see as if they were there: they are to be done again.
    if (this.fail === null) return this.journal.apply(request);
    return { ok: true, value: 'of a commit that fails' };
  }

  commit(): JournalFailure | null {
    const failure = this.journal.commit() ?? this.fail;
    this.fail = null;
    const { committed } = this;
    this.committed = null;
    committed?.();
    return failure;
  }

  close(): void {
    this.journal.close();
  }
}

function setUp(t: TestContext, options: JournalPortOptions = {}) {
  const failures: [JournalFailure, number][] = [];
  let recoveries = 0;
  const journal = new Fragile(`${temporaryFolder(t)}/journal.db`);
  const bench = new JournalBench(journal, options, {
    onFailure: (failure, writes) => failures.push([failure, writes]),
    onRecovery: () => recoveries++,
  });
  atEnd(t, () => bench.close());
  return { bench, journal, port: bench.port, failures, recoveries: () => recoveries };
}

/** What became of each: undefined, or the reason of its refusal. */
async function outcomes(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await within('answers', Promise.allSettled(promises));
  return settled.map((one) => (one.status === 'fulfilled' ? undefined : one.reason.reason));
}

describe('a journal, its port and its writer', () => {
  it('commits what is asked for on one stack at once', async (t) => {
    const { journal, port, bench } = setUp(t);
    await Promise.all([1, 2, 3, 4].map((sequence) => port.persist(event('a', sequence))));
    assert.deepEqual(journal.batches, [['persist', 'persist', 'persist', 'persist']]);
    assert.equal(bench.writer.counters.commits, 1);
    assert.deepEqual(await contentOf(port, 'a'), [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  it('refuses a commit whole when it fails, and works again with the next', async (t) => {
    const { journal, port, failures, recoveries } = setUp(t);
    await port.persist(event('a', 1));
    journal.fail = 'disk-full';
    const asked = [
      port.persist(event('a', 2)),
      port.takeSnapshot(snapshot('b', 5)),
      port.deleteEvents('a', 1, 1),
      port.persist(event('c', 1)),
    ];
    // A read in the same commit must not show what that did not store.
    const read = port.read('a', ALL);
    assert.deepEqual(await outcomes(asked), ['disk-full', 'disk-full', 'disk-full', 'disk-full']);
    assert.deepEqual((await read).events, [event('a', 1)]);
    assert.deepEqual(failures, [['disk-full', 4]]);
    assert.equal(recoveries(), 0);
    await port.persist(event('a', 2, 'again'));
    await port.persist(event('c', 1));
    assert.equal(recoveries(), 1);
    assert.deepEqual(await contentOf(port, 'a'), [
      [1, 1],
      [2, 'again'],
    ]);
    assert.equal(await port.latestSnapshot('b'), null);
  });

  it('lets nothing overtake an event that failed: not what was in flight, not what waited here', async (t) => {
    const { journal, port } = setUp(t);
    journal.fail = 'io';
    const asked = [port.persist(event('a', 1))];
    journal.committed = () => {
      // The first one has failed, and nobody here knows: this goes as a second message, whose commit works …
      asked.push(
        port.persist(event('a', 2)),
        port.persist(event('b', 1)),
        port.takeSnapshot(snapshot('a', 2)),
      );
      // … and this waits here, for two are under way.
      queueMicrotask(() => {
        asked.push(
          port.persist(event('a', 3)),
          port.persist(event('b', 2)),
          port.takeSnapshot(snapshot('a', 3)),
        );
      });
    };
    await outcomes(asked);
    assert.deepEqual(await outcomes(asked), [
      'io',
      'behind',
      undefined,
      'behind',
      'behind',
      undefined,
      'behind',
    ]);
    assert.deepEqual(await contentOf(port, 'a'), []);
    assert.equal(await port.latestSnapshot('a'), null);
    // Who knows of the failure may go on.
    await port.persist(event('a', 4));
    await port.takeSnapshot(snapshot('a', 4));
    assert.deepEqual(await contentOf(port, 'a'), [[4, 4]]);
  });

  it('lets nothing overtake an event that was refused for its number or its size', async (t) => {
    const { port } = setUp(t, { dataCharsMax: 100 });
    await port.persist(event('a', 5));
    const asked = [
      port.persist(event('a', 5)),
      port.persist(event('a', 6)),
      port.persist(event('b', 1, 'x'.repeat(200))),
      port.persist(event('b', 2)),
      port.persist(event('c', 1)),
    ];
    assert.deepEqual(await outcomes(asked), ['sequence', 'behind', 'argument', 'behind', undefined]);
    assert.deepEqual(await outcomes([port.persist(event('a', 6)), port.persist(event('b', 2))]), [
      undefined,
      undefined,
    ]);
  });

  it('refuses what is too much', async (t) => {
    const { port } = setUp(t, { pendingMax: 3, pendingCharsMax: 100 });
    const many = [1, 2, 3, 4].map((sequence) => port.persist(event('a', sequence)));
    assert.deepEqual(await outcomes(many), [undefined, undefined, undefined, 'busy']);
    const large = [1, 2].map((sequence) => port.persist(event('b', sequence, 'x'.repeat(60))));
    assert.deepEqual(await outcomes(large), [undefined, 'busy']);
    assert.equal(port.pending, 0);
    await assert.rejects(port.persist(event('b', 2, 'x'.repeat(99))), {
      reason: 'busy',
      message: /0 requests/,
    });
  });

  it('takes bounds from 1 on', (t) => {
    assert.throws(() => setUp(t, { pendingMax: 0 }), /pendingMax must be at least 1, not 0/);
    assert.throws(() => setUp(t, { dataCharsMax: Number.NaN }), RangeError);
  });

  it('asks a new writer again for what the old one did not answer: nothing is lost, nothing twice', async (t) => {
    const { journal, port, bench } = setUp(t);
    await port.persist(event('a', 1));
    // Stored by the old one, which dies before it answers.
    const old = [
      port.persist(event('a', 2)),
      port.takeSnapshot(snapshot('a', 2)),
      port.persist(event('a', 3)),
    ];
    await Promise.resolve();
    port.detach();
    journal.begin();
    journal.apply({ op: 'persist', event: event('a', 2), again: false });
    assert.equal(journal.commit(), null);
    // Asked for while there is none.
    const late = port.persist(event('a', 4));
    bench.serve(journal);
    assert.deepEqual(await outcomes([...old, late]), [undefined, undefined, undefined, undefined]);
    assert.deepEqual(
      (await contentOf(port, 'a')).map(([sequence]) => sequence),
      [1, 2, 3, 4],
    );
    assert.equal((await port.latestSnapshot('a'))?.sequence, 2);
  });

  it('does not take another event for one that it asked for before', async (t) => {
    const { journal, port, bench } = setUp(t);
    const asked = port.persist(event('a', 1, 'mine'));
    await Promise.resolve();
    port.detach();
    journal.begin();
    journal.apply({ op: 'persist', event: event('a', 1, 'of somebody else'), again: false });
    journal.commit();
    bench.serve(journal);
    assert.deepEqual(await outcomes([asked]), ['sequence']);
  });

  it('notices a writer that is gone, and waits for the next', async (t) => {
    const { journal, port, bench } = setUp(t);
    await port.persist(event('a', 1));
    bench.writer.close();
    const path = journal.journal.path;
    const asked = port.persist(event('a', 2));
    const again = SqliteJournal.open({ path });
    bench.serve(again);
    await within('an answer', asked);
    assert.deepEqual(
      (await contentOf(port, 'a')).map(([sequence]) => sequence),
      [1, 2],
    );
  });

  it('refuses everything once it is closed, and what waited', async (t) => {
    const { port } = setUp(t);
    port.detach();
    const waiting = port.persist(event('a', 1));
    port.close();
    assert.deepEqual(await outcomes([waiting, port.latestSnapshot('a')]), ['closed', 'closed']);
    await port.settled();
  });

  it('finishes what it was asked for when the writer closes', async (t) => {
    const { bench, port, journal } = setUp(t);
    await port.persist(event('a', 1));
    const { path } = journal.journal;
    const many = Array.from({ length: 3000 }, (_, n) => port.persist(event('a', n + 2)));
    await Promise.all(many);
    bench.writer.close();
    const again = new JournalBench(SqliteJournal.open({ path }));
    atEnd(t, () => again.close());
    assert.equal((await contentOf(again.port, 'a')).length, 3001);
  });
});
