import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeRanges,
  encodeRanges,
  mergeRanges,
  ProtocolError,
  RangeCursor,
  RECEIPT_RANGES_MAX,
  rangesOfIds,
} from '../../src/protocol/index.js';

describe('ranges', () => {
  it('of ids: sorted, without repeats, the fewest', () => {
    assert.deepEqual(rangesOfIds([]), []);
    assert.deepEqual(rangesOfIds([7, 3, 2, 4, 3, 300]), [2, 4, 7, 7, 300, 300]);
  });

  it('merge to their union', () => {
    assert.deepEqual(mergeRanges([1, 3, 10, 12], [4, 5, 11, 20, 30, 30]), [1, 5, 10, 20, 30, 30]);
    assert.deepEqual(mergeRanges([], [5, 5]), [5, 5]);
    assert.deepEqual(mergeRanges([1, 100], [2, 3]), [1, 100]);
  });

  it('of a long list go into several receipts', () => {
    const list = Array.from({ length: 150 }, (_, i) => [i * 10 + 1, i * 10 + 3]).flat();
    const parts: number[] = [];
    const counts: number[] = [];
    for (let from = 0; from < list.length / 2; from += RECEIPT_RANGES_MAX) {
      const part = decodeRanges(encodeRanges(list, from));
      counts.push(part.length / 2);
      parts.push(...part);
    }
    assert.deepEqual(counts, [64, 64, 22]);
    assert.deepEqual(parts, list);
  });

  it('that are none are the caller’s mistake', () => {
    for (const bad of [[], [1], [0, 1], [5, 4], [1, 5, 5, 6], [1, 2, 3], [1.5, 2], [1, 2 ** 53], [-1, 2]]) {
      assert.throws(() => encodeRanges(bad), RangeError, JSON.stringify(bad));
    }
  });

  it('are walked through without being expanded', () => {
    const bytes = encodeRanges([1, Number.MAX_SAFE_INTEGER]);
    const cursor = new RangeCursor().reset(bytes);
    assert.ok(cursor.next());
    assert.deepEqual([cursor.first, cursor.last], [1, Number.MAX_SAFE_INTEGER]);
    assert.equal(cursor.next(), false);
    assert.equal(cursor.position, bytes.length);
    assert.throws(() => cursor.reset(Uint8Array.of(0)), ProtocolError);
  });
});
