import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GC_COUNTERS, type GcCounter } from '../../../src/metrics/gc/gc-counters.js';
import { GcDeferral } from '../../../src/metrics/gc/gc-deferral.js';
import { createStats, StatsBlock } from '../../../src/schedulers/index.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';

class Parts {
  readonly clock = new SimulatedClock();
  readonly stats = new StatsBlock<GcCounter>(createStats(GC_COUNTERS));
  /** What V8 was told. */
  readonly told: boolean[] = [];
  usedBytes = 100;
  spilled = 0;
  readonly deferral: GcDeferral;

  constructor(native = true) {
    this.deferral = new GcDeferral({
      clock: this.clock,
      collector: native ? { defer: (on) => void this.told.push(on), begin() {} } : null,
      heap: () => ({ usedBytes: this.usedBytes, limitBytes: 1000 }),
      spilled: () => this.spilled,
      stats: this.stats,
      limits: { enabled: true, msMax: 30_000, heapShareMax: 0.8 },
    });
  }

  /** A mailbox grows to so many messages outside of the heap. */
  grows(spilled: number): void {
    this.deferral.grows();
    this.spilled = spilled;
  }
}

test('full collections are deferred while messages are outside of the heap, and no timer is left behind', () => {
  const parts = new Parts();
  const { clock, deferral, stats, told } = parts;
  parts.grows(64);
  assert.deepEqual(told, [true]);
  assert.ok(deferral.deferring);
  for (let at = 0; at < 8; at++) {
    clock.advance(250);
    parts.grows(1000 * at);
  }
  assert.deepEqual(told, [true]);
  assert.equal(stats.read('deferring'), 1);
  parts.spilled = 0;
  clock.advance(250);
  assert.deepEqual(told, [true], 'it grew since the look before');
  clock.advance(250);
  assert.deepEqual(told, [true, false]);
  assert.equal(stats.read('deferring'), 0);
  assert.equal(stats.read('deferredMs'), 2500);
  assert.equal(stats.read('deferrals'), 1);
  assert.equal(stats.read('deferralsCut'), 0);
  assert.equal(clock.step(), false, 'it looks on and on');
});

test("V8's own limit of 7 s is begun anew before it is over", () => {
  const parts = new Parts();
  parts.grows(64);
  parts.clock.advance(14_000);
  assert.deepEqual(parts.told, [true, false, true, false, true]);
  assert.ok(parts.deferral.deferring);
});

test('after its longest time it rests as long, though the mailbox is still long', () => {
  const parts = new Parts();
  parts.grows(64);
  parts.clock.advance(30_000);
  assert.ok(!parts.deferral.deferring);
  assert.equal(parts.told.at(-1), false);
  assert.equal(parts.stats.read('deferralsCut'), 1);
  const before = parts.told.length;
  parts.clock.advance(29_000);
  parts.grows(128);
  assert.equal(parts.told.length, before);
  parts.clock.advance(2000);
  assert.ok(parts.deferral.deferring);
  assert.equal(parts.stats.read('deferrals'), 2);
});

test('nothing is deferred when the heap is nearly full, and not again before it is well below', () => {
  const parts = new Parts();
  parts.usedBytes = 800;
  parts.grows(64);
  assert.deepEqual(parts.told, []);
  parts.usedBytes = 700;
  parts.clock.advance(1000);
  assert.deepEqual(parts.told, []);
  parts.usedBytes = 590;
  parts.clock.advance(1000);
  assert.deepEqual(parts.told, [true]);
  parts.usedBytes = 799;
  parts.clock.advance(1000);
  assert.deepEqual(parts.told, [true]);
  parts.usedBytes = 801;
  parts.clock.advance(250);
  assert.deepEqual(parts.told, [true, false]);
  assert.equal(parts.stats.read('deferralsCut'), 1);
});

test('switched off it ends, and switched on it begins with the next growth', () => {
  const parts = new Parts();
  parts.grows(64);
  parts.deferral.limits.enabled = false;
  parts.clock.advance(250);
  assert.deepEqual(parts.told, [true, false]);
  parts.grows(64);
  assert.deepEqual(parts.told, [true, false]);
  parts.deferral.limits.enabled = true;
  parts.grows(64);
  assert.deepEqual(parts.told, [true, false, true]);
  parts.deferral.stop();
  assert.deepEqual(parts.told, [true, false, true, false]);
  assert.equal(parts.clock.step(), false);
});

test('where nothing can be deferred it says so and does nothing', () => {
  const parts = new Parts(false);
  parts.grows(64);
  assert.equal(parts.clock.step(), false);
  assert.equal(parts.stats.read('canDefer'), 0);
  assert.equal(parts.stats.read('deferrals'), 0);
});
