import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { DOORBELL_BYTES, Doorbell, DoorbellButton } from '../../src/structures/doorbell.js';
import { createRing, RingConsumer, RingProducer } from '../../src/structures/spsc-ring.js';
import type { RingThreadData } from './ring-thread.js';

/**
 * Sends `count` records to a thread that echoes them, over rings so small that both ends sleep all the time,
 * in bursts of `burst` at most, and checks every one that comes back. A lost wake-up hangs it.
 */
async function echo(count: number, burst: number, capacity: number): Promise<void> {
  const data: RingThreadData = {
    there: createRing(capacity),
    back: createRing(capacity),
    bells: new SharedArrayBuffer(2 * DOORBELL_BYTES),
  };
  const worker = new Worker(new URL('./ring-thread.js', import.meta.url), { workerData: data });
  await once(worker, 'message');
  const producer = new RingProducer(data.there);
  const consumer = new RingConsumer(data.back);
  const button = new DoorbellButton(data.bells, 0);
  let sent = 0;
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    const bell = new Doorbell(data.bells, DOORBELL_BYTES, run);
    worker.once('error', reject);
    function send(): void {
      for (let n = 0; n < burst && sent < count; n++) {
        const length = 16 + 8 * (sent % 5);
        let at = producer.reserve(length);
        if (at < 0) {
          producer.wantSpace();
          at = producer.reserve(length);
          if (at < 0) break;
        }
        for (let i = 1; i < length >> 2; i++) producer.memory.i32[(at >> 2) + i] = sent + i;
        sent++;
      }
      if (producer.publish()) button.ring();
    }
    function receive(): void {
      for (let at = consumer.next(); at >= 0; at = consumer.next()) {
        const length = consumer.memory.i32[at >> 2]!;
        assert.equal(length, 16 + 8 * (received % 5));
        for (let i = 1; i < length >> 2; i++) {
          if (consumer.memory.i32[(at >> 2) + i] !== received + i) assert.fail(`record ${received} differs`);
        }
        received++;
      }
      if (consumer.release()) button.ring();
    }
    function run(): void {
      try {
        for (;;) {
          send();
          receive();
          if (received === count) {
            bell.close();
            resolve();
            return;
          }
          bell.prepare();
          // Sleep only with everything sent, or the way there full, and nothing come back.
          const blocked = sent === count || sent - received >= burst;
          if (consumer.isEmpty() && blocked) {
            bell.wait();
            return;
          }
          bell.stayAwake();
        }
      } catch (error) {
        reject(error as Error);
      }
    }
    run();
  });
  worker.postMessage('end');
  await once(worker, 'exit');
  assert.equal(sent, count);
}

describe('rings and doorbells between two threads', () => {
  it('carry a million records through small rings', { timeout: 60_000 }, () =>
    echo(1_000_000, 1 << 20, 4096),
  );
  it('carry a million records in large bursts', { timeout: 60_000 }, () => echo(1_000_000, 50_000, 1 << 20));
  it('lose no wake-up when both ends sleep after each record', { timeout: 60_000 }, () =>
    echo(20_000, 1, 1024),
  );
});
