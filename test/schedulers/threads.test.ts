/** Schedulers in threads of their own: nothing is lost, reordered or told twice, whatever the rings go through. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { Parcel } from './test-codecs.js';
import { TestNode } from './test-node.js';

/** The message with this number: of all kinds and sizes, most of them small. */
function messageNumber(n: number): unknown {
  switch (n % 11) {
    case 0:
      return n;
    case 1:
      return `message ${n}${'ß'.repeat(n % 40)}`;
    case 2:
      return { n, list: [n, null, { deep: new Uint8Array([n & 255]) }], at: new Date(n) };
    case 3:
      return new Uint8Array(n % 300).fill(n);
    case 4:
      // Longer than a quarter of the smaller rings, now and then.
      return n % 1001 === 4 ? new Uint8Array(40_000 + (n % 5000)).fill(n) : { type: 'tick', count: n };
    case 5:
    case 6:
      return { type: 'tick', count: n };
    default:
      return new Parcel(n, n / 7, `no. ${n}`, new Uint8Array(n % 90).fill(n));
  }
}

interface EchoOptions {
  readonly count: number;
  readonly ringBytes: number;
  /** The most that is under way at a time. */
  readonly window: number;
  readonly publishBytes?: number;
}

/**
 * Sends `count` messages to an echo in another thread in bursts of random size and checks each that comes back. Returns
 * how many had to wait behind a ring.
 */
async function echo({ count, ringBytes, window, publishBytes = 16 * 1024 }: EchoOptions): Promise<number> {
  const node = new TestNode(ringBytes, { publishBytes });
  const { number } = await node.start(1, 'echo');
  const random = new SeededRandom(count + ringBytes);
  const peer = node.runtime.whereis(`echo-${number}`)!;
  let sent = 0;
  let received = 0;
  /** So few have to be under way before the next burst: often none, so that both ends fall asleep. */
  let next = 0;
  await new Promise<void>((resolve, reject) => {
    const pid = node.runtime.spawn<unknown>((self) => {
      self.send(peer, self);
      return {
        receive(message) {
          if (message !== 'begin') {
            try {
              if (received % 16 === 0) assert.deepEqual(message, messageNumber(received));
              else assertNumber(message, received);
            } catch (error) {
              reject(error);
              self.exit({ type: 'normal' });
            }
            received++;
          }
          if (received === count) resolve();
          if (sent - received > next) return;
          const burst = 1 + Math.floor(random.next() * window);
          for (let n = 0; n < burst && sent < count; n++) self.send(peer, messageNumber(sent++));
          next = random.next() < 0.5 ? 0 : Math.floor(random.next() * (sent - received));
        },
      };
    });
    node.runtime.send(pid, 'begin');
  });
  for (const { stats } of node.pool.routerReports()) assert.equal(stats.undecodable, 0);
  const overflowed = node.pool.ringReports().reduce((sum, { stats }) => sum + stats.overflowed, 0);
  await node.close();
  assert.equal(received, count);
  return overflowed;
}

/** The cheap part of the check. */
function assertNumber(message: unknown, n: number): void {
  const found =
    message instanceof Parcel
      ? message.number
      : typeof message === 'number'
        ? message
        : typeof message === 'object'
          ? ((message as { count?: number; n?: number }).count ?? (message as { n?: number }).n ?? n)
          : n;
  if (found !== n) assert.fail(`message ${n} came as ${JSON.stringify(message)}`);
}

describe('messages between two threads', () => {
  test('a million there and back, through small rings that are full and empty all the time', {
    timeout: 120_000,
  }, async () => {
    await echo({ count: 1_000_000, ringBytes: 64 * 1024, window: 3000 });
  });

  test('through the queue behind the ring', { timeout: 120_000 }, async () => {
    const overflowed = await echo({
      count: 400_000,
      ringBytes: 64 * 1024,
      window: 60_000,
      publishBytes: 1 << 30,
    });
    assert.ok(overflowed > 10_000, `only ${overflowed} records had to wait`);
  });

  test('one at a time, both ends asleep in between', { timeout: 120_000 }, async () => {
    assert.equal(await echo({ count: 20_000, ringBytes: 64 * 1024, window: 1 }), 0);
  });
});
