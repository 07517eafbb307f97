import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/structures/seeded-random.js';

test('the same seed gives the same history, another seed another one', () => {
  const draw = (seed: number) => {
    const random = new SeededRandom(seed);
    return [...Array.from({ length: 20 }, () => random.next()), ...random.bytes(16)];
  };
  assert.deepEqual(draw(1), draw(1));
  const seen = new Set(
    [0, 1, 2, 3, -1, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER].map((seed) => String(draw(seed))),
  );
  assert.equal(seen.size, 8);
});

test('numbers lie in [0, 1) and fill it evenly', () => {
  const random = new SeededRandom(7);
  const buckets = new Array<number>(10).fill(0);
  for (let at = 0; at < 100_000; at++) {
    const value = random.next();
    assert.ok(value >= 0 && value < 1);
    buckets[Math.floor(value * 10)]!++;
  }
  // Five standard deviations of a binomial(100000, 0.1): a fixed seed, so it never flickers.
  for (const count of buckets) assert.ok(Math.abs(count - 10_000) < 475, String(buckets));
});
