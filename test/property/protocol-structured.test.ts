import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BODY_TOO_LARGE,
  decodeStructured,
  encodeStructured,
  INVALID_BODY,
  REQUEST_LIMITS,
  type StructuredMap,
} from '../../src/protocol/index.js';
import { anyStructured } from '../protocol/arbitrary-frames.js';

/** Null: refused, in one of the two ways that are allowed. */
function decode(bytes: Uint8Array): StructuredMap | null {
  try {
    return decodeStructured(bytes, 0, bytes.length, REQUEST_LIMITS);
  } catch (error) {
    if (error !== INVALID_BODY && error !== BODY_TOO_LARGE) throw error;
    return null;
  }
}

/** Reads MessagePack straight from its specification: what the checks and msgpackr have to agree with. */
class Reference {
  readonly #bytes: Buffer;
  #at = 0;
  items = 0;
  depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth = 0): unknown {
    const token = this.#bytes.readUInt8(this.#at++);
    if (token <= 0x7f) return token;
    if (token >= 0xe0) return token - 256;
    if (token <= 0x8f) return this.#map(token - 0x80, depth);
    if (token <= 0x9f) return this.#array(token - 0x90, depth);
    if (token <= 0xbf) return this.#take(token - 0xa0).toString('utf8');
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return Uint8Array.from(this.#take(this.#length(2 ** (token - 0xc4))));
      case 0xca:
        return this.#take(4).readFloatBE();
      case 0xcb:
        return this.#take(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#length(2 ** (token - 0xcc));
      case 0xcf:
        return Number(this.#take(8).readBigUInt64BE());
      case 0xd0:
        return this.#take(1).readInt8();
      case 0xd1:
        return this.#take(2).readInt16BE();
      case 0xd2:
        return this.#take(4).readInt32BE();
      case 0xd3:
        return Number(this.#take(8).readBigInt64BE());
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#take(this.#length(2 ** (token - 0xd9))).toString('utf8');
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(token === 0xdc ? 2 : 4), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(token === 0xde ? 2 : 4), depth);
      default:
        throw new Error(`token ${token}`);
    }
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new Error('cut off');
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  #length(width: number): number {
    return this.#take(width).readUIntBE(0, width);
  }

  #open(count: number, depth: number): void {
    this.items += count;
    this.depth = Math.max(this.depth, depth + 1);
  }

  #array(count: number, depth: number): unknown[] {
    this.#open(count, depth);
    const list: unknown[] = [];
    for (let i = 0; i < count; i++) list.push(this.value(depth + 1));
    return list;
  }

  #map(count: number, depth: number): Map<unknown, unknown> {
    this.#open(count, depth);
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1);
      assert.equal(typeof key, 'string');
      map.set(key, this.value(depth + 1));
    }
    return map;
  }
}

/** Maps as maps, so that key order and odd keys do not matter. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? 0 : value;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  // msgpackr renames the one key that could reach a prototype.
  return new Map(entries.map(([key, inner]) => [key === '__proto__' ? '__proto_' : key, plain(inner)]));
}

/** Whatever is accepted is within the limits, and what msgpackr made of it is what the specification says. */
function assertSound(bytes: Uint8Array): void {
  const value = decode(bytes);
  if (value === null) return;
  const reference = new Reference(bytes);
  assert.deepEqual(plain(value), plain(reference.value()), Buffer.from(bytes).toString('hex'));
  assert.ok(reference.isAtEnd);
  assert.ok(reference.items <= REQUEST_LIMITS.itemsMax && reference.depth <= REQUEST_LIMITS.depthMax);
}

describe('structured bodies: whatever comes in', () => {
  it('any map is read as it was written', () => {
    fc.assert(
      fc.property(anyStructured, (value) => {
        const bytes = encodeStructured(value, REQUEST_LIMITS);
        assert.deepEqual(plain(decode(bytes)), plain(value));
        assertSound(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('every truncation is refused', () => {
    fc.assert(
      fc.property(anyStructured, (value) => {
        const bytes = encodeStructured(value, REQUEST_LIMITS);
        for (let length = 0; length < Math.min(bytes.length, 200); length++) {
          assert.equal(decode(bytes.subarray(0, length)), null);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('every change of a byte is refused, or read as the specification says', () => {
    fc.assert(
      fc.property(anyStructured, fc.nat(), (value, where) => {
        const bytes = Uint8Array.from(encodeStructured(value, REQUEST_LIMITS));
        const at = where % bytes.length;
        for (let byte = 0; byte < 256; byte++) {
          bytes[at] = byte;
          assertSound(bytes);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('random tokens are refused, or read as the specification says', () => {
    const anyToken = fc.oneof(
      fc.constantFrom(0x80, 0x81, 0x82, 0x90, 0x91, 0x92, 0xa0, 0xa1, 0xc0, 0xc2, 0xc3, 0x61),
      fc.integer({ min: 0xc0, max: 0xdf }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 255 }),
    );
    fc.assert(
      fc.property(fc.array(anyToken, { maxLength: 60 }), (tokens) => {
        assertSound(Uint8Array.from([0x81, 0xa1, 0x61, ...tokens]));
        assertSound(Uint8Array.from(tokens));
      }),
      { numRuns: 3000 },
    );
  });

  it('nesting bombs of any make are refused', () => {
    const unit = fc.constantFrom([0x91], [0x92, 0xc0], [0x81, 0xa0], [0xdc, 0, 1], [0xde, 0, 1, 0xa1, 0x61]);
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 8, maxLength: 40 }),
        fc.integer({ min: 1, max: 80 }),
        (units, repeat) => {
          const bomb = [0x81, 0xa1, 0x61, ...Array.from({ length: repeat }, () => units.flat()).flat()];
          assert.equal(decode(Uint8Array.from([...bomb, 0xc0])), null);
          assert.equal(decode(Uint8Array.from(bomb)), null);
        },
      ),
      { numRuns: 200 },
    );
  });
});
