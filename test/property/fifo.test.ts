import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fifo, NONE } from '../../src/structures/fifo.js';
import { MemoryChunkStore } from '../structures/memory-chunk-store.js';

const operation = fc.oneof(
  {
    arbitrary: fc.record({ op: fc.constant('push' as const), count: fc.integer({ min: 1, max: 400 }) }),
    weight: 4,
  },
  fc.record({ op: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 150 }) }),
  fc.record({
    op: fc.constant('remove' as const),
    divisor: fc.integer({ min: 2, max: 9 }),
    limit: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ op: fc.constant('clear' as const) }),
  fc.record({ op: fc.constant('unshift' as const), count: fc.integer({ min: 1, max: 150 }) }),
  fc.record({
    op: fc.constant('take' as const),
    divisor: fc.integer({ min: 2, max: 400 }),
    limit: fc.integer({ min: 1, max: 300 }),
    back: fc.boolean(),
  }),
  fc.record({
    op: fc.constant('pick' as const),
    end: fc.constantFrom(0, -1),
    count: fc.integer({ min: 1, max: 150 }),
  }),
  fc.record({
    op: fc.constant('append' as const),
    count: fc.integer({ min: 0, max: 150 }),
    shifted: fc.integer({ min: 0, max: 150 }),
  }),
);
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

test('a fifo behaves as an array does', () => {
  fc.assert(fc.property(fc.array(operation, { maxLength: 40 }), (operations) => behaves(null, operations)));
});

test('a fifo with a store behaves as an array does, and leaves nothing in the store', () => {
  let stored = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 2, max: 9 }),
      fc.array(operation, { maxLength: 60, size: 'max' }),
      (storeAt, refuses, operations) => {
        const store = new MemoryChunkStore<number>(storeAt, refuses);
        behaves(store, operations);
        stored += store.stores;
        assert.equal(store.chunks, 0);
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(stored > 1000, `only ${stored} chunks were stored`);
});

function behaves(store: MemoryChunkStore<number> | null, operations: readonly Operation[]): void {
  const fifo = new Fifo<number>(store);
  let model: number[] = [];
  let next = 0;
  for (const operation of operations) {
    switch (operation.op) {
      case 'push':
        for (let left = operation.count; left > 0; left--) {
          fifo.push(next);
          model.push(next++);
        }
        break;
      case 'shift':
        for (let left = operation.count; left > 0; left--) assert.equal(fifo.shift(), model.shift());
        break;
      case 'remove': {
        let left = operation.limit;
        const kept = model.filter((value) => !(value % operation.divisor === 0 && left-- > 0));
        const removed = fifo.removeWhere((value) => value % operation.divisor === 0, operation.limit);
        assert.equal(removed, model.length - kept.length);
        model = kept;
        break;
      }
      case 'take': {
        // Whole chunks are looked at, so what is put aside is a prefix without a match that may be longer.
        const seen = new Fifo<number>(store);
        const at = model.findIndex((value) => value % operation.divisor === 0);
        const found = fifo.takeWhere((value) => value % operation.divisor === 0, operation.limit, seen);
        if (found === NONE) {
          const aside = [...seen];
          assert.ok(at === -1 || at >= aside.length, 'a match was passed over');
          assert.ok(aside.length >= Math.min(operation.limit, model.length));
          assert.deepEqual(aside, model.slice(0, aside.length));
          model = model.slice(aside.length);
          if (operation.back) {
            seen.append(fifo);
            fifo.append(seen);
            model = [...aside, ...model];
          }
          seen.clear();
        } else {
          assert.equal(found, model[at]);
          assert.equal(seen.length, 0);
          model.splice(at, 1);
        }
        break;
      }
      case 'pick':
        for (let left = operation.count; left > 0 && model.length > 0; left--) {
          const wanted: number = model.splice(operation.end, 1)[0]!;
          const none = new Fifo<number>(store);
          assert.equal(
            fifo.takeWhere((value) => value === wanted, Number.POSITIVE_INFINITY, none),
            wanted,
          );
        }
        break;
      case 'unshift':
        for (let left = operation.count; left > 0; left--) {
          fifo.unshift(next);
          model.unshift(next++);
        }
        break;
      case 'append': {
        const other = new Fifo<number>(store);
        for (let left = operation.count; left > 0; left--) other.push(next++);
        for (let left = operation.shifted; left > 0; left--) other.shift();
        model.push(...other);
        fifo.append(other);
        assert.equal(other.length, 0);
        break;
      }
      case 'clear':
        fifo.clear();
        model = [];
        break;
    }
    assert.equal(fifo.length, model.length);
    assert.equal(fifo.peek(), model[0]);
    assert.deepEqual([...fifo], model);
  }
  fifo.clear();
}
