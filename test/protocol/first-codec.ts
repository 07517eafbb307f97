/** The codec under test, spoken to in the values of docs/wire-protocol.vectors.json: see second-codec.ts. */
import assert from 'node:assert/strict';
import * as protocol from '../../src/protocol/index.js';
import { type FrameReader, FrameType, FrameWriter } from '../../src/protocol/index.js';
import { type Direction, type Fields, type Frame, fromHex, toHex } from './second-codec.js';

const bytesOf = (hex: unknown): Uint8Array => Uint8Array.from(fromHex(hex as string));
const hexOf = (source: Uint8Array, start = 0, end = source.length): string =>
  toHex(source.subarray(start, end));
const halves = (hex: unknown): { high: number; low: number } => protocol.parseMessageId(hex as string)!;

/** A stored id comes from (time, partition, seq): the values that make it again. */
const partitionOf = (fields: Fields): number => protocol.messageIdPartition(halves(fields['storedId']).low);

const flat = (pairs: unknown): number[] => (pairs as [number, number][]).flat();

type Encoder = (writer: FrameWriter, f: Fields, n: (name: string) => number) => void;

/**
 * The encoders. The vectors' names are the codec's own, so most field sets are an encoder's argument as they
 * stand. A SEND_ACK's seq is known modulo 65536, which is what its id is made of.
 */
const encoders: Readonly<Record<string, Encoder>> = {
  HELLO: (writer, f) =>
    protocol.encodeHello(writer, { ...f, key: bytesOf(f['key']) } as unknown as protocol.Hello),
  WELCOME: (writer, f) => protocol.encodeWelcome(writer, f as unknown as protocol.Welcome),
  REGISTER: (writer, f) => protocol.encodeRegister(writer, f as unknown as protocol.Register),
  VERIFY: (writer, f) => protocol.encodeVerify(writer, f as unknown as protocol.Verify),
  REGISTERED: (writer, f) =>
    protocol.encodeRegistered(writer, { ...f, key: bytesOf(f['key']) } as unknown as protocol.Registered),
  CHALLENGE: (writer, f) => protocol.encodeChallenge(writer, f as unknown as protocol.Challenge),
  SEND: (writer, f, n) => protocol.encodeSend(writer, n('messageId'), n('to'), bytesOf(f['body'])),
  SEND_ACK: (writer, f, n) => {
    if (f['duplicate'] === true) protocol.encodeDuplicateSendAck(writer, n('messageId'));
    else {
      const seq = halves(f['storedId']).low & 0xffff;
      protocol.encodeSendAck(writer, n('messageId'), n('time'), partitionOf(f), seq);
    }
  },
  DELIVER: (writer, f, n) => {
    const body = bytesOf(f['body']);
    const [seq, time, from, id] = [n('seq'), n('time'), n('from'), n('messageId')];
    protocol.encodeDeliver(writer, seq, time, partitionOf(f), from, id, body, 0, body.length);
  },
  ACK: (writer, _f, n) => protocol.encodeAck(writer, n('seq')),
  READ_RECEIPT: (writer, f, n) =>
    protocol.encodeReadReceipt(writer, n('messageId'), n('to'), flat(f['ranges'])),
  RECEIPT: (writer, f, n) => {
    const ranges = protocol.encodeRanges(flat(f['ranges']));
    const read = f['read'] as boolean;
    protocol.encodeReceipt(writer, n('seq'), n('time'), n('from'), read, ranges, 0, ranges.length);
  },
  MORE: (writer, _f, n) => protocol.encodeMore(writer, n('head'), n('count'), n('bytes')),
  PULL: (writer, _f, n) => protocol.encodePull(writer, n('seq'), n('countMax'), n('bytesMax')),
  BATCH: (writer, f) => encodeBatch(writer, f['items'] as readonly Frame[], f['hasMore'] as boolean),
  EPHEMERAL: (writer, _f, n) => {
    const kind = n('kind') as protocol.EphemeralKind;
    protocol.encodeEphemeral(writer, kind, n('peer'), n('value'), n('time'));
  },
  CLIENT_STATE: (writer, f) => protocol.encodeClientState(writer, f['active'] as boolean),
  PING: (writer, _f, n) => protocol.encodePing(writer, n('token')),
  PONG: (writer, _f, n) => protocol.encodePong(writer, n('token')),
  HOME: (writer, f) => protocol.encodeHome(writer, f as unknown as protocol.Home),
  GOAWAY: (writer, f) => protocol.encodeGoAway(writer, f as unknown as protocol.GoAway),
  ERROR: (writer, f) => protocol.encodeError(writer, f as unknown as protocol.ErrorFrame),
  REQ: (writer, f, n) =>
    protocol.encodeRequest(writer, n('id'), f['method'] as string, structured(f['body'])),
  RES: (writer, f, n) => protocol.encodeResponse(writer, n('id'), structured(f['body'])),
};

