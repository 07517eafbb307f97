import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ErrorCode, FrameWriter, ProtocolError } from '../../src/protocol/index.js';
import { anyFrame, anyFrameOf } from '../protocol/arbitrary-frames.js';
import * as first from '../protocol/first-codec.js';
import * as second from '../protocol/second-codec.js';
import { vectors } from '../protocol/vectors.js';

const directions: readonly second.Direction[] = ['client', 'server'];

/** What a decoder makes of the bytes; anything thrown but its own kind of error is a failure of the test. */
function firstOutcome(bytes: Uint8Array, from: second.Direction): second.Frame[] | 'malformed' | 'body' {
  try {
    return first.decode(bytes, from);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.code === ErrorCode.invalidBody || error.code === ErrorCode.bodyTooLarge
      ? 'body'
      : 'malformed';
  }
}
function secondOutcome(bytes: Uint8Array, from: second.Direction): second.Frame[] | 'malformed' {
  try {
    return second.decode(bytes, from);
  } catch (error) {
    if (!(error instanceof second.Malformed)) throw error;
    return 'malformed';
  }
}

/** Both codecs take the same or refuse. (The second one does not look into MessagePack.) */
function assertAgree(bytes: Uint8Array, from: second.Direction): void {
  const outcome = firstOutcome(bytes, from);
  if (outcome === 'body') return;
  assert.deepEqual(outcome, secondOutcome(bytes, from), second.toHex(bytes));
}

const message = (frames: readonly second.Frame[]): Uint8Array =>
  Uint8Array.from(frames.flatMap(({ frame, fields }) => second.encode(frame, fields)));

describe('frames: for any values', () => {
  for (const name of Object.keys(second.LAYOUTS)) {
    const direction = second.LAYOUTS[name]!.from[0]!;
    it(`${name} is read as it was written, by both codecs in the same bytes`, () => {
      fc.assert(
        fc.property(anyFrameOf(name), (frame) => {
          const bytes = first.encode(frame.frame, frame.fields);
          assert.equal(second.toHex(bytes), second.toHex(second.encode(frame.frame, frame.fields)));
          assert.deepEqual(first.decode(bytes, direction), [frame]);
        }),
        { numRuns: 150 },
      );
    });
  }

  it('frames follow one another in one writer, whatever it grew through', () => {
    for (const from of directions) {
      fc.assert(
        fc.property(
          fc.array(anyFrame(from), { maxLength: 8 }),
          fc.integer({ min: 0, max: 64 }),
          (frames, size) => {
            const writer = new FrameWriter(1 << 22, size);
            for (const { frame, fields } of frames) first.encodeInto(writer, frame, fields);
            assert.deepEqual(writer.view(), message(frames));
            assert.deepEqual(first.decode(writer.copy(), from), frames);
          },
        ),
        { numRuns: 60 },
      );
    }
  });
});

describe('frames: whatever comes in', () => {
  it('every truncation of a message is malformed, but for the ends of frames', () => {
    for (const { hex, direction } of vectors.frames) {
      const bytes = Uint8Array.from(second.fromHex(hex));
      if (bytes.length > 600) continue;
      const two = new Uint8Array(bytes.length * 2);
      two.set(bytes);
      two.set(bytes, bytes.length);
      for (let length = 0; length < two.length; length++) {
        const whole = length % bytes.length === 0;
        const outcome = firstOutcome(two.subarray(0, length), direction);
        assert.equal(outcome === 'malformed', !whole, `${hex} cut to ${length}`);
      }
    }
  });

  it('a frame with its end missing never reads into the frame behind it', () => {
    for (const { hex, direction } of vectors.frames) {
      const bytes = second.fromHex(hex);
      if (bytes.length > 128) continue;
      const tail = bytes.slice(1);
      for (let length = 2; length < tail.length; length++) {
        const cut = Uint8Array.from([length, ...tail.slice(0, length), ...bytes]);
        assertAgree(cut, direction);
      }
    }
  });

  it('every single-byte corruption is read alike or refused', () => {
    for (const { hex, direction } of vectors.frames) {
      const bytes = Uint8Array.from(second.fromHex(hex));
      if (bytes.length > 160) continue;
      for (let at = 0; at < bytes.length; at++) {
        const original = bytes[at]!;
        for (let value = 0; value < 256; value++) {
          bytes[at] = value;
          firstOutcome(bytes, direction);
        }
        for (const flip of [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, original, 0xff ^ original]) {
          bytes[at] = original ^ flip;
          assertAgree(bytes, direction);
        }
        bytes[at] = original;
      }
    }
  });

  it('random bytes are read alike or refused', () => {
    for (const from of directions) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => assertAgree(bytes, from)),
        { numRuns: 2000 },
      );
    }
  });

  it('random fields in a frame of the right length are read alike or refused', () => {
    for (const from of directions) {
      const types = Object.values(second.LAYOUTS).map(({ type }) => type);
      fc.assert(
        fc.property(
          fc.constantFrom(...types),
          fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 0x80, 0x81, 0x40),
          fc.uint8Array({ maxLength: 100 }),
          (type, flags, rest) => {
            assertAgree(Uint8Array.from([rest.length + 2, type, flags, ...rest]), from);
          },
        ),
        { numRuns: 3000 },
      );
    }
  });

  it('messages with bytes changed, removed or doubled are read alike or refused', () => {
    for (const from of directions) {
      fc.assert(
        fc.property(
          fc.array(anyFrame(from), { minLength: 1, maxLength: 4 }),
          fc.array(
            fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'double')),
            {
              minLength: 1,
              maxLength: 4,
            },
          ),
          (frames, changes) => {
            const bytes = [...message(frames)].slice(0, 400);
            for (const [where, value, change] of changes) {
              const at = where % Math.max(1, bytes.length);
              if (change === 'set') bytes[at] = value;
              else if (change === 'cut') bytes.splice(at, 1 + (value % 8));
              else bytes.splice(at, 0, ...bytes.slice(at, at + (value % 8)));
            }
            assertAgree(Uint8Array.from(bytes), from);
          },
        ),
        { numRuns: 400 },
      );
    }
  });

  it('what was decoded can be encoded again, to bytes that mean the same', () => {
    for (const from of directions) {
      fc.assert(
        fc.property(
          fc.constantFrom(...vectors.frames.filter(({ direction }) => direction === from)),
          fc.nat(),
          fc.integer({ min: 0, max: 255 }),
          ({ hex }, where, value) => {
            const bytes = Uint8Array.from(second.fromHex(hex));
            bytes[where % bytes.length] = value;
            const outcome = firstOutcome(bytes, from);
            if (typeof outcome === 'string') return;
            const again = message(outcome);
            assert.deepEqual(first.decode(again, from), outcome);
          },
        ),
        { numRuns: 1000 },
      );
    }
  });
});
