import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';

describe('the collector of a thread', () => {
  it('is found by several threads at the same moment', async () => {
    const threads = 3;
    const times = 100;
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const entry = new URL('./collector-thread.js', import.meta.url);
    const done = Array.from({ length: threads }, async () => {
      const worker = new Worker(entry, { workerData: { gate, threads, times } });
      // Rejects with what the thread ended with.
      const [answer] = await once(worker, 'message');
      return answer;
    });
    assert.deepEqual(await Promise.all(done), [times, times, times]);
  });
});
