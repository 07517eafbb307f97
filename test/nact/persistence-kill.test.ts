import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SqliteJournal } from '../../src/storage/sqlite/sqlite-journal.js';
import { contentOf, JournalBench } from '../storage/journal-bench.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROCESS = fileURLToPath(new URL('./persisting-process.js', import.meta.url));
const ROUNDS = 3 * Number(process.env['ROOKERY_PROPERTY_FACTOR'] ?? 1);

test('kill -9: what persist resolved is there, in order, without gaps', { timeout: 600_000 }, async (t) => {
  const path = join(temporaryFolder(t), 'journal.db');
  /** The last event of each actor that was said to be persisted. */
  const known = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const child = fork(PROCESS, [path]);
    const stopAfter = 300 + ((round * 211) % 500);
    let count = 0;
    let complaint = '';
    child.on('message', (message: { type: string; said?: [number, number][] }) => {
      for (const [actor, n] of message.said ?? []) {
        if (n !== (known.get(actor) ?? 0) + 1) complaint ||= `actor ${actor}: ${n} after ${known.get(actor)}`;
        known.set(actor, n);
        count++;
      }
      if (count >= stopAfter) child.kill('SIGKILL');
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL', 'it was killed, and did not end by itself');
    assert.equal(complaint, '');

    const bench = new JournalBench(SqliteJournal.open({ path, snapshotsKept: 1 }));
    for (const [actor, last] of known) {
      const key = `actor-${actor}`;
      const events = await contentOf(bench.port, key);
      assert.ok(events.length >= last, `${key}: said to be at ${last}, has ${events.length}`);
      for (const [at, [sequence, data]] of events.entries()) {
        const { n, filler } = data as { n: number; filler: string };
        assert.deepEqual([sequence, n, filler.length], [at + 1, at + 1, ((at + 1) * 131) % 2000]);
      }
      const snapshot = await bench.port.latestSnapshot(key);
      if (snapshot !== null) {
        assert.ok(snapshot.sequence <= events.length, 'no snapshot of what is not there');
        assert.equal(JSON.parse(snapshot.data), snapshot.sequence);
      }
      // Persisted and not said: the next process begins there.
      known.set(actor, events.length);
    }
    assert.equal(known.size, 5);
    await bench.close();
  }
});
