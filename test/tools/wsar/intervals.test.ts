import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Interval, Intervals } from '../../../tools/wsar/intervals.js';
import { type Rows, sample, TEN } from './some-samples.js';

/** The values of one row. */
function valuesOf(interval: Interval | null, instance = 'a', group = 'sched'): number[] {
  const row = interval?.tables.get(group)?.rows.find((row) => row.instance === instance);
  assert.ok(row !== undefined, `no row ${instance}`);
  return [...row.values];
}

describe('intervals', () => {
  test('counters are rates over the time that really passed, times are shares, gauges means, peaks the most', () => {
    const intervals = new Intervals(Number.POSITIVE_INFINITY);
    const steps: [number, Rows][] = [
      [0, { a: [100, 1000, 8, 900, 0] }],
      [1, { a: [160, 1400, 2, 7, 1024] }],
      [2.5, { a: [250, 1900, 4, 30, 4096] }],
      [4, { a: [300, 2000, 9, 5, 4096] }],
    ];
    for (const [at, rows] of steps) assert.equal(intervals.add(sample(at, rows)), null);
    const interval = intervals.end();
    assert.equal(interval?.seconds, 4);
    assert.equal(interval?.at, TEN + 4000);
    assert.deepEqual(valuesOf(interval), [50, 0.25, 5, 30, 1024]);
  });

  test('a counter that is smaller than before has begun anew: never a negative rate', () => {
    const intervals = new Intervals(0);
    intervals.add(sample(0, { a: [1000, 50, 0, 0, 0], b: [5, 5, 0, 0, 0] }));
    const after = intervals.add(sample(2, { a: [10, 60, 0, 0, 0], b: [9, 5, 0, 0, 0] }));
    assert.deepEqual(valuesOf(after).slice(0, 2), [5, 0.005]);
    assert.deepEqual(valuesOf(after, 'b').slice(0, 2), [2, 0]);
  });

  test('n/a stays n/a, and a gap does not make a jump', () => {
    const intervals = new Intervals(0);
    intervals.add(sample(0, { a: [100, null, 1, null, 0] }));
    const without = intervals.add(sample(1, { a: [null, null, null, null, 10] }));
    assert.deepEqual(valuesOf(without), [Number.NaN, Number.NaN, Number.NaN, Number.NaN, 10]);
    const back = intervals.add(sample(2, { a: [110, null, 3, 4, 10] }));
    assert.deepEqual(valuesOf(back), [10, Number.NaN, 3, 4, 0]);
  });

  test('rows that come and go are there while they are', () => {
    const intervals = new Intervals(0);
    intervals.add(sample(0, { a: [0, 0, 0, 0, 0] }));
    const second = intervals.add(sample(1, { a: [1, 0, 0, 0, 0], b: [70, 0, 2, 0, 0] }));
    // Of what it counted before nobody knows since when.
    assert.deepEqual(valuesOf(second, 'b'), [Number.NaN, Number.NaN, 2, 0, Number.NaN]);
    const third = intervals.add(sample(2, { b: [77, 0, 2, 0, 0] }));
    assert.deepEqual(valuesOf(third, 'b')[0], 7);
    assert.deepEqual(
      third?.tables.get('sched')?.rows.map(({ instance }) => instance),
      ['b'],
    );
  });

  test('intervals are counted from a given time, whatever the samples say, and none is longer for a late one', () => {
    const intervals = new Intervals(10_000, TEN);
    const ends: number[] = [];
    for (const at of [0.4, 3, 6, 9.95, 13, 16, 19, 23, 26, 29, 31, 61, 65, 70]) {
      const interval = intervals.add(sample(at, { a: [at * 10, 0, 0, 0, 0] }));
      if (interval === null) continue;
      ends.push((interval.at - TEN) / 1000);
      assert.ok(Math.abs(valuesOf(interval)[0]! - 10) < 1e-9);
    }
    // Of 9.95 s, which comes early; then the first sample behind 20 s, and so on.
    assert.deepEqual(ends, [9.95, 23, 31, 61, 70]);
  });

  test('a clock that is set back by an hour does not stop the reports', () => {
    const intervals = new Intervals(10_000);
    let ends = 0;
    for (let second = 0; second <= 60; second++) {
      const at = second < 25 ? second : second - 3600;
      const { tables, uptimeMs } = sample(second, { a: [second, 0, 0, 0, 0] });
      const interval = intervals.add({ at: TEN + at * 1000, uptimeMs, tables });
      if (interval === null) continue;
      ends++;
      assert.equal(valuesOf(interval)[0], 1);
    }
    assert.ok(ends >= 4, `${ends} intervals`);
  });

  test('over a restart nothing is compared', () => {
    const intervals = new Intervals(60_000);
    intervals.add(sample(0, { a: [1000, 0, 0, 0, 0] }));
    intervals.add(sample(10, { a: [1100, 0, 0, 0, 0] }));
    const rest = intervals.restart();
    assert.deepEqual([rest?.seconds, valuesOf(rest)[0]], [10, 10]);
    intervals.add({ ...sample(12, { a: [5000, 0, 0, 0, 0] }), uptimeMs: 100 });
    intervals.add({ ...sample(14, { a: [5004, 0, 0, 0, 0] }), uptimeMs: 2100 });
    assert.deepEqual(valuesOf(intervals.end())[0], 2);
  });
});
