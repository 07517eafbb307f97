import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RingOutlet } from '../../src/structures/ring-outlet.js';
import { createRing, RingConsumer, RingProducer } from '../../src/structures/spsc-ring.js';

type Step =
  | { readonly do: 'put'; readonly length: number }
  | { readonly do: 'publish' | 'rollback' | 'release' | 'reopen' }
  | { readonly do: 'take'; readonly count: number };

const CAPACITY = 1024;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), length: fc.integer({ min: 8, max: 512 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('publish' as const, 'publish' as const, 'rollback' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('release' as const, 'release' as const, 'reopen' as const) }),
  },
);

/** Writes a record that is recognisable in every byte. */
function fill(bytes: Uint8Array, i32: Int32Array, at: number, length: number, id: number): void {
  bytes.fill(id & 0xff, at + 8, at + length);
  i32[(at >> 2) + 1] = id;
}

describe('properties of the ring', () => {
  it('is a queue with a transaction at each end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, offset) => {
        const ring = createRing(CAPACITY);
        // Starts anywhere, also just before its positions run over.
        const control = new Int32Array(ring, 0, 64);
        control[0] = offset & ~7;
        control[16] = offset & ~7;
        const producer = new RingProducer(ring);
        let consumer = new RingConsumer(ring);
        // The model: what was put, published, read.
        let open: { id: number; length: number }[] = [];
        let published: { id: number; length: number }[] = [];
        let read = 0;
        let id = 0;
        for (const action of steps) {
          switch (action.do) {
            case 'put': {
              const at = producer.reserve(action.length);
              const waiting = [...published, ...open].reduce((sum, { length }) => sum + length, 0);
              const need = (action.length + 7) & ~7;
              if (at < 0) {
                assert.ok(waiting + 2 * need > CAPACITY - 512, 'room enough, and refused');
              } else {
                assert.ok(waiting + need <= CAPACITY, 'more than fits');
                fill(producer.memory.bytes, producer.memory.i32, at, action.length, id);
                open.push({ id: id++, length: need });
              }
              break;
            }
            case 'publish':
              producer.publish();
              published.push(...open);
              open = [];
              break;
            case 'rollback':
              producer.rollback();
              open = [];
              break;
            case 'take':
              for (let n = 0; n < action.count; n++) {
                const at = consumer.next();
                const expected = published[read];
                assert.equal(at >= 0, expected !== undefined);
                if (expected === undefined) break;
                const { bytes, i32 } = consumer.memory;
                assert.equal(i32[(at >> 2) + 1], expected.id);
                assert.equal(i32[at >> 2], expected.length);
                if (expected.length > 8) assert.equal(bytes[at + 8], expected.id & 0xff);
                read++;
              }
              break;
            case 'release':
              consumer.release();
              published = published.slice(read);
              read = 0;
              break;
            case 'reopen':
              consumer = new RingConsumer(ring);
              read = 0;
              break;
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('with a queue behind it loses and swaps nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ring = createRing(CAPACITY);
        const outlet = new RingOutlet(ring, 4096);
        const consumer = new RingConsumer(ring);
        let open: number[] = [];
        const expected: number[] = [];
        const got: number[] = [];
        let id = 0;
        const takeAll = (): void => {
          for (let at = consumer.next(); at >= 0; at = consumer.next()) {
            got.push(consumer.memory.i32[(at >> 2) + 1]!);
          }
        };
        for (const action of steps) {
          switch (action.do) {
            case 'put': {
              const at = outlet.reserve(action.length);
              if (at >= 0) {
                fill(outlet.memory.bytes, outlet.memory.i32, at, action.length, id);
                open.push(id++);
              }
              break;
            }
            case 'publish':
              outlet.publish();
              expected.push(...open);
              open = [];
              break;
            case 'rollback':
              outlet.rollback();
              open = [];
              break;
            default:
              takeAll();
              consumer.release();
              if (open.length === 0) outlet.flush();
          }
        }
        outlet.rollback();
        while (!outlet.isSettled()) {
          takeAll();
          consumer.release();
          outlet.flush();
        }
        takeAll();
        assert.deepEqual(got, expected);
      }),
      { numRuns: 500 },
    );
  });
});
