import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MeasuredTimes, ThreadTimes } from '../../../src/app/groups/thread-times.js';

function measured(times: Partial<MeasuredTimes>): MeasuredTimes {
  return { idle: 0, active: 0, handlers: 0, timers: 0, gc: null, ...times };
}

test('the states of a thread share its time', () => {
  const times = new ThreadTimes();
  assert.deepEqual(times.add(1, measured({ idle: 600, active: 400, handlers: 200, timers: 40, gc: 100 })), {
    elapsed: 1000,
    // A quarter of the work was collections, so of each a quarter is taken out.
    handlers: 150,
    timers: 30,
    gc: 100,
    io: 120,
    idle: 600,
  });
});

test('they never fall, whatever is measured, and go on when the thread is started anew', () => {
  const times = new ThreadTimes();
  times.add(7, measured({ idle: 100, active: 100, handlers: 60 }));
  // More handlers than work: what is read is not of one moment.
  const second = times.add(7, measured({ idle: 100, active: 110, handlers: 90 }));
  assert.deepEqual(second, { elapsed: 210, handlers: 70, timers: 0, gc: null, io: 40, idle: 100 });
  const third = times.add(7, measured({ idle: 90, active: 100, handlers: 80 }));
  assert.deepEqual(third, second);
  const anew = times.add(8, measured({ idle: 5, active: 10, handlers: 10 }));
  assert.deepEqual(anew, { elapsed: 225, handlers: 80, timers: 0, gc: null, io: 40, idle: 105 });
});

test('collections that become known later are counted from then on', () => {
  const times = new ThreadTimes();
  assert.equal(times.add(1, measured({ active: 100 })).gc, null);
  assert.equal(times.add(1, measured({ active: 200, gc: 30 })).gc, 30);
  assert.equal(times.add(1, measured({ active: 300, gc: 50 })).gc, 50);
});
