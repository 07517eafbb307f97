/** A flood from one scheduler leaves time for everybody else. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Pid } from '../../src/actors/index.js';
import type { World } from '../actors/world.js';
import { RingWorlds } from './ring-pair.js';
import { testCodecs } from './test-codecs.js';

const open: RingWorlds[] = [];
after(() => {
  for (const rings of open) rings.close();
});

/** Schedulers 1 and 2 send ticks to a process on 0 that takes a tenth of a millisecond for each. */
function setUp() {
  const rings = new RingWorlds(3, { codecs: testCodecs, ringBytes: 1 << 20, drainMs: 2 });
  open.push(rings);
  const [here] = rings.worlds as [World, World, World];
  const taken: number[] = [];
  const pid = here.runtime.spawn<{ readonly type: 'tick'; readonly count: number }>(() => ({
    receive(message) {
      if (message.type !== 'tick') return;
      here.clock.stall(0.1);
      taken.push(message.count);
    },
  }));
  const flood = (from: number, count: number) => {
    const world = rings.worlds[from]!;
    const target = world.runtime.pid(0, pid.id) as Pid<unknown>;
    for (let n = 0; n < count; n++) world.runtime.send(target, { type: 'tick', count: from });
    world.runtime.flush();
  };
  return { rings, here, taken, flood };
}

describe('taking in what comes', () => {
  test('stops after drainMs, and goes on after the others had their turn', () => {
    const { rings, here, taken, flood } = setUp();
    flood(1, 10_000);
    const before = here.clock.now();
    assert.equal(rings.routers[0]!.look(), true);
    const first = taken.length;
    // It looks at the clock every 64 records.
    assert.ok(here.clock.now() - before < 2 + 6.5, `it took ${here.clock.now() - before} ms`);
    assert.ok(first > 0 && first < 100);
    let looks = 1;
    while (rings.routers[0]!.look()) looks++;
    assert.equal(taken.length, 10_000);
    assert.ok(looks > 100, `only ${looks} looks`);
  });

  test('begins with another ring each time', () => {
    const { rings, taken, flood } = setUp();
    flood(1, 5000);
    flood(2, 5000);
    for (let look = 0; look < 20; look++) rings.routers[0]!.look();
    const ofFirst = taken.filter((from) => from === 1).length;
    const share = ofFirst / taken.length;
    assert.ok(share > 0.4 && share < 0.6, `${ofFirst} of ${taken.length} are from the first`);
  });
});
