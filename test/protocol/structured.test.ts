import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BODY_TOO_LARGE,
  decodeStructured,
  encodeStructured,
  INVALID_BODY,
  REQUEST_LIMITS,
  RESPONSE_LIMITS,
  type StructuredMap,
} from '../../src/protocol/index.js';
import { fromHex } from './second-codec.js';

const decode = (bytes: ArrayLike<number>, limits = REQUEST_LIMITS): StructuredMap =>
  decodeStructured(Uint8Array.from(bytes), 0, bytes.length, limits);
const refused = (bytes: ArrayLike<number>, why: string): void => {
  assert.throws(
    () => decode(bytes),
    (error) => error === INVALID_BODY,
    why,
  );
};

describe('structured bodies', () => {
  it('read what they wrote', () => {
    const value = {
      user: 491701234567,
      list: [1, -1, 0.5, null, true, 'Zoë', [], {}],
      map: { a: { b: { c: 1 } } },
      least: -Number.MAX_SAFE_INTEGER,
      most: Number.MAX_SAFE_INTEGER,
    };
    assert.deepEqual(decode(encodeStructured(value, REQUEST_LIMITS)), value);
    const binary = decode(encodeStructured({ raw: Uint8Array.of(1, 2, 3) }, REQUEST_LIMITS))['raw'];
    assert.deepEqual(Uint8Array.from(binary as Uint8Array), Uint8Array.of(1, 2, 3));
  });

  it('hold no view of the message they came in', () => {
    const bytes = Uint8Array.from(encodeStructured({ raw: new Uint8Array(9).fill(3) }, REQUEST_LIMITS));
    const { raw } = decodeStructured(bytes, 0, bytes.length, REQUEST_LIMITS);
    bytes.fill(0);
    assert.deepEqual(Uint8Array.from(raw as Uint8Array), new Uint8Array(9).fill(3));
  });

  it('take every format of a number', () => {
    const formats: [string, number][] = [
      ['cc07', 7],
      ['cd0007', 7],
      ['ce00000007', 7],
      ['cf0000000000000007', 7],
      ['cf001fffffffffffff', Number.MAX_SAFE_INTEGER],
      ['d0f9', -7],
      ['d1fff9', -7],
      ['d2fffffff9', -7],
      ['d3fffffffffffffff9', -7],
      ['d3ffe0000000000001', -Number.MAX_SAFE_INTEGER],
      ['d3001fffffffffffff', Number.MAX_SAFE_INTEGER],
      ['ca40e00000', 7],
      ['cb401c000000000000', 7],
      ['cb425c9eeb5ae1c000', 491701234567],
    ];
    for (const [hex, value] of formats) assert.deepEqual(decode(fromHex(`81a161${hex}`)), { a: value }, hex);
  });

  it('refuse what is not one whole map of plain values', () => {
    const cases: [string, string][] = [
      ['', 'nothing'],
      ['c0', 'nil'],
      ['90', 'an array'],
      ['07', 'a number'],
      ['a161', 'a string'],
      ['8080', 'two maps'],
      ['80c0', 'something behind'],
      ['81', 'an entry missing'],
      ['81a161', 'a value missing'],
      ['81a261', 'a key cut off'],
      ['81a161a5', 'a string cut off'],
      ['810707', 'a key that is a number'],
      ['81c0c0', 'a key that is nil'],
      ['818080', 'a key that is a map'],
      ['81c40161c0', 'a key that is binary'],
      ['81a161c1', 'the token that is never used'],
      ['81a161d40000', 'fixext 1: undefined'],
      ['81a161d6ff00000000', 'fixext 4: a timestamp'],
      ['81a161c7000000', 'ext 8'],
      ['81a161c800000000', 'ext 16'],
      ['81a161c9000000000000', 'ext 32'],
      ['81a161d47240', "fixext 1: msgpackr's record definition"],
      ['81a161cf0020000000000000', '2^53'],
      ['81a161cfffffffffffffffff', '2^64-1'],
      ['81a161d30020000000000000', '2^53, signed'],
      ['81a161d3ffe0000000000000', '-2^53'],
      ['81a161d38000000000000000', '-2^63'],
      ['81a161a1ff', 'a string that is not UTF-8'],
      ['81a1ffc0', 'a key that is not UTF-8'],
      ['81a161a2c080', 'an overlong form'],
      ['81a161a3eda080', 'a surrogate'],
      ['81a161dbffffffff61', 'a string of 4 GiB'],
      ['81a161c6ffffffff61', 'a binary of 4 GiB'],
      ['81a161ddffffffffc0', 'an array of 2^32-1'],
      ['dfffffffffa161c0', 'a map of 2^32-1'],
      ['81a161dc0401', 'an array of 1025'],
      ['de0401', 'a map of 1025'],
    ];
    for (const [hex, why] of cases) refused(fromHex(hex), why);
  });

  it('refuse deep nesting, in every form, however long', () => {
    const forms = {
      map: [0x81, 0xa1, 0x61],
      array: [0x91],
      array16: [0xdc, 0, 1],
      map16: [0xde, 0, 1, 0xa0],
    };
    for (const [form, unit] of Object.entries(forms)) {
      const nested = (depth: number): number[] => [
        0x81,
        0xa1,
        0x61,
        ...Array.from({ length: depth - 1 }, () => unit).flat(),
        0xc0,
      ];
      assert.doesNotThrow(() => decode(nested(REQUEST_LIMITS.depthMax)), form);
      refused(nested(REQUEST_LIMITS.depthMax + 1), form);
      refused(nested(Math.floor(16_000 / unit.length)), form);
    }
  });

  it('count the items of all arrays and maps together', () => {
    const lists = (count: number, length: number): StructuredMap =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, new Array(length).fill(0)]));
    // 10 entries, and 10 × 101 elements: 1020.
    assert.doesNotThrow(() => decode(encodeStructured(lists(10, 101), RESPONSE_LIMITS)));
    refused(encodeStructured(lists(10, 102), RESPONSE_LIMITS), '1030 items');
    assert.doesNotThrow(() => decode(encodeStructured(lists(10, 102), RESPONSE_LIMITS), RESPONSE_LIMITS));
  });

  it('are measured before they are looked at', () => {
    assert.throws(
      () => decode(new Uint8Array(REQUEST_LIMITS.bytesMax + 1).fill(0xff)),
      (error) => error === BODY_TOO_LARGE,
    );
  });

  it('hold the largest answer there is: 256 users with long names', () => {
    const users = Array.from({ length: 256 }, (_, i) => ({
      user: 999_999_999_999_999 - i,
      name: 'n'.repeat(64),
      lastSeen: 1_750_000_000_000,
    }));
    assert.deepEqual(decode(encodeStructured({ users }, RESPONSE_LIMITS), RESPONSE_LIMITS), { users });
  });

  it('tell the caller when a value does not fit', () => {
    assert.throws(() => encodeStructured({ a: 'a'.repeat(20_000) }, REQUEST_LIMITS), RangeError);
    assert.throws(
      () => encodeStructured({ a: 2n ** 63n } as unknown as StructuredMap, REQUEST_LIMITS),
      RangeError,
    );
    assert.throws(
      () => encodeStructured({ a: undefined } as unknown as StructuredMap, REQUEST_LIMITS),
      RangeError,
    );
    assert.throws(
      () => encodeStructured({ a: new Date() } as unknown as StructuredMap, REQUEST_LIMITS),
      RangeError,
    );
    assert.throws(() => encodeStructured([] as unknown as StructuredMap, REQUEST_LIMITS), RangeError);
  });

  it('cannot reach a prototype', () => {
    const body = decode(fromHex('81a95f5f70726f746f5f5f81a161c3'));
    assert.equal(({} as Record<string, unknown>)['a'], undefined);
    assert.equal((body as Record<string, unknown>)['a'], undefined);
    assert.equal(Object.getPrototypeOf(body), Object.prototype);
  });
});
