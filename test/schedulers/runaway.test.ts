/** Runaways in a scheduler thread with sockets, timers and a thousand others: they are cut off, the others do not notice. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until, within } from '../support/within.js';
import { skip } from './guarded-world.js';
import { RunawayWorld } from './runaway-world.js';

describe('runaways', { skip }, () => {
  test('one endless loop among a thousand processes', async (t) => {
    // On a busy machine the watchdog's requests come late, and most of them are refused in some of the loops.
    const world = await RunawayWorld.watched(t, 60_000);
    const { thread, echoes, told } = world;
    for (let round = 0; round < 5; round++) {
      thread.order('loop');
      const crash = await thread.next('crash');
      assert.deepEqual([crash.label, crash.handler], ['victim', 'receive']);
      assert.ok(crash.stack.some((line) => line.includes('runaway-thread.js')));
      await thread.next('restarted');
      await Promise.all(echoes.map((echo) => within('an echo', echo.more())));
    }
    thread.order('stop');
    const report = await world.reportOfOthers();
    assert.equal(report.cuts, 5);
    assert.deepEqual(told, []);
  });

  // A thousand of them: test/fault/runaways.test.ts.
  test('a hundred in a row, at random moments', async (t) => {
    const world = await RunawayWorld.asking(t, { cuts: 100, roundsMax: 0, pauseMax: 100_000 });
    const report = await world.reportOfOthers();
    assert.equal(report.cuts, 100);
    assert.equal(report.starts, 101);
    assert.equal(report.completed, 0);
  });

  test('just when they come to their end: each is cut off or lives on, never both', async (t) => {
    const world = await RunawayWorld.asking(t, { cuts: 200, roundsMax: 20_000, pauseMax: 60_000 });
    const report = await world.reportOfOthers();
    assert.ok(report.cuts >= 200);
    // The last one may not have had another message yet.
    const left = report.begun - report.cuts - report.completed;
    assert.ok(left === 0 || left === 1, `${left} are neither`);
    assert.ok(report.completed > 0);
  });

  for (const [order, place] of [
    ['outside promise', /turnAgain/],
    ['outside async', null],
    ['outside tick', /tickAgain|processTicksAndRejections/],
    ['outside callback', /spin/],
  ] as const) {
    test(`${order}: a thread that runs away outside of processes ends itself, its sockets with it`, async (t) => {
      const { thread, echoes, told } = await RunawayWorld.watched(t, 1000);
      thread.order(order);
      const { stack } = await thread.next('ending');
      if (place !== null) assert.match(stack.join('\n'), place);
      assert.equal(await within('the end of the thread', thread.exited), 3);
      assert.deepEqual(
        told.map((event) => event.type),
        ['stuck', 'given_up'],
      );
      await until('all sockets are closed', () => echoes.every(({ closed }) => closed !== null));
    });
  }

  test('process.exit within a guarded call ends the thread as ever', async (t) => {
    const { thread } = await RunawayWorld.watched(t, 1000);
    thread.order('exit');
    assert.equal(await within('the end of the thread', thread.exited), 5);
    assert.equal(thread.error, null);
  });
});
