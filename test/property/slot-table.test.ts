import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlotTable } from '../../src/structures/slot-table.js';

test('every id finds exactly what was added under it, until it is removed, and never again', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 200 }), (operations) => {
      const table = new SlotTable<{ n: number }>();
      const model = new Map<number, { n: number }>();
      const issued: number[] = [];
      for (const operation of operations) {
        if (operation <= 0) {
          const value = { n: issued.length };
          const id = table.add(value);
          assert.ok(!issued.includes(id));
          issued.push(id);
          model.set(id, value);
        } else {
          const id = issued[operation % Math.max(1, issued.length)];
          if (id !== undefined) assert.equal(table.remove(id), model.delete(id));
        }
        assert.equal(table.size, model.size);
        for (const id of issued) assert.equal(table.get(id), model.get(id));
        let present = 0;
        for (let slot = 0; slot < table.slots; slot++) if (table.at(slot) !== undefined) present++;
        assert.equal(present, model.size);
      }
    }),
  );
});
