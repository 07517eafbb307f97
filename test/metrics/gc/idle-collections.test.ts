import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GC_COUNTERS, type GcCounter } from '../../../src/metrics/gc/gc-counters.js';
import { IdleCollections } from '../../../src/metrics/gc/idle-collections.js';
import { createStats, StatsBlock } from '../../../src/schedulers/index.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';
import { World } from '../../actors/world.js';

const MiB = 1024 * 1024;

function parts(native: boolean) {
  const clock = new SimulatedClock();
  const stats = new StatsBlock<GcCounter>(createStats(GC_COUNTERS));
  const slack = { youngBytes: 0, usedBytes: 10 * MiB };
  const done: string[] = [];
  const idle = new IdleCollections({
    clock,
    collector: {
      slack: () => ({ ...slack }),
      minor: () => void done.push('minor'),
      full: () => void done.push('full'),
    },
    native: native ? { defer() {}, begin: () => void done.push('begin') } : null,
    stats,
  });
  return { clock, stats, slack, done, idle };
}

test('what was allocated is collected once when nobody has anything to do, and then there is silence', () => {
  const { clock, stats, slack, done, idle } = parts(true);
  slack.youngBytes = 5 * MiB;
  idle.rests();
  clock.advance(1999);
  idle.rests();
  clock.advance(1999);
  assert.deepEqual(done, []);
  clock.advance(10);
  assert.deepEqual(done, ['minor']);
  assert.equal(stats.read('idleMinorRuns'), 1);
  assert.equal(clock.step(), false, 'an idle thread has a timer');
});

test('where nothing has gathered nothing is collected', () => {
  const { clock, slack, done, idle } = parts(true);
  slack.youngBytes = MiB;
  slack.usedBytes = 40 * MiB;
  idle.rests();
  while (clock.step());
  assert.deepEqual(done, []);
});

test('a heap that has grown by much is collected as a whole, at most once a minute', () => {
  const { clock, stats, slack, done, idle } = parts(true);
  slack.youngBytes = 5 * MiB;
  slack.usedBytes = 50 * MiB;
  idle.rests();
  clock.advance(2000);
  assert.deepEqual(done, ['begin']);
  // V8 has done it, and the heap grows again.
  slack.usedBytes = 12 * MiB;
  idle.collected();
  slack.usedBytes = 60 * MiB;
  idle.rests();
  clock.advance(2000);
  assert.deepEqual(done, ['begin', 'minor']);
  clock.advance(60_000);
  idle.rests();
  clock.advance(2000);
  assert.deepEqual(done, ['begin', 'minor', 'begin']);
  assert.equal(stats.read('idleMajorRuns'), 2);
});

test('memory given up outside of the heap is a reason, too, until it is collected', () => {
  const { clock, stats, done, idle } = parts(true);
  stats.values[stats.names.indexOf('droppedBytes')] = 100 * MiB;
  idle.rests();
  clock.advance(2000);
  assert.deepEqual(done, ['begin']);
  idle.collected();
  assert.equal(stats.read('droppedBytes'), 0);
});

test('without the native collector only a small heap is collected as a whole: it stands still for it', () => {
  for (const { usedBytes, expected } of [
    { usedBytes: 60 * MiB, expected: ['full'] },
    { usedBytes: 400 * MiB, expected: [] },
  ]) {
    const { clock, slack, done, idle } = parts(false);
    slack.usedBytes = usedBytes;
    idle.rests();
    clock.advance(2000);
    assert.deepEqual(done, expected);
  }
});

test('switched off it does nothing', () => {
  const { clock, slack, done, idle } = parts(true);
  slack.youngBytes = 5 * MiB;
  idle.rests();
  idle.enabled = false;
  clock.advance(5000);
  idle.rests();
  assert.equal(clock.step(), false);
  assert.deepEqual(done, []);
});

test('a runtime says when nobody has anything to do, once for each time that somebody had', () => {
  const world = new World();
  let rests = 0;
  world.runtime.onRest = () => {
    rests++;
    assert.equal(world.runtime.runQueueLength, 0);
  };
  const a = world.puppet();
  for (let round = 1; round <= 3; round++) {
    for (let at = 0; at < 1000; at++) world.runtime.send(a.pid, at);
    world.clock.advance(1);
    assert.equal(rests, round);
  }
  world.clock.advance(60_000);
  assert.equal(rests, 3);
});
