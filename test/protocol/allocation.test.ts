import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeStructured, ProtocolError, REQUEST_LIMITS } from '../../src/protocol/index.js';
import * as first from './first-codec.js';
import { type Direction, LAYOUTS, varint } from './second-codec.js';

/**
 * Counts what the decoders ask for: the constructors of byte arrays and of arrays with a length are replaced
 * for the time of the tests. A claimed length must never reach them before it was checked against the input.
 */
const RealUint8Array = globalThis.Uint8Array;
const RealArray = globalThis.Array;
let largest = 0;

function watched<T extends typeof RealUint8Array | typeof RealArray>(real: T): T {
  return new Proxy(real, {
    construct(target, parameters, newTarget) {
      if (typeof parameters[0] === 'number') largest = Math.max(largest, parameters[0]);
      return Reflect.construct(target, parameters, newTarget) as object;
    },
  });
}

const huge = [1000, 0xffff, 0x7fff_ffff, 0xffff_ffff, 2 ** 40, Number.MAX_SAFE_INTEGER];

describe('allocations', () => {
  before(() => {
    globalThis.Uint8Array = watched(RealUint8Array);
    globalThis.Array = watched(RealArray);
  });
  after(() => {
    globalThis.Uint8Array = RealUint8Array;
    globalThis.Array = RealArray;
  });

  const attempt = (run: () => void): number => {
    largest = 0;
    try {
      run();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    return largest;
  };

  it('are noticed by this test', () => {
    assert.equal(
      attempt(() => {
        new Uint8Array(12_345);
      }),
      12_345,
    );
  });

  it('follow the input, not its claims: a huge number in place of every field of every frame', () => {
    for (const layout of Object.values(LAYOUTS)) {
      for (const claim of huge) {
        for (let fields = 0; fields <= layout.fields.length; fields++) {
          for (const filler of [0, 1, 5]) {
            const body: number[] = [];
            for (let i = 0; i < fields; i++) body.push(filler);
            body.push(...varint(claim), 1, 2, 3);
            for (const flags of [0, 1]) {
              const bytes = RealUint8Array.from([body.length + 2, layout.type, flags, ...body]);
              for (const from of layout.from as Direction[]) {
                const asked = attempt(() => first.decode(bytes, from));
                assert.ok(asked <= bytes.length, `${layout.type} asked for ${asked}`);
              }
            }
          }
        }
      }
    }
  });

  it('follow the input in MessagePack too', () => {
    for (const token of [0xc4, 0xc5, 0xc6, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf]) {
      for (const length of [
        [0xff],
        [0x03, 0xff],
        [0xff, 0xff],
        [0x00, 0x00, 0x03, 0xff],
        [0x00, 0xff, 0xff, 0xff],
        [0xff, 0xff, 0xff, 0xff],
      ]) {
        const bytes = RealUint8Array.from([0x81, 0xa1, 0x61, token, ...length, 0xc0, 0xc0]);
        const asked = attempt(() => decodeStructured(bytes, 0, bytes.length, REQUEST_LIMITS));
        assert.ok(asked <= bytes.length, `${token.toString(16)} asked for ${asked}`);
      }
    }
  });
});
