/**
 * A second codec for the tests, written from docs/wire-protocol.md and sharing nothing with src/protocol: slow,
 * table-driven, with BigInt for every number. What two unrelated codecs agree on is what the document says.
 *
 * Values are those of docs/wire-protocol.vectors.json: numbers, texts, bytes and 64-bit ids as hexadecimal,
 * ranges as pairs, items of a BATCH as {frame, fields}.
 */

export type Direction = 'client' | 'server';
export type Fields = Record<string, unknown>;
export interface Frame {
  readonly frame: string;
  readonly fields: Fields;
}
export interface Piece {
  readonly bytes: number[];
  readonly name: string;
  readonly value: string;
}

export class Malformed extends Error {}

const MAX = (1n << 53n) - 1n;

type Kind =
  | 'varint'
  | 'counter' // a varint, at least 1
  | 'u8'
  | 'bool8' // a u8, 0 or 1
  | 'u64'
  | 'key32' // 32 raw bytes
  | 'key' // bytes, 0 or 32
  | 'bytes'
  | 'msgpack' // bytes, judged apart
  | 'pin'
  | 'user' // an address of kind user
  | 'recipient' // an address of any kind
  | 'ranges'
  | 'items'
  | `text${number}`;

interface Flag {
  readonly name: string;
  readonly shift: number;
  readonly bits: number;
  readonly max: number;
  /** The only value allowed. */
  readonly must?: number;
}
interface Layout {
  readonly type: number;
  readonly from: readonly Direction[];
  readonly flags?: readonly Flag[];
  readonly fields: readonly (readonly [name: string, kind: Kind])[];
}

const both: readonly Direction[] = ['client', 'server'];
const client: readonly Direction[] = ['client'];
const server: readonly Direction[] = ['server'];
const bit = (name: string, must?: number): Flag => ({
  name,
  shift: 0,
  bits: 1,
  max: 1,
  ...(must === undefined ? {} : { must }),
});

