import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RingOutlet } from '../../src/structures/ring-outlet.js';
import { createRing, RingConsumer } from '../../src/structures/spsc-ring.js';

function put(outlet: RingOutlet, length: number, value: number): boolean {
  const at = outlet.reserve(length);
  if (at < 0) return false;
  outlet.memory.i32[(at >> 2) + 1] = value;
  return true;
}

function take(consumer: RingConsumer): number[] {
  const values: number[] = [];
  for (let at = consumer.next(); at >= 0; at = consumer.next()) {
    values.push(consumer.memory.i32[(at >> 2) + 1]!);
  }
  consumer.release();
  return values;
}

describe('the queue behind a ring', () => {
  it('takes what the full ring cannot, keeps the order, and has an end', () => {
    const ring = createRing(1024);
    const outlet = new RingOutlet(ring, 2048);
    const consumer = new RingConsumer(ring);
    let taken = 0;
    while (put(outlet, 256, taken)) taken++;
    assert.equal(taken, 4 + 8, 'the ring and the queue');
    outlet.publish();
    const values: number[] = [];
    while (!outlet.isSettled()) {
      values.push(...take(consumer));
      outlet.flush();
    }
    assert.deepEqual(
      values,
      Array.from({ length: taken }, (_, n) => n),
    );
    assert.equal(outlet.overflowed, 8);
    assert.ok(put(outlet, 256, 1), 'and goes on');
  });

  it('shows nothing of an unpublished batch, wherever its records are', () => {
    const ring = createRing(1024);
    const outlet = new RingOutlet(ring, 4096);
    const consumer = new RingConsumer(ring);
    for (let n = 0; n < 6; n++) put(outlet, 256, n);
    outlet.publish();
    for (let n = 6; n < 8; n++) put(outlet, 256, n);
    assert.deepEqual(take(consumer), [0, 1, 2, 3]);
    outlet.flush();
    assert.deepEqual(take(consumer), [4, 5]);
    outlet.rollback();
    put(outlet, 256, 9);
    outlet.publish();
    assert.deepEqual(take(consumer), [9]);
  });

  it('takes back a batch that began in the ring and went over', () => {
    const ring = createRing(1024);
    const outlet = new RingOutlet(ring, 4096);
    const consumer = new RingConsumer(ring);
    put(outlet, 256, 0);
    outlet.publish();
    for (let n = 1; n < 8; n++) put(outlet, 256, n);
    outlet.rollback();
    assert.equal(outlet.overflowBytes, 0);
    put(outlet, 256, 8);
    outlet.publish();
    assert.deepEqual(take(consumer), [0, 8]);
  });

  it('asks for the bell while something waits', () => {
    const ring = createRing(1024);
    const outlet = new RingOutlet(ring, 4096);
    const consumer = new RingConsumer(ring);
    for (let n = 0; n < 5; n++) put(outlet, 256, n);
    outlet.publish();
    while (consumer.next() >= 0);
    assert.equal(consumer.release(), true);
    assert.equal(outlet.flush(), true);
    while (consumer.next() >= 0);
    assert.equal(consumer.release(), false);
  });
});
