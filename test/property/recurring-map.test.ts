import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecurringMap } from '../../src/structures/recurring-map.js';

const operation = fc.record({
  op: fc.constantFrom('set' as const, 'vacate' as const, 'delete' as const),
  key: fc.integer({ min: 0, max: 120 }),
});

test('a recurring map holds what a map holds', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 600 }), (operations) => {
      const map = new RecurringMap<number, string>();
      const model = new Map<number, string>();
      operations.forEach(({ op, key }, step) => {
        if (op === 'set') {
          assert.equal(map.set(key, `${step}`), !model.has(key));
          model.set(key, `${step}`);
        } else {
          assert.equal(op === 'vacate' ? map.vacate(key) : map.delete(key), model.delete(key));
        }
        assert.equal(map.size, model.size);
        assert.equal(map.get(key), model.get(key));
        assert.equal(map.has(key), model.has(key));
      });
      const byKey = (a: readonly [number, string], b: readonly [number, string]) => a[0] - b[0];
      assert.deepEqual([...map].sort(byKey), [...model].sort(byKey));
      assert.deepEqual([...map.keys()].sort(), [...model.keys()].sort());
    }),
  );
});
