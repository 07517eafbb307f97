import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventSink } from '../../src/storage/event-sink.js';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.js';
import { MemoryStore } from '../../src/storage/memory/memory-store.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { RingStorePort, type RingStorePortOptions } from '../../src/storage/ring-store-port.js';
import { createStoreRings, type StoreRings } from '../../src/storage/store-rings.js';
import { StoreWriter, type StoreWriterOptions } from '../../src/storage/store-writer.js';
import { STORE_WRITER_STATS, StoreWriterCell } from '../../src/storage/store-writer-stats.js';
import {
  AppendStatus,
  CommandKind,
  EntryKind,
  StoreFailure,
  type StoreLimits,
} from '../../src/storage/stores.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { RecordedEvents } from './recorded-events.js';
import { ALICE, BOB, LIMITS } from './store-contract.js';

const ROOMY: StoreLimits = { ...LIMITS, inboxCountMax: 1e6, inboxBytesMax: 1e9 };

/** Lets everything deferred and every doorbell's promise run until nothing moves any more. */
async function settle(clock: SimulatedClock): Promise<void> {
  for (let n = 0; n < 50; n++) {
    clock.advance(0);
    // Doorbells ring in a turn of the real event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A writer and schedulers in one thread, over real rings and a simulated clock. */
class Bench {
  readonly clock = new SimulatedClock();
  readonly disk = new MemoryDisk();
  readonly failures: StoreFailure[] = [];
  readonly stats = new Float64Array(STORE_WRITER_STATS.length);
  writer: StoreWriter;
  readonly #options: Partial<StoreWriterOptions>;

  constructor(options: Partial<StoreWriterOptions> = {}) {
    this.#options = options;
    this.writer = this.openWriter();
  }

  openWriter(): StoreWriter {
    return new StoreWriter({
      clock: this.clock,
      stats: this.stats,
      open: (events: EventSink) => new MemoryStore({ disk: this.disk, limits: ROOMY, events, now: 1e9 }),
      onFailure: (failure) => this.failures.push(failure),
      ...this.#options,
    });
  }

  scheduler(
    n: number,
    rings: StoreRings = createStoreRings({ commandBytes: 65536 }),
    options: Partial<RingStorePortOptions> = {},
  ) {
    this.writer.attach(n, rings);
    const port = new RingStorePort({ rings, clock: this.clock, ...options });
    const events = new RecordedEvents();
    return { port, events, rings };
  }

  settle(): Promise<void> {
    return settle(this.clock);
  }
}

function register(port: RingStorePort, user: number): void {
  const pinHash = new Uint8Array([1]);
  port.control(1, 0, { op: 'pin-request', user, pinHash, now: 1 });
  port.control(2, 0, {
    op: 'pin-verify',
    user,
    pinHash,
    keySalt: new Uint8Array([2]),
    keyHash: new Uint8Array([user % 251]),
    now: 1,
  });
}

const body = Buffer.from('..hello..');

function append(port: RingStorePort, ref: number, from = ALICE, to = BOB, bytes: Uint8Array = body): boolean {
  return port.append(100 + ref, to, from, 1, EntryKind.message, ref, 5, bytes, 2, bytes.length - 2, 0);
}

describe('the writer and its rings', () => {
  it('carries every kind of command and event', async () => {
    const bench = new Bench();
    const { port, events } = bench.scheduler(1);
    port.listen(events);
    register(port, ALICE);
    register(port, BOB);
    append(port, 1);
    port.lookup(5, BOB);
    port.read(6, BOB, 0, 10, 1000);
    await bench.settle();
    const seq = events.log.find((event) => event.type === 'entry')?.seq ?? 0;
    port.wipe(7, BOB, 1, seq, 9);
    register(port, BOB);
    await bench.settle();
    const types = events.log.map((event) => event.type);
    assert.deepEqual(types, [
      'controlled',
      'controlled',
      'controlled',
      'controlled',
      'entry',
      'appended',
      'account',
      'page',
      'wiped',
      'entry',
      'controlled',
      'controlled',
    ]);
    const account = events.log[6]!;
    assert.ok(account.type === 'account' && account.requester === 5 && account.account.pendingCount === 1);
    const page = events.log[7]!;
    assert.ok(page.type === 'page' && page.entries[0]?.body === 'hello' && !page.hasMore);
    assert.deepEqual(events.log[8], { type: 'wiped', requester: 7, inbox: BOB, upTo: seq, count: 1 });
    const counters = port.counters;
    assert.equal(counters.events, types.length);
    assert.equal(counters.submitted, 10);
    bench.writer.close();
    port.close();
  });

  it('commits in one batch what one turn brought', async () => {
    const bench = new Bench();
    const { port, events } = bench.scheduler(1);
    port.listen(events);
    register(port, ALICE);
    await bench.settle();
    const { commits } = bench.writer.counters;
    bench.stats[StoreWriterCell.peaksRead]! += 1;
    for (let ref = 1; ref <= 50; ref++) append(port, ref, ALICE, ALICE);
    await bench.settle();
    assert.equal(bench.writer.counters.commits - commits, 1);
    assert.equal(bench.stats[StoreWriterCell.batchMax], 50);
    bench.writer.close();
  });

  it('hands out events for drainMs at a time, and none twice or out of order', async () => {
    const bench = new Bench();
    const { port } = bench.scheduler(1, undefined, { drainMs: 2 });
    register(port, ALICE);
    for (let ref = 1; ref <= 500; ref++) append(port, ref, ALICE, ALICE);
    await bench.settle();
    const refs: number[] = [];
    class Slow extends RecordedEvents {
      override appended(_requester: number, ref: number): void {
        bench.clock.stall(0.5);
        refs.push(ref);
      }
    }
    const slow = new Slow();
    const before = bench.clock.now();
    assert.equal(port.drainEvents(slow, 4096), true);
    // It looks at the clock every 16 events.
    const tookMs = bench.clock.now() - before;
    assert.ok(tookMs >= 2 && tookMs < 2 + 8, `it took ${tookMs} ms`);
    assert.ok(refs.length < 21, `${refs.length} events`);
    while (port.drainEvents(slow, 4096));
    assert.deepEqual(
      refs,
      Array.from({ length: 500 }, (_, at) => at + 1),
    );
    assert.throws(() => bench.scheduler(2, undefined, { drainMs: 0 }), /bad drainMs: 0/);
    bench.writer.close();
    port.close();
  });

  it('keeps the largest batch since somebody looked', async () => {
    const bench = new Bench();
    const { port, events } = bench.scheduler(1);
    port.listen(events);
    register(port, ALICE);
    let ref = 0;
    const batch = async (size: number) => {
      for (let n = 0; n < size; n++) append(port, ++ref, ALICE, ALICE);
      await bench.settle();
      return bench.stats[StoreWriterCell.batchMax];
    };
    await bench.settle();
    bench.stats[StoreWriterCell.peaksRead]! += 1;
    await batch(30);
    assert.equal(await batch(5), 30);
    bench.stats[StoreWriterCell.peaksRead]! += 1;
    assert.notEqual(bench.stats[StoreWriterCell.peaksOf], bench.stats[StoreWriterCell.peaksRead]);
    assert.equal(await batch(5), 5);
    assert.equal(bench.stats[StoreWriterCell.peaksOf], bench.stats[StoreWriterCell.peaksRead]);
    assert.equal(await batch(7), 7);
    assert.equal(await batch(6), 7);
    bench.writer.close();
  });

  it('tells what is in the store from its opening on, and while it tidies up', async () => {
    let young = 3;
    const figures = () => ({
      youngBytes: 0,
      youngCount: young,
      oldCount: 5,
      oldInserted: 0,
      oldDeleted: 0,
    });
    const bench = new Bench({ figures });
    assert.equal(bench.stats[StoreWriterCell.youngCount], 3);
    assert.equal(bench.stats[StoreWriterCell.oldCount], 5);
    young = 2;
    bench.clock.advance(1000);
    assert.equal(bench.stats[StoreWriterCell.youngCount], 2);
    bench.writer.close();
  });

  it('bounds a batch', async () => {
    const bench = new Bench({ batchCountMax: 8 });
    const { port, events } = bench.scheduler(1);
    port.listen(events);
    register(port, ALICE);
    for (let ref = 1; ref <= 50; ref++) append(port, ref, ALICE, ALICE);
    await bench.settle();
    assert.equal(bench.stats[StoreWriterCell.batchMax], 8);
    assert.equal(events.takeOf('appended').length, 50);
    bench.writer.close();
  });

  it('sends results where the command came from, and entries where the partition lives', async () => {
    const bench = new Bench();
    const one = bench.scheduler(1);
    const two = bench.scheduler(2);
    one.port.listen(one.events);
    two.port.listen(two.events);
    register(one.port, ALICE);
    register(one.port, BOB);
    await bench.settle();
    bench.writer.route(partitionOf(BOB), 2);
    one.events.take();
    append(one.port, 1);
    await bench.settle();
    append(two.port, 2);
    two.port.lookup(8, ALICE);
    await bench.settle();
    assert.deepEqual(
      one.events.take().map((event) => event.type),
      ['appended', 'account'],
    );
    assert.deepEqual(
      two.events.take().map((event) => (event.type === 'entry' ? event.ref : event.type)),
      [1, 2, 'appended'],
    );
    bench.writer.close();
  });

  it('refuses when ring and queue are full, and only then; nothing taken is lost or swapped', async () => {
    const bench = new Bench();
    const rings = createStoreRings({ commandBytes: 16384 });
    const { port, events } = bench.scheduler(1, rings, { overflowBytesMax: 65536 });
    port.listen(events);
    register(port, ALICE);
    await bench.settle();
    events.take();
    const large = Buffer.alloc(1000, 'x');
    let taken = 0;
    while (append(port, taken + 1, ALICE, ALICE, large)) taken++;
    assert.ok(taken > 60 && taken < 90, `${taken} of about (16 + 64) KiB / 1 KiB`);
    assert.ok(port.overflowBytes > 0);
    assert.equal(port.counters.refused, 1);
    await bench.settle();
    assert.deepEqual(
      events.takeOf('appended').map((event) => event.ref),
      Array.from({ length: taken }, (_, n) => n + 1),
    );
    assert.equal(port.overflowBytes, 0);
    assert.ok(append(port, taken + 1, ALICE, ALICE, large), 'and goes on');
    await bench.settle();
    assert.equal(events.takeOf('appended').length, 1);
    bench.writer.close();
  });

  it('stalls when a scheduler does not take its events, and goes on when it does', async () => {
    const bench = new Bench({ overflowBytesMax: 300_000, batchCountMax: 4 });
    const rings = createStoreRings({ commandBytes: 2 ** 20, eventBytes: 2 ** 21 });
    const { port, events } = bench.scheduler(1, rings, { overflowBytesMax: 2 ** 26 });
    register(port, ALICE);
    const large = Buffer.alloc(60_000, 'y');
    let taken = 0;
    while (taken < 200 && append(port, taken + 1, ALICE, ALICE, large)) taken++;
    assert.equal(taken, 200);
    await bench.settle();
    const stalled = bench.writer.counters;
    assert.ok(stalled.stalls > 0);
    assert.ok(stalled.commands < 100, `${stalled.commands} applied with nobody listening`);
    port.listen(events);
    await bench.settle();
    assert.deepEqual(
      events.takeOf('entry').map((event) => event.ref),
      Array.from({ length: taken }, (_, n) => n + 1),
    );
    bench.writer.close();
  });

  it('leaves a scheduler that takes no events for too long, and goes on with the others', async () => {
    const left: number[] = [];
    const bench = new Bench({
      overflowBytesMax: 300_000,
      batchCountMax: 4,
      stallMsMax: 3000,
      onLeft: (scheduler) => left.push(scheduler),
    });
    const rings = () => createStoreRings({ commandBytes: 2 ** 20, eventBytes: 2 ** 21 });
    const one = bench.scheduler(1, rings(), { overflowBytesMax: 2 ** 26 });
    const two = bench.scheduler(2, rings());
    one.port.listen(one.events);
    bench.writer.route(partitionOf(BOB), 2);
    register(one.port, ALICE);
    register(one.port, BOB);
    const large = Buffer.alloc(60_000, 'y');
    for (let ref = 1; ref <= 200; ref++) append(one.port, ref, ALICE, BOB, large);
    await bench.settle();
    const answered = () => one.events.log.filter(({ type }) => type === 'appended').length;
    assert.ok(answered() < 100, `${answered()} answered while scheduler 2 takes nothing`);
    bench.clock.advance(2000);
    await bench.settle();
    assert.deepEqual(left, [], 'they wait for it');
    bench.clock.advance(2000);
    await bench.settle();
    assert.deepEqual(left, [2]);
    assert.equal(answered(), 200);
    // It is not listened to any more either, until it is joined anew, with rings that nobody has used.
    assert.ok(append(two.port, 1, BOB, ALICE));
    await bench.settle();
    assert.equal(one.events.log.filter(({ type }) => type === 'entry').length, 0);
    const again = bench.scheduler(2, rings());
    again.port.listen(again.events);
    append(one.port, 201, ALICE, BOB);
    await bench.settle();
    assert.deepEqual(
      again.events.log.map(({ type }) => type),
      ['entry'],
    );
    bench.writer.close();
  });

  it('passes the largest page through the smallest rings', async () => {
    const bench = new Bench();
    const rings = createStoreRings({ commandBytes: 2 ** 20, eventBytes: 2 ** 21 });
    const { port, events } = bench.scheduler(1, rings);
    port.listen(events);
    register(port, ALICE);
    const large = Buffer.alloc(65_536, 'z');
    for (let ref = 1; ref <= 20; ref++) {
      append(port, ref, ALICE, ALICE, large);
      await bench.settle();
    }
    for (let ref = 21; ref <= 5000; ref++) append(port, ref, ALICE, ALICE);
    await bench.settle();
    events.take();
    port.read(1, ALICE, 0, 1e9, 2 ** 40);
    await bench.settle();
    const [page] = events.takeOf('page');
    assert.equal(page?.entries.length, 8, 'half a megabyte');
    assert.equal(page.hasMore, true);
    port.read(1, ALICE, page.entries[7]!.seq + 12, 1e9, 2 ** 40);
    await bench.settle();
    assert.equal(events.takeOf('page')[0]?.entries.length, 4096);
    bench.writer.close();
  });

  it('tells everybody when a batch comes to nothing, and goes on', async () => {
    const bench = new Bench();
    const one = bench.scheduler(1);
    const two = bench.scheduler(2);
    one.port.listen(one.events);
    two.port.listen(two.events);
    register(one.port, ALICE);
    register(one.port, BOB);
    await bench.settle();
    one.events.take();
    bench.writer.route(partitionOf(BOB), 2);
    bench.disk.broken = StoreFailure.io;
    append(one.port, 1);
    one.port.lookup(44, BOB);
    await bench.settle();
    append(two.port, 9, BOB, ALICE);
    await bench.settle();
    assert.deepEqual(one.events.take(), [
      {
        type: 'failed',
        partition: -1,
        requester: 101,
        command: CommandKind.append,
        ref: 1,
        failure: StoreFailure.io,
      },
    ]);
    assert.deepEqual(two.events.take(), [
      {
        type: 'failed',
        partition: partitionOf(BOB),
        requester: 44,
        command: CommandKind.lookup,
        ref: 0,
        failure: StoreFailure.io,
      },
      {
        type: 'failed',
        partition: -1,
        requester: 109,
        command: CommandKind.append,
        ref: 9,
        failure: StoreFailure.io,
      },
    ]);
    assert.deepEqual(bench.failures, [StoreFailure.io, StoreFailure.io]);
    bench.disk.broken = null;
    append(one.port, 1);
    await bench.settle();
    assert.equal(one.events.takeOf('appended')[0]?.status, AppendStatus.stored);
    bench.writer.close();
  });

  it('settles when all that was asked has been answered', async () => {
    const bench = new Bench();
    const { port, events } = bench.scheduler(1);
    port.listen(events);
    register(port, ALICE);
    for (let ref = 1; ref <= 3; ref++) append(port, ref, ALICE, ALICE);
    let settled = false;
    const promise = port.settled().then(() => {
      settled = true;
      assert.equal(events.takeOf('appended').length, 3);
    });
    assert.equal(settled, false);
    await bench.settle();
    await promise;
    // Nothing is asked: at once.
    const again = port.settled();
    await bench.settle();
    await again;
    port.close();
    await port.settled();
    assert.equal(append(port, 9), false, 'closed');
    bench.writer.close();
  });

  it('applies on closing what is still in the rings', async () => {
    const bench = new Bench();
    const { port, events, rings } = bench.scheduler(1);
    port.listen(events);
    register(port, ALICE);
    append(port, 1, ALICE, ALICE);
    port.flush();
    bench.writer.close();
    await bench.settle();
    assert.equal(events.takeOf('appended').length, 1);
    assert.ok(rings);
  });

  it('keeps house once a second', async () => {
    const bench = new Bench();
    const calls: boolean[] = [];
    bench.writer.store.housekeep = (_now, idle) => {
      calls.push(idle);
      return calls.length === 1;
    };
    bench.clock.advance(999);
    assert.deepEqual(calls, []);
    bench.clock.advance(1);
    assert.deepEqual(calls, [true, true], 'and once more, because there was more to do');
    bench.clock.advance(1000);
    assert.equal(calls.length, 3);
    bench.writer.close();
    bench.clock.advance(5000);
    assert.equal(calls.length, 3);
  });
});
