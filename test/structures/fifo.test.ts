import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fifo } from '../../src/structures/fifo.js';
import { MemoryChunkStore } from './memory-chunk-store.js';

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

test('entries that are in the store are not held', () => {
  const store = new MemoryChunkStore<object>(1);
  const fifo = new Fifo<object>(store);
  for (let at = 0; at < 1000; at++) fifo.push({});
  interface Chunk {
    slots: unknown[];
    stored: unknown;
    next: Chunk | null;
  }
  let stored = 0;
  let { head: chunk } = fifo as unknown as { head: Chunk | null };
  for (; chunk !== null; chunk = chunk.next) {
    if (chunk.stored === null) continue;
    stored++;
    assert.equal(chunk.slots.length, 0);
  }
  assert.equal(stored, store.chunks);
  assert.ok(stored > 10);
});

test('queues with different stores are not joined', () => {
  const fifo = new Fifo<number>();
  const other = new Fifo<number>(new MemoryChunkStore(1));
  other.push(1);
  assert.throws(() => fifo.append(other), /different stores/);
});
