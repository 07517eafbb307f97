import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

test('timers fire in the order of their deadlines, equal ones in the order of setting, at their time', () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const note = (name: string) => () => log.push(`${name}@${clock.now()}`);
  clock.setTimer(note('c'), 30);
  clock.setTimer(note('a'), 10);
  clock.setTimer(note('b1'), 20);
  clock.setTimer(note('b2'), 20);
  const cancelled = clock.setTimer(note('x'), 15);
  clock.clearTimer(cancelled);
  clock.advance(25);
  assert.deepEqual(log, ['a@10', 'b1@20', 'b2@20']);
  assert.equal(clock.now(), 25);
  clock.advance(5);
  assert.deepEqual(log.slice(3), ['c@30']);
});

test('what is deferred runs before time moves on', () => {
  const clock = new SimulatedClock();
  const log: string[] = [];
  clock.setTimer(() => {
    log.push('timer');
    clock.defer(() => log.push(`deferred@${clock.now()}`));
  }, 10);
  clock.setTimer(() => log.push('later'), 11);
  clock.defer(() => log.push('first'));
  clock.advance(100);
  assert.deepEqual(log, ['first', 'timer', 'deferred@10', 'later']);
});

test('timers that are set and cleared over and over do not pile up', () => {
  const clock = new SimulatedClock();
  for (let at = 0; at < 100_000; at++) clock.clearTimer(clock.setTimer(() => {}, 1e9));
  assert.ok(clock.timerSlots < 1000, String(clock.timerSlots));
});

test('step jumps to the next timer, however far', () => {
  const clock = new SimulatedClock();
  let fired = 0;
  clock.setTimer(() => fired++, 2 ** 40);
  assert.equal(clock.step(), true);
  assert.equal(clock.now(), 2 ** 40);
  assert.equal(clock.step(), false);
  assert.equal(fired, 1);
});
