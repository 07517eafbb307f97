import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommitDelay } from '../../src/storage/commit-delay.js';
import type { EventSink } from '../../src/storage/event-sink.js';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.js';
import { MemoryStore } from '../../src/storage/memory/memory-store.js';
import { RingStorePort } from '../../src/storage/ring-store-port.js';
import { createStoreRings } from '../../src/storage/store-rings.js';
import { StoreWriter, type StoreWriterOptions } from '../../src/storage/store-writer.js';
import { STORE_WRITER_STATS, StoreWriterCell } from '../../src/storage/store-writer-stats.js';
import { EntryKind, StoreFailure } from '../../src/storage/stores.js';
import { pauseThread } from '../../src/structures/pause-thread.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { RecordedEvents } from './recorded-events.js';
import { ALICE, BOB, LIMITS } from './store-contract.js';

/** Schedulers as the delay sees them, and what comes of them during each commit and each pause. */
class Schedulers {
  readonly clock = new SimulatedClock();
  readonly sources: { readonly commands: { waitingBytes: number }; appliedAt: number }[] = [];
  /** Bytes that the next pauses bring; then none. */
  readonly coming: number[] = [];
  readonly delay: CommitDelay;
  readonly paused: number[] = [];

  constructor(count: number, delayMs = 0.2) {
    for (let n = 0; n < count; n++)
      this.sources.push({ commands: { waitingBytes: 0 }, appliedAt: Number.NEGATIVE_INFINITY });
    const pause = (ms: number) => {
      this.paused.push(ms);
      this.clock.stall(ms);
      this.sources[0]!.commands.waitingBytes += this.coming.shift() ?? 0;
    };
    this.delay = new CommitDelay({ clock: this.clock, delayMs, pause });
  }

  /** One commit of commands of `from`, and `bytes` that came while it ran. Returns whether a pause followed. */
  commit(bytes: number, from: Iterable<number> = this.sources.keys()): boolean {
    for (const n of from) this.sources[n]!.appliedAt = this.clock.now();
    this.clock.stall(0.25);
    this.sources[0]!.commands.waitingBytes = bytes;
    const before = this.paused.length;
    this.delay.betweenBatches(this.sources);
    return this.paused.length > before;
  }

  /** So many commits during each of which something came. */
  overlap(count: number): void {
    for (let n = 0; n < count; n++) this.commit(100);
  }
}

describe('the delay of a commit', () => {
  it('comes after four commits in a row during which something came, and lasts as long as it pays', () => {
    const schedulers = new Schedulers(2);
    schedulers.overlap(3);
    assert.equal(schedulers.commit(0), false, 'nothing came: it starts from nothing');
    schedulers.overlap(3);
    assert.deepEqual(schedulers.paused, []);
    assert.equal(schedulers.commit(100), false, 'the fourth');
    schedulers.coming.push(100, 100, 100, 100);
    for (let n = 0; n < 4; n++) assert.equal(schedulers.commit(0), true, 'something comes in each pause');
    // From the most that can be saved up: eight, four, two.
    assert.equal(schedulers.commit(100), true);
    assert.equal(schedulers.commit(100), true);
    assert.equal(schedulers.commit(0), false, 'twice in vain');
    schedulers.overlap(3);
    assert.equal(schedulers.paused.length, 6, 'and it has to be earned again');
    assert.ok(schedulers.paused.every((ms) => ms === 0.2));
    assert.equal(schedulers.delay.pauses, 6);
    assert.ok(Math.abs(schedulers.delay.pauseMs - 1.2) < 1e-9);
  });

  it('is not for one scheduler alone, nor for those of which only one is at it', () => {
    const alone = new Schedulers(1);
    alone.overlap(20);
    assert.deepEqual(alone.paused, []);
    const two = new Schedulers(2);
    two.overlap(3);
    two.clock.stall(10);
    for (let n = 0; n < 20; n++) assert.equal(two.commit(100, [0]), false, 'the other is silent');
    two.overlap(3);
    assert.deepEqual(two.paused, [], 'and what was earned before is gone');
    assert.equal(two.commit(100), false);
    assert.equal(two.commit(100, [1]), true, 'what the other one sent is not long ago');
  });

  it('is not for a client that waits for its answer before it sends again', () => {
    const schedulers = new Schedulers(2);
    for (let n = 0; n < 1000; n++) schedulers.commit(0, [n & 1]);
    assert.deepEqual(schedulers.paused, []);
    // Two of them meet now and then.
    for (let n = 0; n < 1000; n++) schedulers.commit(n % 4 === 0 ? 0 : 100, [n & 1]);
    assert.deepEqual(schedulers.paused, []);
  });

  it('is not for a batch that is worth its commit already', () => {
    const schedulers = new Schedulers(2);
    schedulers.overlap(4);
    schedulers.coming.push(100);
    assert.equal(schedulers.commit(1024), false);
    assert.equal(schedulers.commit(1023), true, 'and costs no credit');
  });

  it('is turned while it runs', () => {
    const schedulers = new Schedulers(2, 0);
    schedulers.overlap(20);
    assert.deepEqual(schedulers.paused, []);
    schedulers.delay.delayMs = 0.5;
    schedulers.overlap(5);
    assert.deepEqual(schedulers.paused, [0.5]);
    schedulers.delay.delayMs = 0;
    schedulers.overlap(20);
    assert.deepEqual(schedulers.paused, [0.5]);
  });

  it('stops a thread for less than a millisecond, too', () => {
    pauseThread(0.2);
    pauseThread(0);
  });
});

