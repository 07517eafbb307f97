import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRing, RingConsumer, RingProducer, ringCounters } from '../../src/structures/spsc-ring.js';

/** Puts a record whose one field is `value`. */
function put(producer: RingProducer, length: number, value: number): boolean {
  const at = producer.reserve(length);
  if (at < 0) return false;
  producer.memory.i32[(at >> 2) + 1] = value;
  return true;
}

/** Takes all records' fields. */
function take(consumer: RingConsumer): number[] {
  const values: number[] = [];
  for (let at = consumer.next(); at >= 0; at = consumer.next()) {
    values.push(consumer.memory.i32[(at >> 2) + 1]!);
  }
  return values;
}

describe('the ring', () => {
  it('hands over what was published, and only that', () => {
    const ring = createRing(1024);
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    put(producer, 16, 1);
    assert.equal(consumer.next(), -1);
    assert.equal(producer.publish(), true);
    assert.equal(producer.publish(), false, 'nothing new');
    put(producer, 16, 2);
    assert.deepEqual(take(consumer), [1]);
  });

  it('takes back what was not published', () => {
    const ring = createRing(1024);
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    put(producer, 16, 1);
    producer.publish();
    put(producer, 16, 2);
    producer.rollback();
    put(producer, 16, 3);
    producer.publish();
    assert.deepEqual(take(consumer), [1, 3]);
  });

  it('is full until the consumer releases, not when it reads', () => {
    const ring = createRing(1024);
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    for (let n = 0; n < 4; n++) assert.ok(put(producer, 256, n));
    assert.equal(put(producer, 8, 9), false);
    producer.publish();
    assert.deepEqual(take(consumer), [0, 1, 2, 3]);
    assert.equal(put(producer, 8, 9), false, 'read, but not released');
    assert.equal(consumer.release(), false, 'nobody asked for room');
    assert.ok(put(producer, 8, 9));
    assert.equal(ringCounters(ring).full, 2);
  });

  it('skips the end of the memory rather than cutting a record', () => {
    const ring = createRing(1024);
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    put(producer, 512, 1);
    put(producer, 400, 2);
    producer.publish();
    take(consumer);
    consumer.release();
    const at = producer.reserve(200);
    assert.equal(at, 0, 'from the start, 112 bytes were left');
    producer.memory.i32[1] = 3;
    producer.publish();
    assert.deepEqual(take(consumer), [3]);
    assert.equal(consumer.heldBytes, 312, 'the gap counts');
  });

  it('says once that room was made, if it was asked', () => {
    const ring = createRing(1024);
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    put(producer, 512, 1);
    producer.publish();
    producer.wantSpace();
    take(consumer);
    assert.equal(consumer.release(), true);
    assert.equal(consumer.release(), false);
  });

  it('is read again by a consumer that comes after one that did not release', () => {
    const ring = createRing(1024);
    const producer = new RingProducer(ring);
    for (let n = 1; n <= 3; n++) put(producer, 16, n);
    producer.publish();
    const first = new RingConsumer(ring);
    first.next();
    first.release();
    first.next();
    assert.deepEqual(take(new RingConsumer(ring)), [2, 3]);
    first.rewind();
    assert.deepEqual(take(first), [2, 3]);
  });

  it('goes on under a producer that comes after another, from what was published', () => {
    const ring = createRing(1024);
    const first = new RingProducer(ring);
    put(first, 16, 1);
    first.publish();
    put(first, 16, 2);
    const second = new RingProducer(ring);
    put(second, 16, 3);
    second.publish();
    assert.deepEqual(take(new RingConsumer(ring)), [1, 3]);
  });

  it('goes round where its positions run over 32 bits', () => {
    const ring = createRing(1024);
    const control = new Int32Array(ring, 0, 64);
    // 1024 below 2^32, as the signed number it is there.
    control[0] = -1024;
    control[16] = -1024;
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    for (let n = 0; n < 100; n++) {
      assert.ok(put(producer, 120, n));
      producer.publish();
      assert.deepEqual(take(consumer), [n]);
      consumer.release();
    }
    assert.ok(producer.isSettled());
  });

  it('refuses sizes it cannot serve', () => {
    assert.throws(() => createRing(1000), RangeError);
    assert.throws(() => createRing(512), RangeError);
    assert.throws(() => new RingProducer(createRing(1024)).reserve(520), RangeError);
  });
});
