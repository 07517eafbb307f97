import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DiskError } from '../../src/storage/memory/disk.js';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.js';
import { MemoryStore } from '../../src/storage/memory/memory-store.js';
import { AppendStatus, EntryKind, StoreFailure } from '../../src/storage/stores.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { ALICE, BOB, StoreBench, type StoreUnderTest, storeContract } from './store-contract.js';

function onDisk(disk = new MemoryDisk()): StoreUnderTest {
  return {
    open: (events, limits) => new MemoryStore({ disk, limits, events, now: 1_700_000_000_000 }),
    dispose: () => {},
  };
}

storeContract('memory', () => onDisk());

describe('the memory store over its log', () => {
  it('answers only behind a sync', () => {
    const disk = new MemoryDisk();
    const bench = new StoreBench(onDisk(disk));
    bench.register(ALICE);
    const { syncs } = disk;
    bench.append(ALICE, ALICE, 1);
    assert.equal(disk.syncs, syncs + 1);
    assert.equal(disk.syncedSize, disk.size);
    bench.account(ALICE);
    assert.equal(disk.syncs, syncs + 1, 'a question writes nothing');
  });

  it('fails the whole batch when the disk is full, and goes on by itself when it is not', () => {
    const disk = new MemoryDisk();
    const bench = new StoreBench(onDisk(disk));
    bench.register(ALICE);
    bench.register(BOB);
    bench.append(BOB, ALICE, 1);
    bench.events.take();
    disk.capacity = disk.size + 20;
    for (let round = 0; round < 2; round++) {
      bench.store.begin();
      bench.store.append(BOB, ALICE, 1, EntryKind.message, 2, 5, Buffer.from('x'), 0, 1, 11, 0);
      bench.store.lookup(BOB, 12);
      assert.equal(bench.store.commit(), StoreFailure.diskFull);
      assert.deepEqual(
        bench.events.take().map((event) => event.type === 'failed' && [event.requester, event.ref]),
        [
          [11, 2],
          [12, 0],
        ],
      );
    }
    disk.capacity = Number.POSITIVE_INFINITY;
    assert.equal(bench.pending(BOB).length, 1);
    assert.equal(bench.status(BOB, ALICE, 2), AppendStatus.stored);
    bench.reopen();
    assert.equal(bench.pending(BOB).length, 2);
  });

  it('keeps nothing of a batch whose sync failed', () => {
    const disk = new MemoryDisk();
    const bench = new StoreBench(onDisk(disk));
    bench.register(ALICE);
    bench.events.take();
    const sync = disk.sync.bind(disk);
    disk.sync = () => {
      throw new DiskError(StoreFailure.io, 'the test wants this sync to fail');
    };
    bench.store.begin();
    bench.store.append(ALICE, ALICE, 1, EntryKind.message, 1, 5, Buffer.from('x'), 0, 1, 11, 0);
    assert.equal(bench.store.commit(), StoreFailure.io);
    disk.sync = sync;
    assert.equal(bench.pending(ALICE).length, 0);
    assert.equal(bench.status(ALICE, ALICE, 1), AppendStatus.stored);
    bench.reopen();
    assert.equal(bench.pending(ALICE).length, 1);
  });

  it('ends its log at the first batch that is not whole', () => {
    const disk = new MemoryDisk();
    const bench = new StoreBench(onDisk(disk));
    bench.register(ALICE);
    bench.append(ALICE, ALICE, 1);
    const { size } = disk;
    bench.append(ALICE, ALICE, 2);
    disk.flip(size + 20, 3);
    bench.reopen();
    assert.equal(bench.pending(ALICE).length, 1);
    assert.equal(disk.size, size);
    bench.append(ALICE, ALICE, 2);
    bench.reopen();
    assert.equal(bench.pending(ALICE).length, 2);
  });

  it('loses in a crash what was not synced, and only that', () => {
    const disk = new MemoryDisk();
    disk.append(Buffer.alloc(1000, 'a'));
    disk.sync();
    disk.append(Buffer.alloc(5000, 'b'));
    disk.crash(new SeededRandom(7));
    assert.deepEqual(Buffer.from(disk.read(0, 1000)), Buffer.alloc(1000, 'a'));
    assert.ok(disk.size < 6000 || disk.read(1000, 5000).includes(0));
  });
});
