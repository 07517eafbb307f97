/** A thousand runaways in one thread, one after the other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skip } from '../schedulers/guarded-world.js';
import { RunawayWorld } from '../schedulers/runaway-world.js';

test('a thousand runaways in a row, at random moments: nobody else notices', { skip }, async (t) => {
  const world = await RunawayWorld.asking(t, { cuts: 1000, roundsMax: 0, pauseMax: 100_000 });
  const report = await world.reportOfOthers();
  assert.equal(report.cuts, 1000);
  assert.equal(report.starts, 1001);
  assert.equal(report.completed, 0);
});
