import {
  Batch,
  BatchReader,
  type Challenge,
  copyBody,
  Deliver,
  decodeBatch,
  decodeChallenge,
  decodeDeliver,
  decodeEphemeral,
  decodeError,
  decodeGoAway,
  decodeHome,
  decodeMore,
  decodePing,
  decodePong,
  decodeRanges,
  decodeReceipt,
  decodeRegistered,
  decodeResponse,
  decodeSendAck,
  decodeWelcome,
  Ephemeral,
  type ErrorFrame,
  FrameReader,
  FrameType,
  frameName,
  type GoAway,
  type Home,
  type More,
  Receipt,
  type Registered,
  SendAck,
  type StructuredMap,
  type Welcome,
} from '../../src/protocol/index.js';

/** An entry of the inbox, as bytes of its own. */
export type EntryFrame =
  | {
      readonly type: 'deliver';
      readonly seq: number;
      readonly time: number;
      readonly from: number;
      readonly id: number;
      readonly body: Uint8Array;
    }
  | {
      readonly type: 'receipt';
      readonly seq: number;
      readonly time: number;
      readonly from: number;
      readonly read: boolean;
      /** first, last, first, last, … */
      readonly ranges: readonly number[];
    };

/** What a server sends, decoded and kept: for tests, which look at frames long after they came. */
export type ServerFrame =
  | EntryFrame
  | ({ readonly type: 'welcome' } & Welcome)
  | ({ readonly type: 'registered' } & Registered)
  | ({ readonly type: 'challenge' } & Challenge)
  | { readonly type: 'sendAck'; readonly id: number; readonly duplicate: boolean; readonly time: number }
  | ({ readonly type: 'more' } & More)
  | { readonly type: 'batch'; readonly hasMore: boolean; readonly items: readonly EntryFrame[] }
  | {
      readonly type: 'ephemeral';
      readonly kind: number;
      readonly peer: number;
      readonly value: number;
      readonly time: number;
    }
  | { readonly type: 'ping'; readonly token: number }
  | { readonly type: 'pong'; readonly token: number }
  | ({ readonly type: 'goAway' } & GoAway)
  | ({ readonly type: 'home' } & Home)
  | ({ readonly type: 'error' } & ErrorFrame)
  | { readonly type: 'response'; readonly id: number; readonly body: StructuredMap };

export type ServerFrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { readonly type: T }>;

/** All frames of one WebSocket message. Throws on anything that a server may not send. */
export function decodeServerMessage(message: Uint8Array): ServerFrame[] {
  const reader = new FrameReader().reset(message);
  const frames: ServerFrame[] = [];
  while (reader.next()) frames.push(decodeFrame(reader));
  return frames;
}

function decodeFrame(reader: FrameReader): ServerFrame {
  switch (reader.type) {
    case FrameType.welcome:
      return { type: 'welcome', ...decodeWelcome(reader) };
    case FrameType.registered:
      return { type: 'registered', ...decodeRegistered(reader) };
    case FrameType.challenge:
      return { type: 'challenge', ...decodeChallenge(reader) };
    case FrameType.sendAck: {
      const ack = new SendAck();
      decodeSendAck(reader, ack);
      return { type: 'sendAck', id: ack.messageId, duplicate: ack.duplicate, time: ack.time };
    }
    case FrameType.deliver:
    case FrameType.receipt:
      return decodeEntry(reader);
    case FrameType.more:
      return { type: 'more', ...decodeMore(reader) };
    case FrameType.batch: {
      const batch = new Batch();
      decodeBatch(reader, batch);
      const items: EntryFrame[] = [];
      const walk = new BatchReader().open(batch);
      while (walk.next()) items.push(decodeEntry(walk));
      return { type: 'batch', hasMore: batch.hasMore, items };
    }
    case FrameType.ephemeral: {
      const { kind, peer, value, time } = decodedEphemeral(reader);
      return { type: 'ephemeral', kind, peer, value, time };
    }
    case FrameType.ping:
      return { type: 'ping', token: decodePing(reader) };
    case FrameType.pong:
      return { type: 'pong', token: decodePong(reader) };
    case FrameType.goAway:
      return { type: 'goAway', ...decodeGoAway(reader) };
    case FrameType.home:
      return { type: 'home', ...decodeHome(reader) };
    case FrameType.error:
      return { type: 'error', ...decodeError(reader) };
    case FrameType.response:
      return { type: 'response', ...decodeResponse(reader) };
    default:
      throw new Error(`the server sent ${frameName(reader.type)}`);
  }
}

function decodeEntry(reader: FrameReader): EntryFrame {
  if (reader.type === FrameType.deliver) {
    const deliver = new Deliver();
    decodeDeliver(reader, deliver);
    const { seq, time, from, messageId } = deliver;
    return { type: 'deliver', seq, time, from, id: messageId, body: copyBody(deliver) };
  }
  const receipt = new Receipt();
  decodeReceipt(reader, receipt);
  const { seq, time, from, read } = receipt;
  const ranges = decodeRanges(receipt.source, receipt.rangesStart, receipt.rangesEnd);
  return { type: 'receipt', seq, time, from, read, ranges };
}

function decodedEphemeral(reader: FrameReader): Ephemeral {
  const ephemeral = new Ephemeral();
  decodeEphemeral(reader, ephemeral);
  return ephemeral;
}
