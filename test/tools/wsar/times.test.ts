import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDay, parseDuration, parseSize, parseTime } from '../../../tools/wsar/times.js';
import { WsarError } from '../../../tools/wsar/wsar-error.js';

const day = new Date(2026, 10, 22, 15, 30).getTime();
const end = new Date(2026, 10, 22, 18).getTime();
const local = (...parts: [number, number, number, number?, number?, number?]) => {
  const [year, month, date, hours = 0, minutes = 0, seconds = 0] = parts;
  return new Date(year, month - 1, date, hours, minutes, seconds).getTime();
};

test('times as they are written', () => {
  assert.equal(parseTime('10:00', '-s', day, end), local(2026, 11, 22, 10));
  assert.equal(parseTime('9:05:30', '-s', day, end), local(2026, 11, 22, 9, 5, 30));
  assert.equal(parseTime('24:00', '-e', day, end), local(2026, 11, 23));
  assert.equal(parseTime('2026-11-21', '-s', day, end), local(2026, 11, 21));
  assert.equal(parseTime('2026-11-21T23:59', '-s', day, end), local(2026, 11, 21, 23, 59));
  assert.equal(parseTime('2026-11-21 23:59:01', '-s', day, end), local(2026, 11, 21, 23, 59, 1));
  assert.equal(parseTime('2026-11-21T23:59Z', '-s', day, end), Date.UTC(2026, 10, 21, 23, 59));
  assert.equal(parseTime('-10m', '-s', day, end), end - 600_000);
  for (const wrong of [
    '',
    '25:00',
    '10:60',
    '10',
    'noon',
    '2026-13-40',
    '--',
    '-x',
    '2026-11-21T25:00',
    '2026-02-30',
    '2026-02-30T10:00Z',
  ]) {
    assert.throws(() => parseTime(wrong, '-s', day, end), WsarError, wrong);
  }
});

test('durations, sizes, days', () => {
  assert.equal(parseDuration('1', 'x'), 1000);
  assert.equal(parseDuration('0.5', 'x'), 500);
  assert.equal(parseDuration('250ms', 'x'), 250);
  assert.equal(parseDuration('5m', 'x'), 300_000);
  for (const wrong of ['', '0', '-1', '1x', 's', '1e3'])
    assert.throws(() => parseDuration(wrong, 'x'), WsarError, wrong);
  assert.equal(parseSize('64MiB', 'x'), 64 * 1024 * 1024);
  assert.equal(parseSize('100', 'x'), 100);
  for (const wrong of ['', '0', '1MB', '-1', 'all'])
    assert.throws(() => parseSize(wrong, 'x'), WsarError, wrong);
  const noon = local(2026, 11, 22, 12);
  assert.equal(parseDay('today', day), noon);
  assert.equal(parseDay('yesterday', day), local(2026, 11, 21, 12));
  assert.equal(parseDay('-2', day), local(2026, 11, 20, 12));
  assert.equal(parseDay('2026-11-01', day), local(2026, 11, 1, 12));
  for (const wrong of ['', 'monday', '22.11.', '2026-11-31x'])
    assert.throws(() => parseDay(wrong, day), WsarError, wrong);
});
