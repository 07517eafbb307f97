import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { SharedCounts } from '../../src/structures/shared-counts.js';
import type { CountingData } from './shared-counts-thread.js';

function tables(slots: number, columns: number): SharedCounts[] {
  const memory = new SharedArrayBuffer(SharedCounts.bytesOf(slots, columns));
  return Array.from(
    { length: columns },
    (_, column) => new SharedCounts(memory, 0, slots, columns, column, 1),
  );
}

test('the sum of all threads counts, up to the bound, as in a map', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'add', 'remove', 'clear'),
    column: fc.nat(2),
    key: fc.nat(9).map((n) => `key ${n}`),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const counts = tables(32, 3);
      // Where each of them is counted, by column and key.
      const model = [0, 1, 2].map(() => new Map<string, number[]>());
      const sum = (key: string) => model.reduce((total, one) => total + (one.get(key)?.length ?? 0), 0);
      for (const { what, column, key } of steps) {
        const mine = model[column]!;
        if (what === 'add') {
          const slot = counts[column]!.add(key, 4);
          assert.equal(slot >= 0, sum(key) < 4);
          if (slot >= 0) mine.set(key, [...(mine.get(key) ?? []), slot]);
        } else if (what === 'remove') {
          const slot = mine.get(key)?.pop();
          if (slot !== undefined) counts[column]!.remove(slot);
        } else {
          counts[(column + 1) % 3]!.clear(column);
          mine.clear();
        }
        assert.equal(counts[0]!.count(key), sum(key));
      }
      const keys = new Set(
        model.flatMap((one) => [...one].filter(([, slots]) => slots.length > 0).map(([key]) => key)),
      );
      assert.equal(counts[0]!.size, keys.size);
    }),
  );
});

test('a full table refuses new keys, and takes them again in the places of those that have gone', () => {
  const [counts] = tables(32, 1);
  const slots = Array.from({ length: 32 }, (_, n) => counts!.add(`key ${n}`, 1));
  assert.deepEqual(
    [...slots].sort((a, b) => a - b),
    [...slots.keys()],
  );
  assert.equal(counts!.add('another', 1), -1);
  counts!.remove(slots[7]!);
  assert.equal(counts!.add('another', 1), slots[7]);
  assert.equal(counts!.count('key 7'), 0);
  assert.equal(counts!.count('another'), 1);
});

test('bad sizes are refused with the value', () => {
  const memory = new SharedArrayBuffer(SharedCounts.bytesOf(64, 2));
  assert.throws(() => new SharedCounts(memory, 0, 33, 2, 0, 1), /not 33/);
  assert.throws(() => new SharedCounts(memory, 0, 32, 2, 2, 1), /no column 2 of 2/);
});

test('three threads at once, with more keys than slots: nothing is left and nothing is lost', async () => {
  const slots = 32;
  const columns = 3;
  const max = 5;
  const memory = new SharedArrayBuffer(SharedCounts.bytesOf(slots, columns));
  const answers = await Promise.all(
    Array.from({ length: columns }, async (_, column) => {
      const workerData: CountingData = { memory, slots, columns, column, keys: 60, max, steps: 60_000 };
      const worker = new Worker(new URL('./shared-counts-thread.js', import.meta.url), { workerData });
      const [answer] = (await once(worker, 'message')) as [
        { held: { key: string; slot: number }[]; refused: number },
      ];
      return answer;
    }),
  );
  const held = answers.map((answer) => answer.held);
  assert.ok(answers.every(({ refused }) => refused > 0));
  const counts = Array.from(
    { length: columns },
    (_, column) => new SharedCounts(memory, 0, slots, columns, column, 7),
  );
  const all = held.flat().map(({ key }) => key);
  for (const key of new Set(all)) {
    assert.equal(counts[0]!.count(key), all.filter((one) => one === key).length, key);
  }
  for (const [column, keys] of held.entries()) for (const { slot } of keys) counts[column]!.remove(slot);
  assert.equal(counts[0]!.size, 0);
});
