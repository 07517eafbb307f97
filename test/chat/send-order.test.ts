import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendOrder } from '../../src/chat/send-order.js';
import { ErrorCode } from '../../src/protocol/index.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';

test('what was on the wire behind a refused message waits until it has come again', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  assert.equal(order.heldMs(5, clock), 0);
  order.refuse(5, ErrorCode.overloaded, clock.now(), 1000);
  assert.equal(order.heldMs(6, clock), 1000);
  // Refused again, and once more those behind it: the lowest counts.
  order.refuse(6, ErrorCode.rateLimited, clock.now(), 9000);
  assert.equal(order.code, ErrorCode.overloaded);
  clock.advance(1000);
  assert.equal(order.heldMs(7, clock), 1, 'the refused one is due, and still goes first');
  assert.equal(order.heldMs(5, clock), 0);
  assert.equal(order.heldMs(6, clock), 0);
});

test('a message that was given up does not hold the others for ever', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  order.refuse(5, ErrorCode.rateLimited, clock.now(), 1000);
  clock.advance(5999);
  assert.ok(order.heldMs(6, clock) > 0);
  clock.advance(1);
  assert.equal(order.heldMs(6, clock), 0);
});
