import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BytePool } from '../../src/structures/byte-pool.js';

test('copies are what was copied, and nobody else writes into them', () => {
  const pool = new BytePool();
  const source = Uint8Array.from({ length: 20_000 }, (_, at) => at * 7);
  const copies: { readonly copy: Uint8Array; readonly expected: Uint8Array }[] = [];
  for (let length = 0; length < 1500; length += 13) {
    for (const start of [0, 5, 4096]) {
      copies.push({
        copy: pool.copy(source, start, start + length),
        expected: Uint8Array.prototype.slice.call(source, start, start + length),
      });
    }
  }
  copies.push({ copy: pool.copy(source, 0, 20_000), expected: source.slice() });
  source.fill(0);
  for (const { copy, expected } of copies) assert.deepEqual(copy, expected);
  assert.ok(
    new Set(copies.map(({ copy }) => copy.buffer)).size < copies.length / 2,
    'each has memory of its own',
  );
});

test('also of shared memory, and of a Buffer', () => {
  const pool = new BytePool();
  const shared = new Uint8Array(new SharedArrayBuffer(300)).fill(9);
  for (const source of [shared, Buffer.alloc(300, 9)]) {
    const copy = pool.copy(source, 100, 300);
    assert.equal(Object.getPrototypeOf(copy), Uint8Array.prototype);
    assert.deepEqual(copy, new Uint8Array(200).fill(9));
    assert.ok(copy.buffer instanceof ArrayBuffer);
  }
});
