import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitReason } from '../../src/actors/index.js';
import { World } from './world.js';

test('sendAfter brings the bare message, startTimer a timeout, when due and not before', () => {
  const world = new World();
  const a = world.puppet();
  a.self.sendAfter(100, 'bare');
  const ref = a.self.startTimer(200, 'wrapped');
  world.advance(99);
  assert.deepEqual(a.inbox, []);
  world.advance(1);
  assert.deepEqual(a.inbox, ['bare']);
  world.advance(100);
  assert.deepEqual(a.inbox, ['bare', ['timeout', 'wrapped']]);
  assert.equal((a.raw[1] as { ref: unknown }).ref, ref);
});

test('cancel says what was left, once; a message that was sent stays', () => {
  const world = new World();
  const a = world.puppet();
  const timer = a.self.sendAfter(100, 'never');
  world.advance(40);
  assert.equal(world.runtime.readTimer(timer), 60);
  assert.equal(a.self.cancelTimer(timer), 60);
  assert.equal(a.self.cancelTimer(timer), false);
  const fired = a.self.sendAfter(10, 'sent');
  world.clock.advance(10);
  assert.equal(world.runtime.cancelTimer(fired), false);
  world.advance(1000);
  assert.deepEqual(a.inbox, ['sent']);
});

test('timers fire in the order of their deadlines', () => {
  const world = new World();
  const a = world.puppet();
  for (const delay of [300, 100, 200, 100_000, 0, 50]) a.self.sendAfter(delay, delay);
  world.advance(100_000);
  assert.deepEqual(a.inbox, [0, 50, 100, 200, 300, 100_000]);
});

test('a fraction of a millisecond is never cut off', () => {
  const world = new World();
  const a = world.puppet();
  a.self.sendAfter(10.4, 'x');
  world.advance(10.3);
  assert.deepEqual(a.inbox, []);
  world.advance(0.7);
  assert.deepEqual(a.inbox, ['x']);
});

test('more than 2^31-1 ms', () => {
  const world = new World();
  const a = world.puppet();
  a.self.sendAfter(2 ** 33, 'far');
  world.advance(2 ** 33 - 1);
  assert.deepEqual(a.inbox, []);
  world.advance(1);
  assert.deepEqual(a.inbox, ['far']);
});

test('a timer to a pid dies with it, one to a name is resolved at expiry', () => {
  const world = new World();
  const a = world.puppet({ name: 'x' });
  world.runtime.sendAfter(100, a.pid, 'to the pid');
  a.self.startTimer(100, 'own');
  world.runtime.sendAfter(100, 'x', 'to the name');
  world.runtime.sendAfter(100, 'nobody', 'to nobody');
  world.runtime.exit(a.pid, ExitReason.kill);
  assert.equal(world.runtime.timers.size, 2);
  const b = world.puppet({ name: 'x' });
  world.advance(100);
  assert.deepEqual(a.inbox, []);
  assert.deepEqual(b.inbox, ['to the name']);
  assert.equal(world.runtime.timers.size, 0);
});

test('a delay that is no number of milliseconds is refused and leaves nothing', () => {
  const world = new World();
  const a = world.puppet();
  for (const delay of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => a.self.sendAfter(delay, 'x'), RangeError);
  }
  assert.equal(world.runtime.info(a.pid)!.timers, 0);
  world.runtime.exit(a.pid, ExitReason.kill);
});

test('the clock is asked for one timer at a time', () => {
  const world = new World();
  const a = world.puppet();
  for (let delay = 1000; delay > 0; delay--) a.self.cancelTimer(a.self.sendAfter(delay, delay));
  for (let delay = 1; delay <= 1000; delay++) a.self.sendAfter(delay, delay);
  assert.ok(world.clock.timerSlots < 200, String(world.clock.timerSlots));
  world.advance(1000);
  assert.equal(a.inbox.length, 1000);
});
