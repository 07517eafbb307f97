import fc from 'fast-check';
import { encodeStructured, REQUEST_LIMITS, type StructuredMap } from '../../src/protocol/index.js';
import { type Direction, type Fields, type Frame, LAYOUTS, toHex } from './second-codec.js';

/** Arbitrary frames for property tests, in the values of the vectors. */

const MAX = Number.MAX_SAFE_INTEGER;

/** Integers of every length of varint alike. */
export const anyVarint: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }),
  fc.integer({ min: 0, max: 0x3fff }),
  fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 53 }).map((bits) => Math.min(MAX, 2 ** bits)),
  fc.integer({ min: 1, max: 53 }).map((bits) => 2 ** bits - 1),
);
const anyId = anyVarint.map((value) => Math.max(1, value));
const anyUser = anyVarint.map((value) => Math.floor(value / 4));
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  // Around the lengths at which a length takes one byte more.
  fc
    .constantFrom(95, 96, 97, 126, 127, 128, 16_350, 16_383, 16_384)
    .map((length) => new Uint8Array(length).fill(length)),
);
const anyHex = anyBytes.map(toHex);
const anyTime = fc.integer({ min: 0, max: 2 ** 42 - 1 });
const anyPartition = fc.integer({ min: 0, max: 63 });

/** Well-formed text of at most so many bytes. */
const anyText = (bytesMax: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'binary', maxLength: Math.min(bytesMax, 80) })
    .filter((text) => Buffer.byteLength(text) <= bytesMax);

export const storedId = (time: number, partition: number, seq: number): string =>
  ((BigInt(time) << 22n) | (BigInt(partition) << 16n) | BigInt(seq % 65536)).toString(16).padStart(16, '0');

export const anyRanges: fc.Arbitrary<[number, number][]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 1_000_000 })), {
    minLength: 1,
    maxLength: 64,
  })
  .map((steps) => {
    let previous = 0;
    return steps.map(([gap, more]): [number, number] => {
      const first = previous + gap;
      previous = first + more;
      return [first, previous];
    });
  });

/** A map as requests and replies have it. */
export const anyStructured: fc.Arbitrary<StructuredMap> = fc.dictionary(
  fc.string({ maxLength: 12 }).filter((key) => key !== '__proto__'),
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.double(),
        fc.string({ maxLength: 40 }),
      ),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(
        fc.string({ maxLength: 8 }).filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 5 },
      ),
    ),
  })).value as fc.Arbitrary<StructuredMap>,
  { maxKeys: 6 },
) as fc.Arbitrary<StructuredMap>;

const anyPacked = anyStructured.map((value) => toHex(encodeStructured(value, REQUEST_LIMITS)));

const special: Readonly<Record<string, fc.Arbitrary<Fields>>> = {
  HELLO: fc
    .record({
      low: anyId,
      high: anyId,
      capabilities: anyVarint,
      user: anyVarint,
      device: anyVarint,
      key: fc.oneof(fc.constant(''), fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)),
      epoch: anyVarint,
      seq: anyVarint,
      agent: anyText(64),
    })
    .map(({ low, high, ...rest }) => ({
      versionMin: Math.min(low, high),
      versionMax: Math.max(low, high),
      ...rest,
    })),
  SEND_ACK: fc
    .tuple(fc.boolean(), anyVarint, anyTime, anyPartition, fc.integer({ min: 0, max: 65535 }))
    .map(([duplicate, messageId, time, partition, seq]) =>
      duplicate
        ? { duplicate, messageId }
        : { duplicate, messageId, storedId: storedId(time, partition, seq), time },
    ),
  DELIVER: fc
    .tuple(anyVarint, anyTime, anyPartition, anyUser, anyVarint, anyHex)
    .map(([seq, time, partition, from, messageId, body]) => ({
      seq,
      storedId: storedId(time, partition, seq),
      time,
      from,
      messageId,
      body,
    })),
};

function anyField(kind: string): fc.Arbitrary<unknown> {
  if (kind.startsWith('text')) return anyText(Number(kind.slice(4)));
  switch (kind) {
    case 'varint':
      return anyVarint;
    case 'counter':
      return anyId;
    case 'u8':
      return fc.integer({ min: 0, max: 255 });
    case 'bool8':
      return fc.boolean();
    case 'key32':
      return fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
    case 'bytes':
      return anyHex;
    case 'msgpack':
      return anyPacked;
    case 'pin':
      return fc.stringMatching(/^[0-9]{5,6}$/);
    case 'user':
    case 'recipient':
      return anyUser;
    case 'ranges':
      return anyRanges;
    case 'items':
      return fc.array(fc.oneof(anyFrameOf('DELIVER'), anyFrameOf('RECEIPT')), { maxLength: 6 });
    default:
      throw new Error(`nothing arbitrary for ${kind}`);
  }
}

export function anyFrameOf(name: string): fc.Arbitrary<Frame> {
  const layout = LAYOUTS[name]!;
  let fields = special[name];
  if (fields === undefined) {
    const model: Record<string, fc.Arbitrary<unknown>> = {};
    for (const flag of layout.flags ?? []) {
      const value = fc.integer({ min: flag.must ?? 0, max: flag.max });
      model[flag.name] = flag.bits === 1 ? value.map((set) => set === 1) : value;
    }
    for (const [field, kind] of layout.fields) model[field] = anyField(kind);
    fields = fc.record(model);
  }
  return fields.map((value) => ({ frame: name, fields: { ...value } }));
}

/** Any frame that this side may send. */
export function anyFrame(from: Direction): fc.Arbitrary<Frame> {
  const names = Object.keys(LAYOUTS).filter((name) => LAYOUTS[name]!.from.includes(from));
  return fc.oneof(...names.map(anyFrameOf));
}
