import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SharedTokenBucket, SharedTokenBuckets } from '../../src/structures/shared-token-buckets.js';
import { takeTokens, tokenRate } from '../../src/structures/token-bucket.js';

test('one bucket for all threads gives what a bucket of one thread gives', () => {
  const step = fc.record({ waitMs: fc.nat(400), count: fc.integer({ min: 1, max: 3 }), thread: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const rate = tokenRate(8, 5);
      const memory = new SharedArrayBuffer(SharedTokenBucket.bytes);
      const threads = [0, 1, 2].map(() => new SharedTokenBucket(memory, 0, rate));
      let fullAt = 0;
      let now = 1000;
      for (const { waitMs, count, thread } of steps) {
        now += waitMs;
        const expected = takeTokens(rate, fullAt, now, count);
        assert.equal(threads[thread]!.take(now, count), expected);
        if (expected > 0) fullAt = expected;
      }
    }),
  );
});

test('a burst in single tokens is as large as in one, also at odd rates', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 1e5, noNaN: true }),
      fc.integer({ min: 1, max: 500 }),
      (rate, burst) => {
        const bucket = new SharedTokenBucket(new SharedArrayBuffer(8), 0, tokenRate(rate, burst));
        for (let n = 1; n <= burst; n++) assert.ok(bucket.take(1e6, 1) > 0, `token ${n} of ${burst}`);
        assert.ok(bucket.take(1e6, 1) <= 0);
        bucket.giveBack(1);
        assert.ok(bucket.take(1e6, 1) > 0);
        assert.ok(bucket.take(1e6, 1) <= 0);
      },
    ),
  );
});

test('keys have buckets of their own, seen by all', () => {
  const memory = new SharedArrayBuffer(SharedTokenBuckets.bytesOf(64));
  const [a, b] = [0, 1].map(() => new SharedTokenBuckets(memory, 0, 64, tokenRate(1, 2), 3));
  for (const key of ['x', 'y', 'z']) {
    assert.ok(a!.take(key, 0, 1) > 0);
    assert.ok(b!.take(key, 0, 1) > 0);
    assert.equal(a!.take(key, 0, 1), -1000);
    assert.equal(b!.take(key, 0, 1), -1000);
  }
});

test('a table that is full forgets the fullest bucket first', () => {
  const memory = new SharedArrayBuffer(SharedTokenBuckets.bytesOf(32));
  const buckets = new SharedTokenBuckets(memory, 0, 32, tokenRate(1, 2), 3);
  for (let n = 0; n < 32; n++) assert.ok(buckets.take(`key ${n}`, 0, n === 9 ? 1 : 2) > 0);
  assert.ok(buckets.take('another', 0, 2) > 0);
  for (let n = 0; n < 32; n++) {
    if (n === 9) continue;
    assert.ok(buckets.take(`key ${n}`, 0, 1) <= 0, `key ${n} is still known`);
  }
});
