import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemClock } from '../../src/structures/system-clock.js';

test('a delay above 2^31-1 ms does not fire at once, and can be cleared', async () => {
  const clock = new SystemClock();
  let fired = false;
  const timer = clock.setTimer(() => {
    fired = true;
  }, 2 ** 31);
  await new Promise<void>((resolve) => {
    // Timers of 1 ms fire in order: one set later has fired, so would the overflown one.
    clock.setTimer(() => clock.defer(resolve), 5);
    setTimeout(() => {}, 20);
  });
  assert.equal(fired, false);
  clock.clearTimer(timer);
});

test('time does not go back', () => {
  const clock = new SystemClock();
  let last = clock.now();
  for (let at = 0; at < 1000; at++) {
    const now = clock.now();
    assert.ok(now >= last);
    last = now;
  }
  assert.ok(Number.isInteger(clock.wall()));
});
