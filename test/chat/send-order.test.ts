import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendOrder } from '../../src/chat/send-order.js';
import { ErrorCode } from '../../src/protocol/index.js';
import { MESSAGE_ID_WINDOW } from '../../src/storage/stores.js';
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
  assert.equal(order.heldMs(7, clock), 0);
  assert.equal(order.id, 0);
});

test('those that were refused with it come before what is newer, too', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  order.refuse(5, ErrorCode.overloaded, clock.now(), 1000);
  assert.equal(order.heldMs(6, clock), 1000);
  clock.advance(1000);
  assert.equal(order.heldMs(5, clock), 0);
  assert.equal(order.heldMs(7, clock), 1, 'sent before its client had heard of 6');
  assert.equal(order.heldMs(6, clock), 0);
  assert.equal(order.heldMs(7, clock), 0);
});

test('a message that was given up does not hold the others for ever, and neither do those behind it', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  order.refuse(5, ErrorCode.rateLimited, clock.now(), 1000);
  assert.equal(order.heldMs(6, clock), 1000);
  clock.advance(5999);
  assert.ok(order.heldMs(7, clock) > 0);
  clock.advance(1);
  assert.equal(order.heldMs(8, clock), 1, '7 has come again a moment ago, and is not given up');
  assert.equal(order.id, 7);
  assert.equal(order.heldMs(7, clock), 0);
  assert.equal(order.heldMs(8, clock), 0);
});

test('one that is refused after the time of a given-up one is over is waited for', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  order.refuse(100, ErrorCode.rateLimited, clock.now(), 1000);
  clock.advance(6000);
  // Above the rate: nobody asked whether it is held.
  order.refuse(200, ErrorCode.rateLimited, clock.now(), 1000);
  assert.equal(order.heldMs(201, clock), 1000);
  assert.equal(order.heldMs(200, clock), 0);
});

test('who had to wait for another has its time from then on', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  order.refuse(5, ErrorCode.overloaded, clock.now(), 10_000);
  order.refuse(6, ErrorCode.rateLimited, clock.now(), 1000);
  clock.advance(10_000);
  assert.equal(order.heldMs(5, clock), 0);
  assert.equal(order.heldMs(7, clock), 1);
  clock.advance(4999);
  assert.equal(order.heldMs(8, clock), 1);
  clock.advance(1);
  assert.equal(order.heldMs(9, clock), 1, 'those that are refused now');
  assert.equal(order.id, 7);
});

test('one with an answer for good, from an earlier copy, is waited for no more', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  for (const id of [5, 6, 7]) order.refuse(id, ErrorCode.rateLimited, clock.now(), 1000);
  order.settled(6, clock);
  order.settled(9, clock);
  order.settled(5, clock);
  assert.equal(order.id, 7);
  order.settled(7, clock);
  assert.equal(order.heldMs(8, clock), 0);
});

test('no more than a window of ids is waited for', () => {
  const clock = new SimulatedClock();
  const order = new SendOrder();
  order.refuse(1, ErrorCode.rateLimited, clock.now(), 1000);
  for (let id = 2; id <= MESSAGE_ID_WINDOW; id++) assert.ok(order.heldMs(id, clock) > 0);
  assert.equal(order.id, 1);
  assert.ok(order.heldMs(MESSAGE_ID_WINDOW + 1, clock) > 0);
  assert.equal(order.id, 2);
  assert.ok(order.heldMs(10_000, clock) > 0);
  assert.equal(order.id, 10_000);
});
