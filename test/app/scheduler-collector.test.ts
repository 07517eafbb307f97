/** What a scheduler does about its collector, from its knobs to the figures of the group. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CollectorKnobs, SchedulerCollector } from '../../src/app/scheduler-collector.js';
import { GC_COUNTERS } from '../../src/metrics/gc/gc-counters.js';
import { gcGroup } from '../../src/metrics/gc/gc-group.js';
import { createStats, nativeCollector } from '../../src/schedulers/index.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { World } from '../actors/world.js';

const knobs: CollectorKnobs = {
  gcMode: 'spill+defer',
  mailboxSpillAt: 128,
  mailboxSpillBytesMax: 2 ** 26,
  gcDeferMsMax: 30_000,
  gcDeferHeapPercentMax: 95,
  gcWhenIdle: false,
};

function schedulerWith(changed: Partial<CollectorKnobs> = {}) {
  const gc = createStats(GC_COUNTERS);
  const clock = new SimulatedClock();
  const collector = new SchedulerCollector({ ...knobs, ...changed }, clock, gc, null);
  const world = new World({ clock, spill: (runtime) => collector.start(runtime) });
  const source = gcGroup([{ name: 'scheduler-1', gc }]);
  const names = source.description.columns.map(({ name }) => name);
  const figures = () => {
    const [row] = source.read() as ReturnType<typeof source.read> &
      readonly { readonly figures: readonly (number | null)[] }[];
    return Object.fromEntries(row!.figures.map((figure, at) => [names[at]!, figure]));
  };
  const { pid, raw } = world.puppet();
  const flood = (count: number) => {
    for (let at = 0; at < count; at++) world.runtime.send(pid, { type: 'n', at });
  };
  return { clock, collector, world, raw, flood, figures };
}

const native = nativeCollector() !== null;

test('a long mailbox leaves the heap, full collections wait meanwhile, and it is seen', () => {
  const { clock, world, raw, flood, figures } = schedulerWith();
  flood(5000);
  const during = figures();
  assert.ok(during['spilled']! > 4500 && during['spill_bytes']! > 0);
  assert.equal(during['deferring'], native ? 1 : null);
  assert.equal(during['deferrals'], native ? 1 : null);
  world.runtime.flush();
  assert.equal(raw.length, 5000);
  clock.advance(1000);
  const afterwards = figures();
  assert.equal(afterwards['spilled'], 0);
  assert.equal(afterwards['spilled_total'], during['spilled']);
  assert.equal(afterwards['deferring'], native ? 0 : null);
  if (native) assert.ok(afterwards['deferred_ms']! > 0);
});

test('each mode does what it says', () => {
  for (const { gcMode, spills, defers } of [
    { gcMode: 'off', spills: false, defers: false },
    { gcMode: 'spill', spills: true, defers: false },
    { gcMode: 'spill+defer', spills: true, defers: true },
  ] as const) {
    const { flood, figures } = schedulerWith({ gcMode });
    flood(5000);
    const { spilled, deferring } = figures();
    assert.equal(spilled! > 0, spills, gcMode);
    assert.equal(deferring, native ? Number(defers) : null, gcMode);
  }
});

test('knobs are heeded at once, also while messages are outside of the heap', () => {
  const { clock, collector, world, raw, flood, figures } = schedulerWith();
  flood(1000);
  const { spilled } = figures();
  collector.set({ ...knobs, gcMode: 'off' });
  flood(1000);
  assert.ok(figures()['spilled']! <= spilled!);
  world.runtime.flush();
  clock.advance(1000);
  assert.equal(raw.length, 2000);
  assert.equal(figures()['deferring'], native ? 0 : null);
  collector.set({ ...knobs, mailboxSpillAt: 3000 });
  flood(2900);
  assert.equal(figures()['spilled'], 0);
  flood(1000);
  assert.ok(figures()['spilled']! > 800);
});
