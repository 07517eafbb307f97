/** Alerts in words: what a person reads at three in the morning. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BackloggedProcess } from '../../../src/metrics/alerts/backlog-source.js';
import { processLine } from '../../../src/metrics/alerts/process-findings.js';
import { matches } from '../../../src/metrics/alerts/silences.js';
import { bytes, count, duration, percent, rate } from '../../../src/metrics/alerts/words.js';

test('figures', () => {
  assert.deepEqual([0, 999, 1000, 612_340, 1_000_000].map(count), [
    '0',
    '999',
    '1,000',
    '612,340',
    '1,000,000',
  ]);
  assert.deepEqual([0, 3.52, 950, 1234, 21_400, 999_999, 1_250_000, 12_000_000].map(rate), [
    '0/s',
    '3.5/s',
    '950/s',
    '1.2 K/s',
    '21 K/s',
    '1 M/s',
    '1.3 M/s',
    '12 M/s',
  ]);
  assert.deepEqual(
    [0, 400, 1000, 15_300, 41_000, 65_000, 120_000, 3_600_000, 12_000_000, 400_000_000].map(duration),
    ['0 s', '0.4 s', '1 s', '15 s', '41 s', '1 min 5 s', '2 min', '1 h', '3 h 20 min', '5 days'],
  );
  assert.deepEqual([0, 1023, 1024, 1536, 10 * 1024 ** 2, 3.2 * 1024 ** 3].map(bytes), [
    '0 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '10 MiB',
    '3.2 GiB',
  ]);
  assert.equal(percent(0.944), '94 %');
});

test('a process: which, where, how much, what it does, and how long it will take', () => {
  const process: BackloggedProcess = {
    pid: '<2.45>',
    label: 'partition-17',
    path: ['scheduler-2', 'partitions'],
    handler: 'Partition.receive(entry)',
    length: 612_340,
    suspended: false,
    oldestMs: 15_300,
    fillPerSecond: 21_000,
    drainPerSecond: 40_000,
    drainMs: 41_000,
  };
  assert.equal(
    processLine(process),
    'partition-17 <2.45> (scheduler-2/partitions/partition-17) has 612,340 messages waiting, the oldest for 15 s; in Partition.receive(entry); 21 K/s in, 40 K/s out: empty in about 41 s',
  );
  const stalled = { ...process, path: [], handler: null, length: 1, drainPerSecond: 0, drainMs: null };
  assert.equal(
    processLine(stalled),
    'partition-17 <2.45> has 1 message waiting, the oldest for 15 s; 21 K/s in, 0/s out: it does not get shorter',
  );
  assert.match(processLine({ ...stalled, fillPerSecond: 0 }), /: it stands still$/);
  const decayed = { ...stalled, fillPerSecond: 0.04, drainPerSecond: 0.01 };
  assert.match(processLine(decayed), /0\/s in, 0\/s out: it stands still$/);
  assert.match(processLine({ ...decayed, suspended: true }), /: it is suspended$/);
});

test('patterns: * stands for any letters', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
  fc.assert(
    fc.property(letters, text, (pattern, word) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(word);
      assert.equal(matches(pattern, word), expected, `${pattern} and ${word}`);
    }),
    { numRuns: 2000 },
  );
});
