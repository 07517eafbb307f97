import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { RingStorePort } from '../../src/storage/ring-store-port.js';
import { createStoreRings, type StoreRings } from '../../src/storage/store-rings.js';
import { AppendStatus, EntryKind } from '../../src/storage/stores.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { RecordedEvents } from './recorded-events.js';
import { ALICE } from './store-contract.js';
import type { StoreThreadData } from './store-thread.js';

function startWriter(data: StoreThreadData): Worker {
  return new Worker(new URL('./store-thread.js', import.meta.url), { workerData: data });
}

/** Counts events and calls `check` after each; for tests that wait for one. */
class Watched extends RecordedEvents {
  #check: () => void = () => {};

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#check = () => {
        if (condition()) resolve();
      };
      this.#check();
    });
  }

  override appended(...event: Parameters<RecordedEvents['appended']>): void {
    super.appended(...event);
    this.#check();
  }

  override controlled(...event: Parameters<RecordedEvents['controlled']>): void {
    super.controlled(...event);
    this.#check();
  }
}

function register(port: RingStorePort, user: number): void {
  const pinHash = new Uint8Array([1]);
  port.control(1, 0, { op: 'pin-request', user, pinHash, now: 1 });
  const keys = { keySalt: new Uint8Array([2]), keyHash: new Uint8Array([3]) };
  port.control(2, 0, { op: 'pin-verify', user, pinHash, ...keys, now: 1 });
}

async function close(writer: Worker): Promise<void> {
  writer.postMessage('close');
  await once(writer, 'exit');
}

describe('a writer thread', () => {
  it('stores what two schedulers send at once, each in its order', { timeout: 60_000 }, async (t) => {
    const folder = temporaryFolder(t);
    const pairs: StoreRings[] = [createStoreRings(), createStoreRings({ commandBytes: 65536 })];
    const writer = startWriter({
      folder,
      rings: pairs.map((rings, n) => ({ scheduler: n + 1, rings })),
      limits: { inboxCountMax: 1e6, inboxBytesMax: 1e9 },
    });
    await once(writer, 'message');
    const clock = new SystemClock();
    const ends = pairs.map((rings) => {
      const port = new RingStorePort({ rings, clock });
      const events = new Watched();
      port.listen(events);
      return { port, events };
    });
    const COUNT = 5000;
    const users = [ALICE, ALICE + 1];
    for (const [n, { port, events }] of ends.entries()) {
      register(port, users[n]!);
      await events.until(() => events.log.length >= 2);
      events.take();
    }
    const body = Buffer.alloc(100, 'b');
    for (let ref = 1; ref <= COUNT; ref++) {
      for (const [n, { port, events }] of ends.entries()) {
        // The small ring and its queue fill up on the way: then the end waits for answers, as a session would.
        while (!port.append(n, ALICE, users[n]!, 1, EntryKind.message, ref, 5, body, 0, 50 + (ref % 50), 0)) {
          const before = events.log.length;
          await events.until(() => events.log.length > before);
        }
      }
    }
    for (const [n, { port, events }] of ends.entries()) {
      await port.settled();
      const appended = events.log.filter((event) => event.type === 'appended');
      assert.deepEqual(
        appended.map(({ ref, status, requester }) => [ref, status, requester]),
        Array.from({ length: COUNT }, (_, i) => [i + 1, AppendStatus.stored, n]),
      );
    }
    // All entries went to the scheduler that owns the partitions, in one order.
    const entries = ends[0]!.events.log.filter((event) => event.type === 'entry');
    assert.equal(entries.length, 2 * COUNT);
    for (let n = 1; n < entries.length; n++) assert.ok(entries[n]!.seq > entries[n - 1]!.seq);
    for (const { port } of ends) port.close();
    await close(writer);
  });

  for (const when of ['before', 'behind'] as const) {
    it(`that dies ${when} a commit is replaced by one that goes on`, { timeout: 60_000 }, async (t) => {
      const folder = temporaryFolder(t);
      const rings = createStoreRings();
      const pairs = [{ scheduler: 1, rings }];
      const first = startWriter({ folder, rings: pairs, die: { commit: 5, when } });
      await once(first, 'message');
      const port = new RingStorePort({ rings, clock: new SystemClock() });
      const events = new Watched();
      port.listen(events);
      register(port, ALICE);
      await events.until(() => events.log.length >= 2);
      events.take();
      const died = once(first, 'error');
      const ended = new Promise((resolve) => first.once('exit', resolve));
      let ref = 0;
      let dead = false;
      void died.then(() => {
        dead = true;
      });
      let answered = 0;
      while (!dead) {
        // No more on the way than a client may have: repeats further back could not be told from new ones.
        answered = events.log.filter((event) => event.type === 'appended').length;
        if (ref - answered < 200)
          port.append(0, ALICE, ALICE, 1, EntryKind.message, ++ref, 5, Buffer.from('x'), 0, 1, 0);
        port.flush();
        await new Promise((resolve) => setImmediate(resolve));
      }
      // Its error comes before its end, and only its end gives the lock back.
      await ended;
      const second = startWriter({ folder, rings: pairs });
      await once(second, 'message');
      await port.settled();
      const all = events.take();
      const appended = all.filter((event) => event.type === 'appended');
      const restarted = all.findIndex((event) => event.type === 'restarted');
      assert.ok(restarted >= 0, 'who pushes entries is told to look again');
      assert.ok(
        all.slice(restarted).some((event) => event.type === 'appended'),
        'before anything newer',
      );
      const stored = appended.filter(({ status }) => status === AppendStatus.stored);
      assert.deepEqual(
        stored.map((event) => event.ref),
        Array.from({ length: ref }, (_, n) => n + 1),
        'each stored once, in order',
      );
      const again = appended.filter(({ status }) => status === AppendStatus.duplicate);
      assert.equal(appended.length, stored.length + again.length);
      assert.equal(again.length > 0, when === 'behind', 'what was committed is applied again, to no effect');
      port.close();
      await close(second);
    });
  }
});
