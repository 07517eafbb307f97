import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import { AppendStatus } from '../../src/storage/stores.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { LIMITS, StoreBench } from './store-contract.js';

const PROCESS = fileURLToPath(new URL('./store-process.js', import.meta.url));
/** More when there is time for it. */
const ROUNDS = 3 * Number(process.env['ROOKERY_PROPERTY_FACTOR'] ?? 1);

describe('kill -9 of a process that commits', () => {
  it('loses nothing that was said to be stored, and stores nothing twice', {
    timeout: 600_000,
  }, async (t) => {
    const folder = temporaryFolder(t);
    const limits = { ...LIMITS, inboxCountMax: 1e9, inboxBytesMax: 1e12 };
    const open = (): StoreBench =>
      new StoreBench(
        {
          open: (events) => SqliteStore.open({ folder, limits, events, now: 1_700_000_000_000 }),
          dispose: () => {},
        },
        limits,
      );
    const first = open();
    first.register(1);
    first.register(2);
    first.store.close();
    const { epoch } = first.store;

    /** Highest id and seq that the process said were durable. */
    let ref = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const child = fork(PROCESS, [folder, 'append', String(ref + 1)]);
      let lastSeq = 0;
      const stopAfter = 20 + ((round * 37) % 150);
      let said = 0;
      child.on('message', (message: { type: string; refs?: number[]; seq?: number; epoch?: number }) => {
        if (message.type === 'open') assert.equal(message.epoch, epoch);
        if (message.type !== 'stored') return;
        for (const stored of message.refs!) {
          assert.equal(stored, ref + 1, 'in order, none left out');
          ref = stored;
        }
        lastSeq = Math.max(lastSeq, message.seq!);
        if (++said === stopAfter) child.kill('SIGKILL');
      });
      await once(child, 'exit');
      assert.ok(said >= stopAfter, 'it was killed, and did not fail by itself');

      const bench = open();
      assert.equal(bench.store.epoch, epoch);
      const pending = bench.pending(2).filter(([kind]) => kind === 1);
      const ids = pending.map(([, , id]) => id);
      // What is there ends with the last message that was acknowledged, or a little later: the batch that was
      // durable and not yet said so. Nothing is missing in between, because wipes go from the front.
      const highest = ids[ids.length - 1]!;
      assert.ok(highest >= ref && highest <= ref + 200, `stored up to ${ref}, found up to ${highest}`);
      assert.deepEqual(
        ids,
        Array.from({ length: ids.length }, (_, n) => highest - ids.length + 1 + n),
      );
      for (const [, , id, body] of pending) assert.equal(body.length, (id * 37) % 3000);
      assert.ok(bench.account(2).head >= lastSeq);
      assert.equal(bench.status(2, 1, highest), AppendStatus.duplicate);
      assert.equal(bench.status(2, 1, Math.max(1, highest - 255)), AppendStatus.duplicate);
      ref = highest;
      bench.store.close();
    }
  });
});
