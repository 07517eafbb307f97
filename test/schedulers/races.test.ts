/** The moments between two steps, one by one: made to happen, and not waited for. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { World } from '../actors/world.js';
import { RingWorlds } from './ring-pair.js';
import { until } from './test-node.js';

const open: RingWorlds[] = [];
after(() => {
  for (const rings of open) rings.close();
});

function setUp(): { rings: RingWorlds; here: World; there: World } {
  const rings = new RingWorlds(2);
  open.push(rings);
  return { rings, here: rings.worlds[0]!, there: rings.worlds[1]! };
}

/** Does something right before a thread says that it sleeps: after it has looked and found nothing. */
function rightBeforeSleep(bell: SharedArrayBuffer, action: () => void): void {
  const store = Atomics.store;
  const replaced = (cells: Int32Array, index: number, value: number) => {
    if (cells.buffer === bell && value === 1) {
      Atomics.store = store;
      action();
    }
    return store(cells, index, value);
  };
  Atomics.store = replaced as typeof Atomics.store;
}

describe('falling asleep', () => {
  test('what comes right before is seen', { timeout: 30_000 }, async () => {
    const { rings, here, there } = setUp();
    const b = there.puppet();
    // Both look, find nothing, and are about to sleep.
    for (const world of rings.worlds) world.clock.run();
    here.runtime.send(here.runtime.pid(1, b.pid.id), 'wakes it');
    here.runtime.flush();
    // Its bell was rung, in a turn of its own; it looks, finds that, and looks again.
    await until(() => there.clock.runOne());
    rightBeforeSleep(rings.routers[1]!.links.bell, () => {
      here.runtime.send(here.runtime.pid(1, b.pid.id), 'in between');
      here.runtime.flush();
    });
    await until(() => {
      there.clock.run();
      return b.inbox.length >= 2;
    });
    assert.deepEqual(b.inbox, ['wakes it', 'in between']);
  });

  test('room that is made right before is seen', { timeout: 30_000 }, async () => {
    const { rings, here, there } = setUp();
    const b = there.puppet();
    const remote = here.runtime.pid(1, b.pid.id);
    const count = 200;
    for (let n = 0; n < count; n++) here.runtime.send(remote, `${n} ${'x'.repeat(1000)}`);
    here.runtime.flush();
    // The ring is full, and more waits behind it.
    assert.ok(rings.pool.ringReports().some(({ stats }) => stats.overflowBytes > 0));
    let looked = false;
    rightBeforeSleep(rings.routers[0]!.links.bell, () => {
      looked = true;
      rings.routers[1]!.look();
    });
    await until(() => {
      here.clock.run();
      there.clock.run();
      there.runtime.flush();
      return b.inbox.length === count;
    });
    assert.equal(looked, true);
  });
});

describe('the end of a scheduler', () => {
  test('is told after everything that it had published, a link and a monitor once each', () => {
    const { rings, here, there } = setUp();
    const a = here.puppet({ trapExit: true });
    const b = there.puppet();
    const remoteB = here.runtime.pid(1, b.pid.id);
    const remoteA = there.runtime.pid(0, a.pid.id);
    a.run((self) => {
      self.link(remoteB);
      self.monitor(remoteB);
    });
    rings.settle();
    for (let n = 0; n < 500; n++) there.runtime.send(remoteA, n);
    there.runtime.flush();
    rings.lose(1);
    rings.settle();
    assert.deepEqual(
      a.inbox.slice(0, 500),
      Array.from({ length: 500 }, (_, n) => n),
    );
    assert.deepEqual(
      new Set(a.inbox.slice(500).map((message) => String(message))),
      new Set([`EXIT,${remoteB},noconnection`, `DOWN,${remoteB},noconnection`]),
    );
    assert.equal(a.inbox.length, 502);
  });

  test('is told to nobody before that, also not by refusing something', () => {
    const { rings, here, there } = setUp();
    const a = here.puppet({ trapExit: true });
    const b = there.puppet();
    const remoteB = here.runtime.pid(1, b.pid.id);
    const remoteA = there.runtime.pid(0, a.pid.id);
    for (let n = 0; n < 5; n++) there.runtime.send(remoteA, n);
    there.runtime.flush();
    rings.lose(1);
    // Its successor is there already, and scheduler 0 knows: but it has not taken everything of the old one.
    rings.open(1);
    assert.deepEqual(rings.routers[0]!.schedulers, [257]);
    a.run((self) => {
      self.link(remoteB);
      self.monitor(remoteB);
    });
    assert.deepEqual(a.inbox, []);
    rings.settle();
    assert.deepEqual(a.inbox, [
      0,
      1,
      2,
      3,
      4,
      ['DOWN', remoteB, 'noconnection'],
      ['EXIT', remoteB, 'noconnection'],
    ]);
    a.run((self) => self.monitor(remoteB));
    assert.deepEqual(a.inbox.at(-1), ['DOWN', remoteB, 'noconnection']);
  });

  test('a process that ended before with its scheduler told so: that is its reason, and no second comes', () => {
    const { rings, here, there } = setUp();
    const a = here.puppet({ trapExit: true });
    const b = there.puppet();
    const remoteB = here.runtime.pid(1, b.pid.id);
    a.run((self) => {
      self.link(remoteB);
      self.monitor(remoteB);
    });
    rings.settle();
    b.run((self) => self.exit({ type: 'custom', value: 'bye' }));
    rings.lose(1);
    rings.settle();
    assert.deepEqual(a.inbox, [
      ['EXIT', remoteB, 'bye'],
      ['DOWN', remoteB, 'bye'],
    ]);
  });
});

describe('a scheduler that is known by its pids before the news of it', () => {
  test('is sent to all the same', () => {
    const { rings, here } = setUp();
    // The news of it lie in the port of scheduler 0, unread.
    const third = rings.open(2);
    const c = third.puppet({ name: 'c' });
    const pid = here.runtime.whereis('c')!;
    assert.equal(here.runtime.trySend(pid, 'first'), true);
    rings.settle();
    assert.deepEqual(c.inbox, ['first']);
  });

  test('and one that was replaced takes nothing for its predecessor', () => {
    const { rings, here } = setUp();
    const old = rings.worlds[1]!.puppet({ name: 'b' });
    const remote = here.runtime.whereis('b')!;
    rings.lose(1);
    const replacement = rings.open(1);
    const heir = replacement.puppet({ name: 'b' });
    assert.equal(heir.pid.id, old.pid.id);
    assert.notEqual(heir.pid.scheduler, old.pid.scheduler);
    const found = here.runtime.whereis('b')!;
    assert.equal(here.runtime.trySend(found, 'for the heir'), true);
    here.runtime.send(remote, 'for the old one');
    rings.settle();
    assert.equal(here.runtime.trySend(remote, 'for the old one'), false);
    rings.settle();
    assert.deepEqual(heir.inbox, ['for the heir']);
  });
});
