/** The codec under test, spoken to in the values of docs/wire-protocol.vectors.json: see second-codec.ts. */
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
const pairs = (list: readonly number[]): [number, number][] => {
  const result: [number, number][] = [];
  for (let i = 0; i < list.length; i += 2) result.push([list[i]!, list[i + 1]!]);
  return result;
};

/**
 * Writes the frame with its encoder. The encoders of user addresses take users only; a SEND_ACK's seq is known
 * modulo 65536.
 */
export function encodeInto(writer: FrameWriter, frame: string, f: Fields): void {
  // The vectors' names are the codec's own, so most field sets are the encoder's argument as they stand.
  const n = (name: string): number => f[name] as number;
  switch (frame) {
    case 'HELLO':
      return protocol.encodeHello(writer, { ...f, key: bytesOf(f['key']) } as unknown as protocol.Hello);
    case 'WELCOME':
      return protocol.encodeWelcome(writer, f as unknown as protocol.Welcome);
    case 'REGISTER':
      return protocol.encodeRegister(writer, f as unknown as protocol.Register);
    case 'VERIFY':
      return protocol.encodeVerify(writer, f as unknown as protocol.Verify);
    case 'REGISTERED':
      return protocol.encodeRegistered(writer, {
        ...f,
        key: bytesOf(f['key']),
      } as unknown as protocol.Registered);
    case 'CHALLENGE':
      return protocol.encodeChallenge(writer, f as unknown as protocol.Challenge);
    case 'SEND':
      return protocol.encodeSend(writer, n('messageId'), n('to'), bytesOf(f['body']));
    case 'SEND_ACK':
      if (f['duplicate'] === true) return protocol.encodeDuplicateSendAck(writer, n('messageId'));
      return protocol.encodeSendAck(
        writer,
        n('messageId'),
        n('time'),
        partitionOf(f),
        halves(f['storedId']).low & 0xffff,
      );
    case 'DELIVER': {
      const body = bytesOf(f['body']);
      return protocol.encodeDeliver(
        writer,
        n('seq'),
        n('time'),
        partitionOf(f),
        n('from'),
        n('messageId'),
        body,
        0,
        body.length,
      );
    }
    case 'ACK':
      return protocol.encodeAck(writer, n('seq'));
    case 'READ_RECEIPT':
      return protocol.encodeReadReceipt(writer, n('messageId'), n('to'), flat(f['ranges']));
    case 'RECEIPT': {
      const ranges = protocol.encodeRanges(flat(f['ranges']));
      return protocol.encodeReceipt(
        writer,
        n('seq'),
        n('time'),
        n('from'),
        f['read'] as boolean,
        ranges,
        0,
        ranges.length,
      );
    }
    case 'MORE':
      return protocol.encodeMore(writer, n('head'), n('count'), n('bytes'));
    case 'PULL':
      return protocol.encodePull(writer, n('seq'), n('countMax'), n('bytesMax'));
    case 'BATCH':
      return encodeBatch(writer, f['items'] as readonly Frame[], f['hasMore'] as boolean);
    case 'EPHEMERAL':
      return protocol.encodeEphemeral(
        writer,
        n('kind') as protocol.EphemeralKind,
        n('peer'),
        n('value'),
        n('time'),
      );
    case 'CLIENT_STATE':
      return protocol.encodeClientState(writer, f['active'] as boolean);
    case 'PING':
      return protocol.encodePing(writer, n('token'));
    case 'PONG':
      return protocol.encodePong(writer, n('token'));
    case 'GOAWAY':
      return protocol.encodeGoAway(writer, f as unknown as protocol.GoAway);
    case 'ERROR':
      return protocol.encodeError(writer, f as unknown as protocol.ErrorFrame);
    case 'REQ':
      return protocol.encodeRequest(writer, n('id'), f['method'] as string, structured(f['body']));
    case 'RES':
      return protocol.encodeResponse(writer, n('id'), structured(f['body']));
    default:
      throw new Error(`no encoder for ${frame}`);
  }
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
  const ranges = pairs(protocol.decodeRanges(source, rangesStart, rangesEnd));
  return { frame: 'READ_RECEIPT', fields: { read: true, messageId, to: recipient(decoded), ranges } };
}

function receipt(reader: FrameReader): Frame {
  const decoded = new protocol.Receipt();
  protocol.decodeReceipt(reader, decoded);
  const { read, seq, time, from, source, rangesStart, rangesEnd } = decoded;
  const ranges = pairs(protocol.decodeRanges(source, rangesStart, rangesEnd));
  return { frame: 'RECEIPT', fields: { read, seq, time, from, ranges } };
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
