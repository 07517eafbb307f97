/** The outbox under any sequence of events keeps its promises. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OutboxKind } from '../../src/client/client-store.js';
import { Outbox, OutboxPhase } from '../../src/client/outbox.js';

const BODY = new Uint8Array(10);
const WINDOW = 4;

type Step =
  | { readonly do: 'add'; readonly to: number }
  | { readonly do: 'save' | 'transmit' | 'lose' | 'expire' }
  | { readonly do: 'acknowledge' | 'refuse'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('add' as const), to: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('save' as const, 'transmit' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'expire' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('acknowledge' as const, 'refuse' as const),
      which: fc.nat(10),
    }),
  },
);

test('any history: the window is kept, nothing unsaved leaves, nobody overtakes, nothing is lost', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const outbox = new Outbox({ window: WINDOW, countMax: 20, bytesMax: 20 * 42 }, 1, []);
      const saved = new Set<number>();
      const unsaved: number[] = [];
      const open = new Map<number, number>();
      let inFlight = new Set<number>();
      const held = new Map<number, number>();
      let now = 0;
      const transmit = (): void => {
        for (let item = outbox.next(now); item !== null; item = outbox.next(now)) {
          assert.ok(saved.has(item.id), `${item.id} left unsaved`);
          assert.ok(open.has(item.id) && !inFlight.has(item.id));
          assert.ok((held.get(item.to) ?? 0) <= now, `${item.to} is held back`);
          const oldest = Math.min(...open.keys());
          assert.ok(item.id - oldest < WINDOW, `${item.id} is beyond the window of ${oldest}`);
          for (const [id, to] of open) {
            const isBefore = id < item.id && to === item.to;
            assert.ok(!isBefore || inFlight.has(id), `${item.id} overtakes ${id}`);
          }
          outbox.transmitted(item, now);
          inFlight.add(item.id);
        }
        assert.equal(outbox.inFlightCount, inFlight.size);
      };
      for (const action of steps) {
        now += 1;
        switch (action.do) {
          case 'add': {
            const item = outbox.add(OutboxKind.message, action.to, BODY);
            assert.equal(item === null, open.size === 20);
            if (item === null) break;
            assert.equal(item.phase, OutboxPhase.unsaved);
            open.set(item.id, action.to);
            unsaved.push(item.id);
            break;
          }
          case 'save': {
            const id = unsaved.shift();
            if (id === undefined) break;
            saved.add(id);
            outbox.saved(id);
            break;
          }
          case 'transmit':
            transmit();
            break;
          case 'lose':
            outbox.connectionLost();
            inFlight = new Set();
            held.clear();
            break;
          case 'expire':
            assert.equal(outbox.expire(now), inFlight.size);
            inFlight = new Set();
            break;
          case 'acknowledge':
          case 'refuse': {
            const id = [...inFlight][action.which % Math.max(1, inFlight.size)];
            const item = id === undefined ? undefined : outbox.get(id);
            if (id === undefined || item === undefined) break;
            inFlight.delete(id);
            if (action.do === 'acknowledge') {
              assert.equal(outbox.remove(id), item);
              assert.equal(outbox.remove(id), undefined);
              open.delete(id);
            } else {
              outbox.refused(item, now + 5);
              held.set(item.to, now + 5);
            }
            break;
          }
        }
        assert.equal(outbox.size, open.size);
        assert.equal(outbox.bytes, open.size * 42);
      }
      // With time, saves and acknowledgements everything leaves.
      for (const id of unsaved) {
        saved.add(id);
        outbox.saved(id);
      }
      for (let round = 0; round < 100 && open.size > 0; round++) {
        now += 10;
        transmit();
        for (const id of inFlight) {
          outbox.remove(id);
          open.delete(id);
        }
        inFlight = new Set();
      }
      assert.equal(outbox.size, 0);
    }),
  );
});

test('what an earlier run left is uncertain and comes first', () => {
  const outbox = new Outbox({ window: 256, countMax: 10, bytesMax: 1000 }, 5, [
    { id: 3, kind: OutboxKind.message, to: 1, body: BODY },
    { id: 7, kind: OutboxKind.message, to: 1, body: BODY },
  ]);
  assert.equal(outbox.nextId, 8);
  const fresh = outbox.add(OutboxKind.message, 1, BODY)!;
  outbox.saved(fresh.id);
  const order: [number, boolean][] = [];
  for (let item = outbox.next(0); item !== null; item = outbox.next(0)) {
    outbox.transmitted(item, 0);
    order.push([item.id, item.uncertain]);
  }
  assert.deepEqual(order, [
    [3, true],
    [7, true],
    [8, false],
  ]);
});
