import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { counter, gauge, peak } from '../../../src/metrics/columns.js';
import type { GroupDescription, Reading, Row } from '../../../src/metrics/reading.js';
import { bytes, duration, figure, number, share, words } from '../../../src/ops/dashboard/format.js';
import { Samples } from '../../../src/ops/dashboard/samples.js';

const RING: GroupDescription = {
  name: 'ring',
  version: 1,
  title: 'Rings',
  instance: 'ring',
  columns: [
    counter('publishes', '{message}', 'Written.'),
    gauge('depth', 'By', 'Waiting.'),
    peak('deepest', 'By', 'Most that waited.'),
  ],
};

function samples(capacity = 10): Samples {
  const made = new Samples(capacity, 1000);
  made.describe([RING]);
  return made;
}

function reading(uptimeMs: number, rows: readonly Row[]): Reading {
  return { version: 1, at: 1_000_000 + uptimeMs, uptimeMs, groups: { ring: rows } };
}

const line = (of: Samples, column: string, instance?: string) =>
  of.line({ group: 'ring', column, ...(instance === undefined ? {} : { instance }) });

test('counters are rates over the real time between two readings; gauges and peaks stay as they are', () => {
  const of = samples();
  of.add(reading(1000, [{ instance: 'a', figures: [100, 5, 9] }]));
  of.add(reading(3000, [{ instance: 'a', figures: [700, 6, 8] }]));
  assert.deepEqual(line(of, 'publishes', 'a'), [null, 300]);
  assert.deepEqual(line(of, 'depth', 'a'), [5, 6]);
  assert.deepEqual(line(of, 'deepest', 'a'), [9, 8]);
  assert.deepEqual(of.times(), [1001, 1003]);
  assert.equal(of.latest({ group: 'ring', column: 'publishes' }), 300);
  assert.equal(of.figure({ group: 'ring', column: 'publishes' }), 700);
});

test('rows together: counters and gauges are added, of peaks the most counts', () => {
  const of = samples();
  of.add(
    reading(0, [
      { instance: 'a', figures: [0, 1, 2] },
      { instance: 'b', figures: [0, 10, 20] },
    ]),
  );
  of.add(
    reading(1000, [
      { instance: 'a', figures: [5, 1, 2] },
      { instance: 'b', figures: [7, 10, 20] },
    ]),
  );
  assert.equal(of.latest({ group: 'ring', column: 'publishes' }), 12);
  assert.equal(of.latest({ group: 'ring', column: 'depth' }), 11);
  assert.equal(of.latest({ group: 'ring', column: 'deepest' }), 20);
  assert.equal(of.latest({ group: 'ring', column: 'depth', over: 'max' }), 10);
});

test('a thing that began anew counts from 0, and never backwards', () => {
  const of = samples();
  of.add(reading(0, [{ instance: 'a', figures: [900, 0, 0] }]));
  of.add(reading(1000, [{ instance: 'a', figures: [40, 0, 0] }]));
  assert.deepEqual(line(of, 'publishes', 'a'), [null, 40]);
});

test('what is not to be had is no point, and never 0', () => {
  const of = samples();
  of.add(reading(0, [{ instance: 'a', figures: [null, null, 1] }]));
  of.add(reading(1000, [{ instance: 'a', figures: [null, null, 1] }]));
  of.add(reading(2000, []));
  assert.deepEqual(line(of, 'publishes', 'a'), [null, null, null]);
  assert.deepEqual(line(of, 'depth'), [null, null, null]);
  assert.deepEqual(line(of, 'nothing'), [null, null, null]);
  assert.equal(of.has({ group: 'ring', column: 'nothing' }), false);
  assert.equal(figure(of.latest({ group: 'ring', column: 'depth' }), 'By'), 'n/a');
});

