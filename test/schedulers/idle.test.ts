/** Idle means idle: a scheduler that nobody sends anything to is not woken and does not look. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouterReport } from '../../src/schedulers/index.js';
import { TestNode, until } from './test-node.js';

const ROUND_TRIPS = 2000;

test('a scheduler without work is left alone; one with work looks a bounded number of times', {
  timeout: 60_000,
}, async () => {
  const node = new TestNode(64 * 1024);
  const busy = await node.start(1, 'echo');
  const idle = await node.start(2, 'echo');
  const report = (scheduler: number): RouterReport['stats'] =>
    node.pool.routerReports().find((one) => one.scheduler === scheduler)!.stats;
  let left = ROUND_TRIPS;
  const talk = () => {
    left = ROUND_TRIPS;
    node.runtime.spawn<unknown>((self) => {
      const peer = node.runtime.whereis(`echo-${busy.number}`)!;
      self.send(peer, self);
      self.send(peer, 0);
      return {
        receive(count) {
          if (--left > 0) self.send(peer, (count as number) + 1);
        },
      };
    });
  };
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  talk();
  await until(() => left === 0);
  await turns(1000);
  const before = { idle: report(idle.number), busy: report(busy.number), here: report(0) };
  const hereTurns = node.runtime.turns.turns;
  // Nothing happens anywhere while this thread's event loop turns ten thousand times.
  await turns(10_000);
  assert.deepEqual({ idle: report(idle.number), busy: report(busy.number), here: report(0) }, before);
  assert.equal(node.runtime.turns.turns, hereTurns);
  // Two others talk: the third is not woken, and they do not look more often than there is something to find.
  const second = await node.start(3, 'echo');
  const afterStart = report(idle.number);
  const lookedBefore = report(busy.number).looks;
  talk();
  await until(() => left === 0);
  await turns(1000);
  assert.deepEqual(report(idle.number), afterStart);
  const looks = report(busy.number).looks - lookedBefore;
  assert.ok(looks <= 4 * ROUND_TRIPS + 16, `${looks} looks for ${ROUND_TRIPS} messages`);
  assert.equal(report(second.number).records, 0);
  await node.close();
});
