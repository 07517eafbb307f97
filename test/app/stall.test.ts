/** Processes that are made slow: they handle so many messages a second, and nobody else is held up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stalls } from '../../src/app/stall.js';
import { World } from '../actors/world.js';

function stalled(rate: number) {
  const world = new World();
  const puppet = world.puppet();
  const stalls = new Stalls(world.runtime);
  stalls.stall(puppet.pid, rate);
  const send = (count: number) => {
    for (let n = 0; n < count; n++) world.runtime.send(puppet.pid, n);
    world.runtime.flush();
  };
  const pass = (ms: number) => {
    for (let n = 0; n < ms; n += 10) world.advance(10);
  };
  return { world, puppet, stalls, send, pass };
}

test('it handles what comes at its rate, in order', () => {
  const { world, puppet, send, pass } = stalled(250);
  send(1000);
  assert.equal(puppet.inbox.length, 0);
  pass(1000);
  assert.ok(Math.abs(puppet.inbox.length - 250) <= 3, String(puppet.inbox.length));
  pass(3100);
  assert.deepEqual(
    puppet.inbox,
    Array.from({ length: 1000 }, (_, n) => n),
  );
  const other = world.puppet();
  world.runtime.send(other.pid, 'at once');
  world.runtime.flush();
  assert.deepEqual(other.inbox, ['at once']);
});

test('an empty mailbox saves nothing up', () => {
  const { puppet, send, pass } = stalled(100);
  pass(60_000);
  send(500);
  pass(1000);
  assert.ok(puppet.inbox.length <= 105, String(puppet.inbox.length));
});

test('it can stand still, get another rate, and be cured', () => {
  const { puppet, stalls, send, pass } = stalled(0);
  send(100);
  pass(5000);
  assert.equal(puppet.inbox.length, 0);
  stalls.stall(puppet.pid, 10);
  pass(1000);
  assert.ok(puppet.inbox.length >= 9 && puppet.inbox.length <= 11);
  assert.equal(stalls.cure(puppet.pid), true);
  pass(10);
  assert.equal(puppet.inbox.length, 100);
  assert.equal(stalls.cure(puppet.pid), false);
  send(1);
  assert.equal(puppet.inbox.length, 101);
});

test('one that ends, by a message or otherwise, is stalled no more', () => {
  const { world, puppet, stalls, send, pass } = stalled(100);
  send(10);
  world.runtime.exit(puppet.pid, { type: 'kill' });
  world.runtime.flush();
  pass(100);
  assert.equal(world.runtime.isAlive(puppet.pid), false);
  assert.equal(stalls.cure(puppet.pid), false);
});