/** Writes the frame with its encoder. The encoders take users only as recipients. */
export function encodeInto(writer: FrameWriter, frame: string, fields: Fields): void {
  encoders[frame]!(writer, fields, (name) => fields[name] as number);
}

function encodeBatch(writer: FrameWriter, items: readonly Frame[], hasMore: boolean): void {
  const builder = new protocol.BatchBuilder();
  builder.begin(writer, protocol.BATCH_BYTES_MAX);
  for (const { frame, fields: f } of items) {
    const n = (name: string): number => f[name] as number;
    const bytes = frame === 'DELIVER' ? bytesOf(f['body']) : protocol.encodeRanges(flat(f['ranges']));
    const added =
      frame === 'DELIVER'
        ? builder.deliver(
            n('seq'),
            n('time'),
            partitionOf(f),
            n('from'),
            n('messageId'),
            bytes,
            0,
            bytes.length,
          )
        : builder.receipt(n('seq'), n('time'), n('from'), f['read'] as boolean, bytes, 0, bytes.length);
    if (!added) throw new Error('the batch is full');
  }
  builder.end(hasMore);
}

const structured = (hex: unknown): protocol.StructuredMap => {
  const bytes = bytesOf(hex);
  return protocol.decodeStructured(bytes, 0, bytes.length, protocol.RESPONSE_LIMITS);
};

export function encode(frame: string, fields: Fields): Uint8Array {
  const writer = new FrameWriter(1 << 20);
  encodeInto(writer, frame, fields);
  return writer.copy();
}

/** Decodes the frame that the reader stands on. Null: unknown, to be skipped. */
function decodeFrame(reader: FrameReader, from: Direction): Frame | null {
  const known = from === 'client' ? protocol.clientMaySend(reader.type) : protocol.serverMaySend(reader.type);
  if (!known) {
    if (protocol.isKnownFrame(reader.type)) throw protocol.BAD_FIELD;
    if (reader.isCritical) throw new protocol.ProtocolError(protocol.ErrorCode.unsupportedFrame, 'critical');
    return null;
  }
  switch (reader.type) {
    case FrameType.hello: {
      const hello = protocol.decodeHello(reader);
      return { frame: 'HELLO', fields: { ...hello, key: hexOf(hello.key) } };
    }
    case FrameType.welcome:
      return { frame: 'WELCOME', fields: { ...protocol.decodeWelcome(reader) } };
    case FrameType.register:
      return { frame: 'REGISTER', fields: { ...protocol.decodeRegister(reader) } };
    case FrameType.verify:
      return { frame: 'VERIFY', fields: { ...protocol.decodeVerify(reader) } };
    case FrameType.registered: {
      const registered = protocol.decodeRegistered(reader);
      return { frame: 'REGISTERED', fields: { ...registered, key: hexOf(registered.key) } };
    }
    case FrameType.challenge:
      return { frame: 'CHALLENGE', fields: { ...protocol.decodeChallenge(reader) } };
    case FrameType.send: {
      const send = new protocol.Send();
      protocol.decodeSend(reader, send);
      return {
        frame: 'SEND',
        fields: {
          messageId: send.messageId,
          to: recipient(send),
          body: hexOf(send.source, send.bodyStart, send.bodyEnd),
        },
      };
    }
    case FrameType.sendAck: {
      const ack = new protocol.SendAck();
      protocol.decodeSendAck(reader, ack);
      const { duplicate, messageId } = ack;
      if (duplicate) return { frame: 'SEND_ACK', fields: { duplicate, messageId } };
      const storedId = protocol.formatMessageId(ack.storedHigh, ack.storedLow);
      return { frame: 'SEND_ACK', fields: { duplicate, messageId, storedId, time: ack.time } };
    }
    case FrameType.deliver: {
      const deliver = new protocol.Deliver();
      protocol.decodeDeliver(reader, deliver);
      return {
        frame: 'DELIVER',
        fields: {
          seq: deliver.seq,
          storedId: protocol.formatMessageId(deliver.storedHigh, deliver.storedLow),
          time: deliver.time,
          from: deliver.from,
          messageId: deliver.messageId,
          body: hexOf(protocol.copyBody(deliver)),
        },
      };
    }
    case FrameType.ack:
      return { frame: 'ACK', fields: { seq: protocol.decodeAck(reader) } };
    case FrameType.receipt:
      return from === 'client' ? readReceipt(reader) : receipt(reader);
    case FrameType.more:
      return { frame: 'MORE', fields: { ...protocol.decodeMore(reader) } };
    case FrameType.pull: {
      const pull = new protocol.Pull();
      protocol.decodePull(reader, pull);
      return { frame: 'PULL', fields: { ...pull } };
    }
    case FrameType.batch: {
      const batch = new protocol.Batch();
      protocol.decodeBatch(reader, batch);
      const items: Frame[] = [];
      const walk = new protocol.BatchReader().open(batch);
      while (walk.next()) {
        const item = decodeFrame(walk, 'server');
        if (item !== null) items.push(item);
      }
      return { frame: 'BATCH', fields: { hasMore: batch.hasMore, items } };
    }
    case FrameType.ephemeral: {
      const ephemeral = new protocol.Ephemeral();
      protocol.decodeEphemeral(reader, ephemeral);
      return { frame: 'EPHEMERAL', fields: { ...ephemeral } };
    }
    case FrameType.clientState:
      return { frame: 'CLIENT_STATE', fields: { active: protocol.decodeClientState(reader) } };
    case FrameType.ping:
      return { frame: 'PING', fields: { token: protocol.decodePing(reader) } };
    case FrameType.pong:
      return { frame: 'PONG', fields: { token: protocol.decodePong(reader) } };
    case FrameType.goAway:
      return { frame: 'GOAWAY', fields: { ...protocol.decodeGoAway(reader) } };
    case FrameType.home:
      return { frame: 'HOME', fields: { ...protocol.decodeHome(reader) } };
    case FrameType.error:
      return { frame: 'ERROR', fields: { ...protocol.decodeError(reader) } };
    case FrameType.request: {
      const { id, method, source, bodyStart, bodyEnd } = protocol.decodeRequest(reader);
      return { frame: 'REQ', fields: { id, method, body: hexOf(source, bodyStart, bodyEnd) } };
    }
    case FrameType.response: {
      const { id } = protocol.decodeResponse(reader);
      return { frame: 'RES', fields: { id, body: hexOf(reader.bytes, reader.blobStart, reader.blobEnd) } };
    }
    default:
      throw new Error(`no decoder for ${protocol.frameName(reader.type)}`);
  }
}

