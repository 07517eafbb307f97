import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { takeTokens, tokenRate, tokensLeft } from '../../src/structures/token-bucket.js';

/** The textbook's bucket: a level and the time it was looked at last. */
class LevelBucket {
  level: number;
  at = 0;
  constructor(
    readonly perSecond: number,
    readonly burst: number,
  ) {
    this.level = burst;
  }
  take(now: number, count: number): boolean {
    this.level = Math.min(this.burst, this.level + ((now - this.at) * this.perSecond) / 1000);
    this.at = now;
    if (this.level + 1e-6 < count) return false;
    this.level -= count;
    return true;
  }
}

const steps = fc.array(fc.record({ waitMs: fc.nat(3000), count: fc.integer({ min: 1, max: 30 }) }), {
  maxLength: 60,
});

test('takes and refuses as a bucket with a level does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: 40 }),
      steps,
      (perSecond, burst, list) => {
        const rate = tokenRate(perSecond, burst);
        const model = new LevelBucket(perSecond, burst);
        let fullAt = 0;
        let now = 0;
        for (const { waitMs, count } of list) {
          now += waitMs;
          const next = takeTokens(rate, fullAt, now, count);
          assert.equal(next > 0, model.take(now, count), `${count} of ${model.level} at ${now}`);
          if (next > 0) fullAt = next;
          assert.ok(Math.abs(tokensLeft(rate, fullAt, now) - model.level) < 1e-3);
        }
      },
    ),
  );
});

test('never lets more through than the burst and what time adds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 50 }),
      steps,
      (perSecond, burst, list) => {
        const rate = tokenRate(perSecond, burst);
        let fullAt = 0;
        let now = 5;
        let taken = 0;
        for (const { waitMs, count } of list) {
          now += waitMs;
          const next = takeTokens(rate, fullAt, now, count);
          if (next > 0) {
            fullAt = next;
            taken += count;
          }
        }
        assert.ok(taken <= burst + ((now - 5) * perSecond) / 1000 + 1e-3);
      },
    ),
  );
});

test('says exactly how long to wait', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(1_000_000),
      (perSecond, burst, count, now) => {
        const rate = tokenRate(perSecond, burst);
        const fullAt = takeTokens(rate, 0, now, burst);
        assert.ok(fullAt > 0);
        const refused = takeTokens(rate, fullAt, now, count);
        if (count > burst) {
          assert.equal(refused, Number.NEGATIVE_INFINITY);
          return;
        }
        assert.ok(refused < 0);
        assert.ok(takeTokens(rate, fullAt, now - refused + 0.01, count) > 0);
        assert.ok(takeTokens(rate, fullAt, now - refused * 0.9, count) <= 0);
      },
    ),
  );
});

test('a burst in single tokens is as large as in one', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 1e6, noNaN: true }),
      fc.integer({ min: 1, max: 2000 }),
      (perSecond, burst) => {
        const rate = tokenRate(perSecond, burst);
        let fullAt = 0;
        for (let i = 0; i < burst; i++) {
          const next = takeTokens(rate, fullAt, 0, 1);
          assert.ok(next > 0, `token ${i + 1} of ${burst}`);
          fullAt = next;
        }
        assert.ok(takeTokens(rate, fullAt, 0, 1) <= 0);
      },
    ),
  );
});

test('bad rates are refused with the value', () => {
  assert.throws(() => tokenRate(0, 1), /not 0/);
  assert.throws(() => tokenRate(Number.NaN, 1), /not NaN/);
  assert.throws(() => tokenRate(1, 0.5), /not 0.5/);
});
