/** What happened in the rings between two readings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ringGroup } from '../../../src/app/groups/ring-group.js';
import { ringContention } from '../../../src/metrics/profiles/ring-contention.js';
import type { Figure, Reading } from '../../../src/metrics/reading.js';

const { description } = ringGroup({ reports: () => [], stores: () => [], writer: 'writer-1' });

/** By the names of the columns; what is not given is 0. */
function reading(
  uptimeMs: number,
  rings: Readonly<Record<string, Readonly<Record<string, Figure>>>>,
): Reading {
  const rows = Object.entries(rings).map(([instance, given]) => {
    for (const name of Object.keys(given))
      assert.ok(
        description.columns.some((column) => column.name === name),
        name,
      );
    return { instance, figures: description.columns.map(({ name }) => (name in given ? given[name]! : 0)) };
  });
  return { version: 1, at: 0, uptimeMs, groups: { ring: rows } };
}

test('counters are differences, gauges as they are; those that stalled longest come first', () => {
  const before = reading(1000, {
    '1>2': { publishes: 100, full: 5, stalled_ms: 10, bytes: 9000, deepest_bytes: 64 },
    '2>1': { publishes: 50, stalled_ms: 3 },
    '1>w': { publishes: 10, stalled_ms: null, bytes: null },
  });
  const after = reading(2000, {
    '1>2': { publishes: 160, full: 7, stalled_ms: 12, bytes: 9600, depth_bytes: 8, deepest_bytes: 128 },
    '2>1': { publishes: 55, stalled_ms: 43 },
    '1>w': { publishes: 15, stalled_ms: null, bytes: null },
  });
  const rings = ringContention(description, before, after);
  assert.deepEqual(
    rings.map(({ ring, stalledMs, publishes, full, bytes }) => [ring, stalledMs, publishes, full, bytes]),
    [
      ['2>1', 40, 5, 0, 0],
      ['1>2', 2, 60, 2, 600],
      ['1>w', null, 5, 0, null],
    ],
  );
  assert.deepEqual([rings[1]!.depthBytes, rings[1]!.deepestBytes], [8, 128]);
});

test('a ring that was made anew counts from its beginning, and so do all of a server that was', () => {
  const before = reading(5000, { '1>2': { publishes: 100, wakes: 9 } });
  const anew = ringContention(description, before, reading(6000, { '1>2': { publishes: 7, wakes: 10 } }));
  assert.deepEqual([anew[0]!.publishes, anew[0]!.wakes], [7, 10]);
  const restarted = ringContention(
    description,
    before,
    reading(100, { '1>2': { publishes: 300, wakes: 20 } }),
  );
  assert.deepEqual([restarted[0]!.publishes, restarted[0]!.wakes], [300, 20]);
  const joined = ringContention(description, before, reading(6000, { '3>1': { publishes: 4 } }));
  assert.equal(joined[0]!.publishes, 4);
});

test('a reading without rings is refused', () => {
  const none: Reading = { version: 1, at: 0, uptimeMs: 1, groups: {} };
  assert.throws(() => ringContention(description, none, none), /has no group ring/);
});
