import { FieldReader } from './field-reader.js';
import { RECEIPT_RANGES_MAX, VARINT_MAX } from './limits.js';
import { BAD_RANGES } from './protocol-error.js';
import { varintBytes, writeVarint } from './varint.js';

/**
 * Receipt ranges: which of the original sender's message ids a receipt is about.
 *
 *     count (1–64) │ first │ length−1 │ gap │ length−1 │ gap │ …
 *
 * The first range begins at `first` (≥ 1), each other one `gap` (≥ 1) behind the last id of the range before
 * it. Ascending, without overlap. The body of a stored receipt is exactly these bytes.
 *
 * In memory ranges are a flat list: first, last, first, last, …
 */
export type Ranges = readonly number[];

/** Walks through encoded ranges without allocating. Ranges can be huge: intersect them, never expand them. */
export class RangeCursor {
  first = 0;
  last = 0;
  readonly #reader = new FieldReader();
  #left = 0;

  /** Throws a ProtocolError when there is no count in 1–64. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.#reader.resetFields(bytes, start, end);
    this.first = 0;
    this.last = 0;
    this.#left = this.#reader.varint();
    if (this.#left < 1 || this.#left > RECEIPT_RANGES_MAX) throw BAD_RANGES;
    return this;
  }

  /** Steps to the next range; false behind the last. Throws a ProtocolError on malformed ones. */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    const gap = this.#reader.varint();
    const last = rangeLast(this.last, gap, this.#reader.varint());
    this.first = this.last + gap;
    this.last = last;
    return true;
  }

  /** Behind the last byte read: after `next` said false, the end of the ranges. */
  get position(): number {
    return this.#reader.position;
  }
}

/** Checks the ranges at the reader's position, steps over them, and leaves their place in its blob fields. */
export function skipRanges(reader: FieldReader): void {
  const start = reader.position;
  let left = reader.varint();
  if (left < 1 || left > RECEIPT_RANGES_MAX) throw BAD_RANGES;
  for (let last = 0; left > 0; left--) {
    last = rangeLast(last, reader.varint(), reader.varint());
  }
  reader.blobStart = start;
  reader.blobEnd = reader.position;
}

/** The last id of the range that begins `gap` behind `previous` and holds `more` ids beside its first. */
function rangeLast(previous: number, gap: number, more: number): number {
  if (gap < 1 || gap > VARINT_MAX - previous || more > VARINT_MAX - previous - gap) throw BAD_RANGES;
  return previous + gap + more;
}

/** Encoded ranges as a flat list. Throws a ProtocolError. */
export function decodeRanges(bytes: Uint8Array, start = 0, end = bytes.length): number[] {
  const walk = new RangeCursor().reset(bytes, start, end);
  const ranges: number[] = [];
  while (walk.next()) ranges.push(walk.first, walk.last);
  return ranges;
}

/** Ids, in any order and with repeats, as the fewest ranges. Every id an integer in 1…2^53−1. */
export function rangesOfIds(ids: Iterable<number>): number[] {
  const sorted = [...ids].sort((a, b) => a - b);
  const ranges: number[] = [];
  for (const id of sorted) {
    const last = ranges.length - 1;
    if (last > 0 && id <= ranges[last]! + 1) ranges[last] = Math.max(ranges[last]!, id);
    else ranges.push(id, id);
  }
  return ranges;
}

/** The union of ranges (each list ascending or not), as the fewest ranges. */
export function mergeRanges(a: Ranges, b: Ranges): number[] {
  const pairs: [number, number][] = [];
  for (const list of [a, b]) {
    for (let i = 0; i + 1 < list.length; i += 2) pairs.push([list[i]!, list[i + 1]!]);
  }
  pairs.sort((x, y) => x[0] - y[0]);
  const merged: number[] = [];
  for (const [first, last] of pairs) {
    const end = merged.length - 1;
    if (end > 0 && first <= merged[end]! + 1) merged[end] = Math.max(merged[end]!, last);
    else merged.push(first, last);
  }
  return merged;
}

/**
 * Encodes ranges `from`…`from + 63` of an ascending flat list: what one receipt holds. For more ranges call
 * again with `from + RECEIPT_RANGES_MAX`. Throws a RangeError when the list is not ascending and in range.
 */
export function encodeRanges(ranges: Ranges, from = 0): Uint8Array {
  const count = Math.min(RECEIPT_RANGES_MAX, ranges.length / 2 - from);
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`no ranges from ${from} on`);
  let size = 1;
  let previous = 0;
  for (let i = from; i < from + count; i++) {
    const first = ranges[i * 2]!;
    const last = ranges[i * 2 + 1]!;
    if (!(Number.isSafeInteger(first) && Number.isSafeInteger(last) && first > previous && last >= first)) {
      throw new RangeError(`not an ascending range: ${first}–${last} after ${previous}`);
    }
    size += varintBytes(first - previous) + varintBytes(last - first);
    previous = last;
  }
  const bytes = new Uint8Array(size);
  let at = writeVarint(bytes, 0, count);
  previous = 0;
  for (let i = from; i < from + count; i++) {
    at = writeVarint(bytes, at, ranges[i * 2]! - previous);
    at = writeVarint(bytes, at, ranges[i * 2 + 1]! - ranges[i * 2]!);
    previous = ranges[i * 2 + 1]!;
  }
  return bytes;
}