/** The table of the document's chapter "Frames". RECEIPT has two layouts, one for each direction. */
export const LAYOUTS: Readonly<Record<string, Layout>> = {
  HELLO: {
    type: 0x01,
    from: client,
    fields: [
      ['versionMin', 'counter'],
      ['versionMax', 'counter'],
      ['capabilities', 'varint'],
      ['user', 'varint'],
      ['device', 'varint'],
      ['key', 'key'],
      ['epoch', 'varint'],
      ['seq', 'varint'],
      ['agent', 'text64'],
    ],
  },
  WELCOME: {
    type: 0x02,
    from: server,
    flags: [{ name: 'state', shift: 0, bits: 2, max: 3 }],
    fields: [
      ['version', 'varint'],
      ['capabilities', 'varint'],
      ['epoch', 'varint'],
      ['head', 'varint'],
      ['truncated', 'varint'],
      ['serverTime', 'varint'],
      ['heartbeatMs', 'varint'],
      ['homePort', 'varint'],
      ['pendingCount', 'varint'],
      ['bodyBytesMax', 'varint'],
      ['messageIdWindow', 'varint'],
      ['deliverWindowBytes', 'varint'],
      ['batchBytesMax', 'varint'],
    ],
  },
  REGISTER: {
    type: 0x03,
    from: client,
    fields: [
      ['ref', 'varint'],
      ['phone', 'varint'],
    ],
  },
  VERIFY: {
    type: 0x04,
    from: client,
    fields: [
      ['ref', 'varint'],
      ['phone', 'varint'],
      ['pin', 'pin'],
      ['name', 'text64'],
    ],
  },
  REGISTERED: {
    type: 0x05,
    from: server,
    fields: [
      ['ref', 'varint'],
      ['user', 'varint'],
      ['device', 'varint'],
      ['key', 'key32'],
      ['firstMessageId', 'varint'],
    ],
  },
  CHALLENGE: {
    type: 0x06,
    from: server,
    fields: [
      ['ref', 'varint'],
      ['digits', 'u8'],
      ['expiresMs', 'varint'],
      ['resendAfterMs', 'varint'],
    ],
  },
  SEND: {
    type: 0x10,
    from: client,
    fields: [
      ['messageId', 'counter'],
      ['to', 'recipient'],
      ['body', 'bytes'],
    ],
  },
  SEND_ACK: {
    type: 0x11,
    from: server,
    flags: [bit('duplicate')],
    fields: [
      ['messageId', 'varint'],
      ['storedId', 'u64'],
      ['time', 'varint'],
    ],
  },
  DELIVER: {
    type: 0x12,
    from: server,
    fields: [
      ['seq', 'varint'],
      ['storedId', 'u64'],
      ['time', 'varint'],
      ['from', 'user'],
      ['messageId', 'varint'],
      ['body', 'bytes'],
    ],
  },
  ACK: { type: 0x13, from: client, fields: [['seq', 'varint']] },
  READ_RECEIPT: {
    type: 0x14,
    from: client,
    flags: [bit('read', 1)],
    fields: [
      ['messageId', 'counter'],
      ['to', 'recipient'],
      ['ranges', 'ranges'],
    ],
  },
  RECEIPT: {
    type: 0x14,
    from: server,
    flags: [bit('read')],
    fields: [
      ['seq', 'varint'],
      ['time', 'varint'],
      ['from', 'user'],
      ['ranges', 'ranges'],
    ],
  },
  MORE: {
    type: 0x15,
    from: server,
    fields: [
      ['head', 'varint'],
      ['count', 'varint'],
      ['bytes', 'varint'],
    ],
  },
  PULL: {
    type: 0x16,
    from: client,
    fields: [
      ['seq', 'varint'],
      ['countMax', 'varint'],
      ['bytesMax', 'varint'],
    ],
  },
  BATCH: { type: 0x17, from: server, flags: [bit('hasMore')], fields: [['items', 'items']] },
  EPHEMERAL: {
    type: 0x18,
    from: both,
    fields: [
      ['kind', 'u8'],
      ['peer', 'user'],
      ['value', 'u8'],
      ['time', 'varint'],
    ],
  },
  CLIENT_STATE: { type: 0x19, from: client, fields: [['active', 'bool8']] },
  PING: { type: 0x20, from: both, fields: [['token', 'varint']] },
  PONG: { type: 0x21, from: both, fields: [['token', 'varint']] },
  GOAWAY: {
    type: 0x22,
    from: server,
    fields: [
      ['reason', 'varint'],
      ['delayMs', 'varint'],
      ['host', 'text255'],
    ],
  },
  HOME: {
    type: 0x24,
    from: server,
    fields: [
      ['homePort', 'varint'],
      ['delayMs', 'varint'],
    ],
  },
  ERROR: {
    type: 0x23,
    from: server,
    flags: [bit('retryable'), { name: 'refKind', shift: 1, bits: 2, max: 2 }],
    fields: [
      ['ref', 'varint'],
      ['code', 'varint'],
      ['retryAfterMs', 'varint'],
      ['detail', 'varint'],
      ['message', 'text256'],
    ],
  },
  REQ: {
    type: 0x30,
    from: client,
    fields: [
      ['id', 'varint'],
      ['method', 'text32'],
      ['body', 'msgpack'],
    ],
  },
  RES: {
    type: 0x31,
    from: server,
    fields: [
      ['id', 'varint'],
      ['body', 'msgpack'],
    ],
  },
};

export const fromHex = (hex: string): number[] => {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error(`not hexadecimal: ${hex}`);
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
};
export const toHex = (bytes: Iterable<number>): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

// ---- encoding ------------------------------------------------------------------------------------------

export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  do {
    bytes.push(Number(rest & 0x7fn));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes.map((byte, i) => (i < bytes.length - 1 ? byte + 0x80 : byte));
}

const prefixed = (bytes: number[]): number[] => [...varint(bytes.length), ...bytes];
const utf8 = (text: string): number[] => [...Buffer.from(text, 'utf8')];

