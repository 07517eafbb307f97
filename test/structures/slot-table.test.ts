import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotTable, slotOf } from '../../src/structures/slot-table.js';

test('a stale id finds nothing, even when its slot is used again', () => {
  const table = new SlotTable<{ name: string }>();
  const a = table.add({ name: 'a' });
  assert.ok(table.remove(a));
  assert.equal(table.get(a), undefined);
  const b = table.add({ name: 'b' });
  assert.equal(slotOf(b), slotOf(a));
  assert.equal(table.get(a), undefined);
  assert.equal(table.get(b)?.name, 'b');
  assert.equal(table.remove(a), false);
  assert.equal(table.size, 1);
});

test('the id that a free slot will have next finds nothing yet', () => {
  const table = new SlotTable<object>();
  const a = table.add({});
  table.remove(a);
  assert.equal(table.get(a + 2 ** 24), undefined);
  assert.equal(table.remove(a + 2 ** 24), false);
  assert.equal(table.add({}), a + 2 ** 24);
});

test('numbers that are no ids find nothing', () => {
  const table = new SlotTable<object>();
  table.add({});
  for (const id of [0, -1, 1, 2 ** 24 + 5, Number.NaN, 0.5, Number.MAX_SAFE_INTEGER]) {
    assert.equal(table.get(id), undefined, String(id));
  }
});
