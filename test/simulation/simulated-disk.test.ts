import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DiskError } from '../../src/storage/memory/disk.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { SimulatedDisk } from './simulated-disk.js';
import { Trace } from './trace.js';

function disk(seed: number): SimulatedDisk {
  return new SimulatedDisk(new SeededRandom(seed), new Trace(new SimulatedClock(), false, null), false);
}

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** What became of 1000 synced and 2000 unsynced bytes, over many crashes. */
function crashes(): Uint8Array[] {
  return Array.from({ length: 200 }, (_, seed) => {
    const each = disk(seed);
    each.append(filled(1000, 1));
    each.sync();
    each.append(filled(2000, 2));
    each.crash();
    return each.read(0, 10_000);
  });
}

describe('simulated disk', () => {
  it('keeps what was synced, whatever happens', () => {
    for (const content of crashes()) assert.deepEqual(content.subarray(0, 1000), filled(1000, 1));
  });

  it('loses, keeps and tears what was not', () => {
    const tails = crashes().map((content) => content.subarray(1000));
    assert.ok(tails.some((tail) => tail.length === 0));
    assert.ok(tails.some((tail) => tail.length === 2000 && tail.every((byte) => byte === 2)));
    assert.ok(
      tails.some((tail) => tail.length % 512 !== 0 && tail.length < 2000 && tail.every((byte) => byte === 2)),
    );
    // A later sector without an earlier one.
    assert.ok(
      tails.some((tail) =>
        tail.some((byte, at) => byte === 2 && tail.subarray(0, at).some((before) => before !== 2)),
      ),
    );
  });

  it('takes a part of what does not fit', () => {
    const each = disk(1);
    each.room = 1500;
    assert.throws(() => each.append(filled(2000, 1)), DiskError);
    assert.equal(each.size, 1500);
  });

  it('may say that all is synced after a sync that failed, and lose it', () => {
    const lost = Array.from({ length: 100 }, (_, seed) => {
      const each = disk(seed);
      each.append(filled(100, 1));
      each.failSync = 1;
      assert.throws(() => each.sync(), DiskError);
      each.failSync = 0;
      each.sync();
      each.crash();
      return each.size === 0;
    });
    assert.ok(lost.includes(true) && lost.includes(false));
  });

  it('forgets the pages of a failed sync when they are cut off and written again', () => {
    for (let seed = 0; seed < 50; seed++) {
      const each = disk(seed);
      each.append(filled(100, 1));
      each.failSync = 1;
      assert.throws(() => each.sync(), DiskError);
      each.failSync = 0;
      each.truncate(0);
      each.append(filled(100, 2));
      each.sync();
      each.crash();
      assert.deepEqual(each.read(0, 1000), filled(100, 2));
    }
  });

  it('answers nothing when its power has failed, until the machine comes back', () => {
    const each = disk(1);
    each.append(filled(10, 1));
    each.dieInSync = 1;
    assert.throws(() => each.sync(), DiskError);
    assert.ok(each.isDead);
    assert.throws(() => each.read(0, 10), DiskError);
    each.dieInSync = 0;
    each.crash();
    each.sync();
  });
});