const body = Buffer.from('hello');

function append(port: RingStorePort, ref: number, from = ALICE): boolean {
  return port.append(100 + ref, BOB, from, 1, EntryKind.message, ref, 5, body, 0, body.length, 0);
}

function register(port: RingStorePort, user: number): void {
  const pinHash = new Uint8Array([1]);
  const [keySalt, keyHash] = [new Uint8Array([2]), new Uint8Array([user % 251])];
  port.control(1, 1, { op: 'pin-request', user, pinHash, now: 1 });
  port.control(2, 2, { op: 'pin-verify', user, pinHash, keySalt, keyHash, now: 1 });
}

/** A writer with two schedulers in one thread. In each commit a command comes, and what a test wants in each pause. */
class Bench {
  readonly clock = new SimulatedClock();
  readonly disk = new MemoryDisk();
  readonly failures: [StoreFailure, number][] = [];
  readonly stats = new Float64Array(STORE_WRITER_STATS.length);
  readonly writer: StoreWriter;
  readonly ports: RingStorePort[] = [];
  readonly events: RecordedEvents[] = [];
  pauses = 0;
  onPause: () => void = () => {};
  onCommit: () => void = () => {};

  constructor(options: Partial<StoreWriterOptions> = {}) {
    this.writer = new StoreWriter({
      clock: this.clock,
      stats: this.stats,
      open: (events: EventSink) => {
        const store = new MemoryStore({ disk: this.disk, limits: LIMITS, events, now: 1e9 });
        const commit = store.commit.bind(store);
        store.commit = () => {
          this.onCommit();
          return commit();
        };
        return store;
      },
      commitDelayMs: 0.2,
      pause: (ms) => {
        this.clock.stall(ms);
        this.pauses++;
        this.onPause();
      },
      onFailure: (failure, commands) => this.failures.push([failure, commands]),
      ...options,
    });
    for (const scheduler of [1, 2]) {
      const rings = createStoreRings({ commandBytes: 65_536 });
      this.writer.attach(scheduler, rings);
      const port = new RingStorePort({ rings, clock: this.clock });
      const events = new RecordedEvents();
      port.listen(events);
      this.ports.push(port);
      this.events.push(events);
    }
  }

