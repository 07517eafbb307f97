import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fifo } from '../../src/structures/fifo.js';

test('a queue much longer than a chunk comes out in order and can be used again', () => {
  const fifo = new Fifo<number>();
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < 1000; at++) fifo.push(at);
    assert.equal(fifo.length, 1000);
    for (let at = 0; at < 1000; at++) assert.equal(fifo.shift(), at);
    assert.equal(fifo.shift(), undefined);
  }
});

test('entries that were taken are not held', () => {
  const fifo = new Fifo<object>();
  for (let at = 0; at < 130; at++) fifo.push({});
  for (let at = 0; at < 130; at++) fifo.shift();
  const chunk = (fifo as unknown as { head: { slots: unknown[] } }).head;
  assert.ok(chunk.slots.every((slot) => slot === undefined));
});
