/** Knobs in one thread: what holds now, and who heeds it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig, originsOf } from '../../src/app/config.js';
import { isKnob, KnobValues, knobNames } from '../../src/app/knob-values.js';
import { chatLimitsOf, storeLimitsOf } from '../../src/app/limits-of.js';

const config = loadConfig({ flags: { sliceMessages: '7' } });

test('a change holds at once, for who reads it and for who is told', () => {
  const knobs = new KnobValues(config);
  const { live } = knobs;
  const told: unknown[] = [];
  knobs
    .use(['sliceMessages', 'turnMs'], (now) => told.push([now.sliceMessages, now.turnMs]))
    .use(['logLevel'], ({ logLevel }) => told.push(logLevel));
  const before = knobs.config;
  knobs.change({ sliceMessages: 9, turnMs: 6 });
  assert.deepEqual(told, [[9, 6]], 'once for two');
  assert.deepEqual([knobs.config.sliceMessages, live.sliceMessages], [9, 9]);
  assert.deepEqual([before.sliceMessages, config.sliceMessages], [7, 7]);
  assert.ok(Object.isFrozen(knobs.config));
  assert.equal(
    originsOf(knobs.config).sliceMessages,
    '--slice-messages',
    'what the start had is still known',
  );
  assert.deepEqual(knobs.used.toSorted(), ['logLevel', 'sliceMessages', 'turnMs']);
});

test('what is made of knobs is made anew, in the same object, when one of them changes and only then', () => {
  const knobs = new KnobValues(config);
  let made = 0;
  const limits = knobs.derive((now) => {
    made++;
    return chatLimitsOf(now);
  });
  const { opsRate } = limits;
  knobs.change({ logLevel: 'debug' });
  assert.equal(made, 1);
  knobs.change({ operationsPerSecond: 5, operationsBurst: 10 });
  assert.equal(made, 2);
  assert.deepEqual(limits.opsRate, { msPerToken: 200, burstMs: 2000 });
  assert.notEqual(limits.opsRate, opsRate);
  assert.ok(knobs.used.includes('operationsPerSecond'));
  assert.ok(!knobs.used.includes('logLevel'));
  const store = knobs.derive(storeLimitsOf);
  knobs.change({ inboxCountMax: 3 });
  assert.equal(store.inboxCountMax, 3);
});

test('settings that are no knobs stay; an error of one who heeds does not keep it from the others', () => {
  const knobs = new KnobValues(config);
  assert.throws(() => knobs.change({ port: 1 } as never), /port is not a knob/);
  assert.equal(knobs.config.port, config.port);
  const told: string[] = [];
  knobs
    .use(['turnMs'], () => {
      throw new Error('a bug');
    })
    .use(['turnMs'], () => told.push('heard'));
  assert.throws(() => knobs.change({ turnMs: 9 }), /a bug/);
  assert.deepEqual(told, ['heard']);
  assert.equal(knobs.config.turnMs, 9);
  assert.ok(isKnob('turnMs') && !isKnob('port') && !isKnob('toString'));
  assert.ok(knobNames().length > 20);
});