function readReceipt(reader: FrameReader): Frame {
  const decoded = new protocol.ReadReceipt();
  protocol.decodeReadReceipt(reader, decoded);
  const { messageId, source, rangesStart, rangesEnd } = decoded;
  const ranges = exactRanges(source, rangesStart, rangesEnd);
  return { frame: 'READ_RECEIPT', fields: { read: true, messageId, to: recipient(decoded), ranges } };
}

function receipt(reader: FrameReader): Frame {
  const decoded = new protocol.Receipt();
  protocol.decodeReceipt(reader, decoded);
  const { read, seq, time, from, source, rangesStart, rangesEnd } = decoded;
  const ranges = exactRanges(source, rangesStart, rangesEnd);
  return { frame: 'RECEIPT', fields: { read, seq, time, from, ranges } };
}

/** The bytes of a receipt's ranges are what is stored: not a byte more or less. */
function exactRanges(source: Uint8Array, start: number, end: number): [number, number][] {
  const cursor = new protocol.RangeCursor().reset(source, start, end);
  const ranges: [number, number][] = [];
  while (cursor.next()) ranges.push([cursor.first, cursor.last]);
  assert.equal(cursor.position, end);
  assert.deepEqual(protocol.decodeRanges(source, start, end), ranges.flat());
  return ranges;
}

function recipient({ to, toKind, toDevice }: protocol.Recipient): unknown {
  if (toKind === protocol.AddressKind.user) return to;
  if (toKind === protocol.AddressKind.device) return { id: to, kind: toKind, device: toDevice };
  return { id: to, kind: toKind };
}

/** All frames of a message, as a receiver walks through it. */
export function decode(bytes: Uint8Array, from: Direction): Frame[] {
  const reader = new protocol.FrameReader().reset(bytes);
  const frames: Frame[] = [];
  while (reader.next()) {
    const frame = decodeFrame(reader, from);
    if (frame !== null) frames.push(frame);
  }
  return frames;
}