function encodeField(kind: Kind, value: unknown): number[] {
  if (kind.startsWith('text') || kind === 'pin') return prefixed(utf8(value as string));
  switch (kind) {
    case 'varint':
    case 'counter':
      return varint(value as number);
    case 'u8':
      return [value as number];
    case 'bool8':
      return [value === true ? 1 : 0];
    case 'u64':
    case 'key32':
      return fromHex(value as string);
    case 'key':
    case 'bytes':
    case 'msgpack':
      return prefixed(fromHex(value as string));
    case 'user':
      return varint(BigInt(value as number) * 4n);
    case 'recipient': {
      if (typeof value === 'number') return varint(BigInt(value) * 4n);
      const { id, kind: to, device } = value as { id: number; kind: number; device?: number };
      return [...varint(BigInt(id) * 4n + BigInt(to)), ...(to === 1 ? varint(device!) : [])];
    }
    case 'ranges': {
      const ranges = value as readonly (readonly [number, number])[];
      const bytes = varint(ranges.length);
      let previous = 0;
      for (const [first, last] of ranges) {
        bytes.push(...varint(first - previous), ...varint(last - first));
        previous = last;
      }
      return bytes;
    }
    default: {
      const items = value as readonly Frame[];
      return [...varint(items.length), ...items.flatMap((item) => encode(item.frame, item.fields))];
    }
  }
}

/** The frame in pieces, for the document's worked examples. */
export function pieces(name: string, fields: Fields): Piece[] {
  const layout = LAYOUTS[name];
  if (layout === undefined) throw new Error(`no frame ${name}`);
  let flags = 0;
  const shown: string[] = [];
  for (const flag of layout.flags ?? []) {
    const value = Number(fields[flag.name]);
    flags |= value << flag.shift;
    shown.push(`${flag.name} ${fields[flag.name]}`);
  }
  const parts: Piece[] = [
    { bytes: [layout.type], name: 'type', value: name },
    { bytes: [flags], name: 'flags', value: shown.join(', ') },
  ];
  for (const [field, kind] of layout.fields) {
    if (fields[field] === undefined && fields['duplicate'] === true) continue;
    parts.push({
      bytes: encodeField(kind, fields[field]),
      name: field,
      value: JSON.stringify(fields[field]),
    });
  }
  const length = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  return [{ bytes: varint(length), name: 'length', value: String(length) }, ...parts];
}

export function encode(name: string, fields: Fields): number[] {
  return pieces(name, fields).flatMap((piece) => piece.bytes);
}

// ---- decoding ------------------------------------------------------------------------------------------

interface Input {
  readonly bytes: ArrayLike<number>;
  at: number;
  readonly end: number;
}

function take(input: Input, length: number): number[] {
  if (length > input.end - input.at) throw new Malformed('cut off');
  const taken: number[] = [];
  for (let i = 0; i < length; i++) taken.push(input.bytes[input.at + i]!);
  input.at += length;
  return taken;
}

function takeVarint(input: Input): number {
  let value = 0n;
  for (let i = 0n; i < 8n; i++) {
    const byte = take(input, 1)[0]!;
    value |= BigInt(byte & 0x7f) << (7n * i);
    if (byte >= 0x80) continue;
    if (byte === 0 && i > 0n) throw new Malformed('not minimal');
    if (value > MAX) throw new Malformed('too large');
    return Number(value);
  }
  throw new Malformed('too long');
}

function takeText(input: Input, bytesMax: number): string {
  const bytes = take(input, takeVarint(input));
  if (bytes.length > bytesMax) throw new Malformed('too long');
  const text = Buffer.from(bytes).toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(Buffer.from(bytes))) throw new Malformed('not UTF-8');
  return text;
}

