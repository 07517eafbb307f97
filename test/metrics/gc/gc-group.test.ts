import assert from 'node:assert/strict';
import { constants } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { GC_COUNTERS, type GcCounter } from '../../../src/metrics/gc/gc-counters.js';
import { collectorMs, gcGroup } from '../../../src/metrics/gc/gc-group.js';
import { GcObserver } from '../../../src/metrics/gc/gc-observer.js';
import { heapUse, V8Collector } from '../../../src/metrics/gc/v8-heap.js';
import type { Figure, GroupSource } from '../../../src/metrics/reading.js';
import { createStats, nativeCollector, StatsBlock } from '../../../src/schedulers/index.js';
import { within } from '../../support/within.js';

/** The rows of a group, by instance and column. */
async function read(source: GroupSource): Promise<Record<string, Record<string, Figure>>> {
  const { columns } = source.description;
  const rows = await source.read();
  return Object.fromEntries(
    rows.map(({ instance, figures }) => {
      assert.equal(figures.length, columns.length);
      return [instance, Object.fromEntries(columns.map(({ name }, at) => [name, figures[at]!]))];
    }),
  );
}

test('collections are counted by kind, and the longest is that since the reading before', async () => {
  const gc = createStats(GC_COUNTERS);
  const observer = new GcObserver(new StatsBlock<GcCounter>(gc));
  observer.close();
  let majors = 0;
  observer.onMajor = () => majors++;
  const source = gcGroup([
    { name: 'scheduler-1', gc },
    { name: 'scheduler-2', gc: null },
  ]);
  const { NODE_PERFORMANCE_GC_MINOR, NODE_PERFORMANCE_GC_MAJOR } = constants;
  const { NODE_PERFORMANCE_GC_INCREMENTAL, NODE_PERFORMANCE_GC_WEAKCB } = constants;
  observer.collected({ kind: NODE_PERFORMANCE_GC_MINOR, ms: 2 });
  observer.collected({ kind: NODE_PERFORMANCE_GC_MAJOR, ms: 30 });
  observer.collected({ kind: NODE_PERFORMANCE_GC_MINOR, ms: 3 });
  observer.collected({ kind: NODE_PERFORMANCE_GC_INCREMENTAL, ms: 0.5 });
  observer.collected({ kind: NODE_PERFORMANCE_GC_WEAKCB, ms: 0.25 });
  const first = await read(source);
  assert.deepEqual(Object.keys(first), ['scheduler-1']);
  const row = first['scheduler-1']!;
  assert.equal(row['minor'], 2);
  assert.equal(row['minor_ms'], 5);
  assert.equal(row['major'], 1);
  assert.equal(row['major_ms'], 30);
  assert.equal(row['incremental'], 1);
  assert.equal(row['weak_ms'], 0.25);
  assert.equal(row['longest_ms'], 30);
  assert.equal(row['deferrals'], null, 'nothing can be deferred here: n/a');
  assert.equal(majors, 1);
  assert.equal((await read(source))['scheduler-1']!['longest_ms'], 0);
  observer.collected({ kind: NODE_PERFORMANCE_GC_MINOR, ms: 4 });
  observer.collected({ kind: NODE_PERFORMANCE_GC_MINOR, ms: 1 });
  assert.equal((await read(source))['scheduler-1']!['longest_ms'], 4);
  assert.equal(collectorMs({ name: 'x', gc }), 40.75);
  assert.equal(collectorMs({ name: 'x', gc: null }), null);
});

test('V8 is asked for collections, and tells of them', async () => {
  const stats = new StatsBlock<GcCounter>(createStats(GC_COUNTERS));
  const observer = new GcObserver(stats);
  const collector = new V8Collector();
  const { usedBytes, limitBytes } = heapUse();
  assert.ok(usedBytes > 1_000_000 && limitBytes > usedBytes);
  assert.ok(collector.slack().usedBytes > 1_000_000);
  collector.minor();
  collector.full();
  const counted = (async () => {
    while (stats.read('majorRuns') === 0 || stats.read('minorRuns') === 0) await pause(1);
  })();
  await within('the collections', counted);
  assert.ok(stats.read('majorMs') > 0);
  assert.equal((globalThis as { gc?: unknown }).gc, undefined);
  observer.close();
});

test('the native collector begins a full collection that V8 finishes by itself', {
  skip: nativeCollector() === null,
}, async () => {
  const stats = new StatsBlock<GcCounter>(createStats(GC_COUNTERS));
  const observer = new GcObserver(stats);
  const native = nativeCollector()!;
  native.defer(true);
  native.defer(false);
  native.begin();
  const counted = (async () => {
    while (stats.read('majorRuns') === 0) await pause(1);
  })();
  await within('the collection', counted);
  observer.close();
});
