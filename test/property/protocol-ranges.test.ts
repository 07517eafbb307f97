import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeRanges,
  encodeRanges,
  mergeRanges,
  RECEIPT_RANGES_MAX,
  rangesOfIds,
} from '../../src/protocol/index.js';

const anyIds = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
const expand = (ranges: readonly number[]): number[] => {
  const ids: number[] = [];
  for (let i = 0; i < ranges.length; i += 2)
    for (let id = ranges[i]!; id <= ranges[i + 1]!; id++) ids.push(id);
  return ids;
};
const sortedSet = (ids: Iterable<number>): number[] => [...new Set(ids)].sort((a, b) => a - b);

describe('ranges: for any ids', () => {
  it('hold exactly these ids, in the fewest ranges', () => {
    fc.assert(
      fc.property(anyIds, (ids) => {
        const ranges = rangesOfIds(ids);
        assert.deepEqual(expand(ranges), sortedSet(ids));
        for (let i = 2; i < ranges.length; i += 2) assert.ok(ranges[i]! > ranges[i - 1]! + 1);
      }),
    );
  });

  it('merge to the ids of both', () => {
    fc.assert(
      fc.property(anyIds, anyIds, (a, b) => {
        const merged = mergeRanges(rangesOfIds(a), rangesOfIds(b));
        assert.deepEqual(merged, rangesOfIds([...a, ...b]));
      }),
    );
  });

  it('go to the wire and back, 64 at a time', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.maxSafeNat(), { minLength: 1, maxLength: 200 }), (numbers) => {
        const ranges = rangesOfIds(numbers.map((id) => Math.max(1, id)));
        const back: number[] = [];
        for (let from = 0; from < ranges.length / 2; from += RECEIPT_RANGES_MAX) {
          back.push(...decodeRanges(encodeRanges(ranges, from)));
        }
        assert.deepEqual(back, ranges);
      }),
    );
  });
});