function decodeField(kind: Kind, input: Input): unknown {
  if (kind.startsWith('text')) return takeText(input, Number(kind.slice(4)));
  switch (kind) {
    case 'varint':
      return takeVarint(input);
    case 'counter': {
      const value = takeVarint(input);
      if (value === 0) throw new Malformed('zero');
      return value;
    }
    case 'u8':
      return take(input, 1)[0]!;
    case 'bool8': {
      const value = take(input, 1)[0]!;
      if (value > 1) throw new Malformed('neither 0 nor 1');
      return value === 1;
    }
    case 'u64':
      return toHex(take(input, 8));
    case 'key32':
      return toHex(take(input, 32));
    case 'key': {
      const bytes = take(input, takeVarint(input));
      if (bytes.length !== 0 && bytes.length !== 32) throw new Malformed('a key has 32 bytes');
      return toHex(bytes);
    }
    case 'bytes':
    case 'msgpack':
      return toHex(take(input, takeVarint(input)));
    case 'pin': {
      const pin = takeText(input, 6);
      if (!/^[0-9]{5,6}$/.test(pin)) throw new Malformed('no PIN');
      return pin;
    }
    case 'user': {
      const value = takeVarint(input);
      if (value % 4 !== 0) throw new Malformed('no user');
      return value / 4;
    }
    case 'recipient': {
      const value = takeVarint(input);
      const to = value % 4;
      const id = Math.floor(value / 4);
      if (to === 0) return id;
      return to === 1 ? { id, kind: to, device: takeVarint(input) } : { id, kind: to };
    }
    case 'ranges': {
      const count = takeVarint(input);
      if (count < 1 || count > 64) throw new Malformed('bad count');
      const ranges: [number, number][] = [];
      let previous = 0n;
      for (let i = 0; i < count; i++) {
        const gap = BigInt(takeVarint(input));
        const last = previous + gap + BigInt(takeVarint(input));
        if (gap < 1n || last > MAX) throw new Malformed('bad range');
        ranges.push([Number(previous + gap), Number(last)]);
        previous = last;
      }
      return ranges;
    }
    default: {
      const count = takeVarint(input);
      const items: Frame[] = [];
      for (let i = 0; i < count; i++) {
        if (input.at >= input.end) throw new Malformed('items are missing');
        const item = takeFrame(input, 'server');
        if (item === null) continue;
        if (item.frame !== 'DELIVER' && item.frame !== 'RECEIPT') throw new Malformed('no item');
        items.push(item);
      }
      return items;
    }
  }
}

/** Null: a frame that is unknown and may be skipped. */
function takeFrame(input: Input, from: Direction): Frame | null {
  const length = takeVarint(input);
  if (length < 2) throw new Malformed('too short');
  if (length > input.end - input.at) throw new Malformed('cut off');
  const frame: Input = { bytes: input.bytes, at: input.at, end: input.at + length };
  input.at += length;
  const type = take(frame, 1)[0]!;
  const flags = take(frame, 1)[0]!;
  const found = Object.entries(LAYOUTS).find(
    ([, layout]) => layout.type === type && layout.from.includes(from),
  );
  if (found === undefined) {
    if (Object.values(LAYOUTS).some((layout) => layout.type === type)) throw new Malformed('wrong direction');
    if (flags >= 0x80) throw new Malformed('critical');
    return null;
  }
  const [name, layout] = found;
  const fields: Fields = {};
  let rest = flags & 0x7f;
  for (const flag of layout.flags ?? []) {
    const value = (flags >> flag.shift) & ((1 << flag.bits) - 1);
    rest &= ~(((1 << flag.bits) - 1) << flag.shift);
    if (value > flag.max || (flag.must !== undefined && value !== flag.must)) throw new Malformed('bad flag');
    fields[flag.name] = flag.bits === 1 ? value === 1 : value;
  }
  if (rest !== 0) throw new Malformed('unknown flag');
  for (const [field, kind] of layout.fields) {
    if (fields['duplicate'] === true && field !== 'messageId') continue;
    fields[field] = decodeField(kind, frame);
    if (field === 'versionMax' && (fields['versionMin'] as number) > (fields[field] as number)) {
      throw new Malformed('versions swapped');
    }
  }
  return { frame: name, fields };
}

/** All frames of a message; skips what is unknown. Throws {@link Malformed}. */
export function decode(bytes: ArrayLike<number>, from: Direction): Frame[] {
  const input: Input = { bytes, at: 0, end: bytes.length };
  const frames: Frame[] = [];
  while (input.at < input.end) {
    const frame = takeFrame(input, from);
    if (frame !== null) frames.push(frame);
  }
  return frames;
}