test('a line is broken where nobody looked, and begins anew with the server', () => {
  const of = samples();
  of.add(reading(0, [{ instance: 'a', figures: [0, 1, 1] }]));
  of.add(reading(60_000, [{ instance: 'a', figures: [60, 2, 1] }]));
  of.add(reading(61_000, [{ instance: 'a', figures: [61, 3, 1] }]));
  assert.deepEqual(line(of, 'publishes', 'a'), [null, null, 1]);
  assert.deepEqual(line(of, 'depth', 'a'), [1, null, 3]);
  of.add({ ...reading(500, [{ instance: 'a', figures: [4, 1, 1] }]), at: 2_000_000 });
  assert.equal(of.length, 1);
  // The same moment again.
  of.add({ ...reading(500, []), at: 2_000_000 });
  assert.equal(of.length, 1);
});

test('a clock that is set back or forward neither stops a line nor bends it', () => {
  for (const step of [-3_600_000, 1500]) {
    const of = samples();
    of.add(reading(10_000, [{ instance: 'a', figures: [0, 1, 1] }]));
    of.add(reading(11_000, [{ instance: 'a', figures: [5, 1, 1] }]));
    const later = reading(12_000, [{ instance: 'a', figures: [12, 1, 1] }]);
    of.add({ ...later, at: later.at + step });
    assert.deepEqual(line(of, 'publishes', 'a'), [null, 5, 7]);
    const [first, second, third] = of.times();
    assert.deepEqual([second! - first!, third! - second!], [1, 1]);
    assert.equal(third, (later.at + step) / 1000);
  }
});

test('another server than before begins a new history, even if it is up for longer than that was', () => {
  const of = samples();
  of.add(reading(5000, [{ instance: 'a', figures: [900, 1, 1] }]));
  const other = { ...reading(60_000, [{ instance: 'a', figures: [7, 1, 1] }]), at: 1_005_000 + 70_000 };
  assert.equal(of.isOfAnother(other), true);
  of.add(other);
  assert.equal(of.length, 1);
  assert.equal(of.latest({ group: 'ring', column: 'publishes' }), null);
});

test('headings say no unit that the figure beside them does not have', () => {
  assert.deepEqual(
    ['batch_ms_max', 'batch_max', 'gc_ms', 'io_ms', 'wal_bytes', 'bytes', 'minor'].map(words),
    ['Batch time max', 'Batch max', 'GC time', 'IO time', 'WAL bytes', 'Bytes', 'Minor'],
  );
});

test('however long it goes on, it keeps so many samples and the latest ones', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 0, max: 60 }), (capacity, count) => {
      const of = samples(capacity);
      for (let i = 1; i <= count; i++) of.add(reading(i * 1000, [{ instance: 'a', figures: [i, i, i] }]));
      assert.equal(of.length, Math.min(capacity, count));
      const expected = Array.from({ length: of.length }, (_, i) => count - of.length + 1 + i);
      assert.deepEqual(line(of, 'depth', 'a'), expected);
    }),
  );
  assert.throws(() => new Samples(1, 1000), /1 samples/);
});

test('figures as people read them', () => {
  assert.deepEqual(
    [number(0), number(1234), number(0.126), number(1_234_567)],
    ['0', '1,234', '0.13', '1.2M'],
  );
  assert.deepEqual([bytes(0), bytes(1536), bytes(5 * 1024 ** 3)], ['0 B', '1.5 KiB', '5.0 GiB']);
  assert.deepEqual(
    [duration(0.25), duration(15), duration(15_000), duration(61_000), duration(90_061_000)],
    ['250 µs', '15 ms', '15 s', '1 min 1 s', '1 d 1 h'],
  );
  assert.deepEqual([share(0.034), share(0.5), share(null)], ['3.4 %', '50 %', 'n/a']);
  // So many ms in each second are a share of the time.
  assert.deepEqual([figure(250, 'ms', true), figure(250, 'ms')], ['25 %', '250 ms']);
  assert.deepEqual([figure(2048, 'By', true), figure(3, '{message}', true)], ['2.0 KiB/s', '3/s']);
});