  async settle(): Promise<void> {
    for (let n = 0; n < 50; n++) {
      this.clock.advance(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Both users are there, and the next turn of the writer takes a pause. */
  async ready(): Promise<void> {
    const [first, second] = this.ports as [RingStorePort, RingStorePort];
    register(first, ALICE);
    register(second, BOB);
    await this.settle();
    let left = 5;
    this.onCommit = () => {
      if (left-- <= 0) return;
      for (const port of [first, second]) {
        port.lookup(9, ALICE);
        port.flush();
      }
    };
    first.lookup(9, ALICE);
    second.lookup(9, ALICE);
    assert.equal(this.pauses, 0);
  }
}

describe('a writer that takes a pause', () => {
  it('commits together what came before and in it, and acknowledges none of it earlier', async () => {
    const bench = new Bench();
    const [first, second] = bench.ports as [RingStorePort, RingStorePort];
    await bench.ready();
    let commits = 0;
    bench.onPause = () => {
      if (bench.pauses > 1) return;
      ({ commits } = bench.writer.counters);
      for (let ref = 1; ref <= 5; ref++) append(first, ref);
      first.flush();
      for (let ref = 1; ref <= 5; ref++) append(second, ref, BOB);
      second.flush();
      for (const events of bench.events) assert.ok(!events.log.some(({ type }) => type === 'appended'));
      bench.onCommit = () => {
        for (const events of bench.events) assert.ok(!events.log.some(({ type }) => type === 'appended'));
      };
    };
    await bench.settle();
    assert.ok(bench.pauses >= 1);
    assert.equal(bench.writer.counters.commits, commits + 1, 'one commit for both');
    for (const events of bench.events)
      assert.equal(events.log.filter(({ type }) => type === 'appended').length, 5);
    assert.equal(bench.stats[StoreWriterCell.pauses], 1, 'told with the batch');
    assert.ok(bench.stats[StoreWriterCell.pauseMs]! > 0.19);
    bench.writer.close();
  });

  it('sleeps when nothing came in it, and is woken without another one', async () => {
    const bench = new Bench();
    await bench.ready();
    bench.onPause = () => {
      if (bench.pauses > 6) return;
      bench.ports[1]!.lookup(9, ALICE);
      bench.ports[1]!.flush();
    };
    await bench.settle();
    assert.equal(bench.pauses, 7, 'the last one in vain, with credit for another');
    bench.onPause = () => assert.fail('a pause before the first command');
    bench.onCommit = () => {
      // From here on it may: a commit has been.
      bench.onPause = () => {};
    };
    append(bench.ports[0]!, 1);
    await bench.settle();
    assert.ok(bench.events[0]!.log.some(({ type }) => type === 'appended'));
    bench.writer.close();
  });

  it('refuses what came before and in it when the commit fails', async () => {
    const bench = new Bench();
    const [first, second] = bench.ports as [RingStorePort, RingStorePort];
    await bench.ready();
    bench.onPause = () => {
      if (bench.pauses > 1) return;
      append(first, 1);
      first.flush();
      append(second, 1, BOB);
      second.flush();
      bench.onCommit = () => {
        bench.disk.capacity = bench.disk.size;
      };
    };
    await bench.settle();
    const failed = bench.events.map(({ log }) => log.filter(({ type }) => type === 'failed'));
    assert.deepEqual(
      failed.map((events) => events.length > 0),
      [true, true],
    );
    assert.equal(bench.failures[0]?.[0], StoreFailure.diskFull);
    assert.ok(!bench.events.some(({ log }) => log.some(({ type }) => type === 'appended')));
    bench.writer.close();
  });

  it('takes none while a scheduler does not take its events, nor when it closes', async () => {
    const bench = new Bench({ overflowBytesMax: -1 });
    await bench.settle();
    bench.ports[0]!.lookup(9, ALICE);
    await bench.settle();
    assert.ok(bench.writer.counters.stalls > 0);
    bench.onPause = () => assert.fail('a pause');
    append(bench.ports[0]!, 1);
    bench.ports[0]!.flush();
    bench.writer.close();
    assert.ok(bench.writer.counters.commands >= 2, 'and what was there is applied');
  });
});
