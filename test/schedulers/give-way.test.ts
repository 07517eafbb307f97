/** A process that was quick and gets slow all of a sudden is not taken for one that never comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runtime, type RuntimeEvent } from '../../src/actors/index.js';
import { GuardMark } from '../../src/actors/slice-guard.js';
import { NativeGuard } from '../../src/schedulers/native-guard.js';
import { watchThisThread } from '../../src/schedulers/watch-this-thread.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { until } from '../support/within.js';
import { skip } from './guarded-world.js';

test('64 messages of a thirtieth of the limit each, without a look at the clock', { skip }, async (t) => {
  const guard = NativeGuard.attach();
  const clock = new SystemClock();
  const events: RuntimeEvent[] = [];
  const runtime = new Runtime({
    clock,
    random: new SeededRandom(1),
    guard,
    events: (event) => events.push(event),
  });
  const stop = watchThisThread(guard, { killMs: 1000 });
  t.after(() => {
    stop();
    guard.detach();
  });
  let handled = 0;
  let costMs = 0;
  const pid = runtime.spawn<number>(
    () => ({
      receive() {
        handled++;
        if (costMs === 0) return;
        for (const end = clock.now() + costMs; clock.now() < end; );
      },
    }),
    { label: 'was quick' },
  );
  for (let n = 0; n < 6400; n++) runtime.send(pid, n);
  await until('it is known to be quick', () => handled === 6400);
  // Until the watchdog's thread has started everything goes: one that runs until it is noticed says that it has.
  const noticed = () => guard.marks[GuardMark.answered] !== 0;
  const long = runtime.spawn(() => ({
    receive() {
      for (const end = clock.now() + 60_000; !noticed() && clock.now() < end; );
    },
  }));
  runtime.send(long, 0);
  await until('somebody watches', noticed);
  costMs = 1000 / 30;
  for (let n = 0; n < 64; n++) runtime.send(pid, n);
  await until('all are handled, or it is cut off', () => handled === 6464 || !runtime.isAlive(pid));
  assert.equal(runtime.isAlive(pid), true);
  assert.deepEqual(
    events.filter((event) => event.type === 'crash'),
    [],
  );
});
