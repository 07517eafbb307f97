/** The operator's ledger on the writer thread: it survives the thread, and costs nothing while nobody wants it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MessageChannel, Worker } from 'node:worker_threads';
import { loadConfig } from '../../src/app/config.js';
import type { FromWriter, ToWriter, WriterData } from '../../src/app/thread-messages.js';
import { GC_COUNTERS } from '../../src/metrics/gc/gc-counters.js';
import { createStats } from '../../src/schedulers/index.js';
import { JournalPort } from '../../src/storage/journal/journal-port.js';
import { STORE_WRITER_STATS } from '../../src/storage/store-writer-stats.js';
import { contentOf, event } from '../storage/journal-bench.js';
import { atEnd } from '../support/at-end.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { within } from '../support/within.js';

async function writerThread(t: TestContext, dataFolder: string, journal: JournalPort): Promise<Worker> {
  const { port1, port2 } = new MessageChannel();
  const workerData: WriterData = {
    role: 'writer',
    stats: createStats(STORE_WRITER_STATS),
    gc: createStats(GC_COUNTERS),
    config: loadConfig({ flags: { dataFolder } }),
    rings: [],
    routes: [],
    journal: port2,
  };
  const entry = new URL('../../src/app/writer-main.js', import.meta.url);
  const worker = new Worker(entry, { workerData, transferList: [port2] });
  atEnd(t, () => worker.terminate());
  journal.attach(port1);
  const [message] = (await within('the store', once(worker, 'message'))) as [FromWriter];
  assert.equal(message.type, 'open');
  return worker;
}

test('the writer thread keeps a journal beside the store, and its successor goes on', async (t) => {
  const folder = temporaryFolder(t);
  const journal = new JournalPort();
  const first = await writerThread(t, folder, journal);
  assert.equal(existsSync(join(folder, 'operator.db')), false);
  await within('the first event', journal.persist(event('knobs', 1, 'on')));
  await first.terminate();
  const waiting = journal.persist(event('knobs', 2, 'off'));
  const second = await writerThread(t, folder, journal);
  await within('the second event', waiting);
  assert.deepEqual(await contentOf(journal, 'knobs'), [
    [1, 'on'],
    [2, 'off'],
  ]);
  second.postMessage({ type: 'close' } satisfies ToWriter);
  await within('the end', once(second, 'exit'));
  journal.close();
});
