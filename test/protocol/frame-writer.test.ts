import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Batch,
  BatchBuilder,
  BatchReader,
  Deliver,
  decodeBatch,
  decodeDeliver,
  deliverBytesMax,
  ErrorCode,
  ErrorRef,
  encodeAck,
  encodeDeliver,
  encodeError,
  encodeHello,
  encodePing,
  encodeRanges,
  encodeReceipt,
  encodeSend,
  FRAME_HEADER_BYTES_MAX,
  FrameReader,
  FrameType,
  FrameWriter,
  ProtocolError,
  receiptBytesMax,
  WRITER_FULL,
} from '../../src/protocol/index.js';

const HELLO = {
  versionMin: 1,
  versionMax: 1,
  capabilities: 0,
  user: 0,
  device: 0,
  key: new Uint8Array(0),
  epoch: 0,
  seq: 0,
  agent: '',
};

const types = (bytes: Uint8Array): number[] => {
  const reader = new FrameReader().reset(bytes);
  const found: number[] = [];
  while (reader.next()) found.push(reader.type);
  return found;
};

describe('FrameWriter', () => {
  it('refuses a frame that does not fit before it writes a byte of it', () => {
    const writer = new FrameWriter(100);
    encodePing(writer, 1);
    const before = writer.copy();
    assert.throws(
      () => encodeSend(writer, 1, 491701234567, new Uint8Array(90)),
      (error) => error === WRITER_FULL,
    );
    assert.deepEqual(writer.copy(), before);
    assert.equal(writer.bytes.length <= 100, true);
    encodeAck(writer, 5);
    assert.deepEqual(types(writer.view()), [FrameType.ping, FrameType.ack]);
  });

  it('never grows beyond its limit, and by doubling below it', () => {
    const writer = new FrameWriter(1000, 16);
    const sizes = new Set<number>();
    try {
      for (;;) {
        encodePing(writer, 1);
        sizes.add(writer.bytes.length);
      }
    } catch (error) {
      assert.equal(error, WRITER_FULL);
    }
    assert.ok(writer.length > 980, String(writer.length));
    assert.equal(Math.max(...sizes), 1000);
    assert.ok(sizes.size < 10);
  });

  it('keeps its memory over a reset', () => {
    const writer = new FrameWriter(1 << 16, 16);
    encodeSend(writer, 1, 491701234567, new Uint8Array(5000));
    const { bytes } = writer;
    writer.reset();
    assert.equal(writer.length, 0);
    encodeSend(writer, 1, 491701234567, new Uint8Array(5000));
    assert.equal(writer.bytes, bytes);
  });

  it('takes a frame back whose arguments are wrong: the caller is told, the frames before stay whole', () => {
    const wrong: ((writer: FrameWriter) => void)[] = [
      (writer) => encodeAck(writer, -1),
      (writer) => encodeAck(writer, 1.5),
      (writer) => encodeAck(writer, Number.NaN),
      (writer) => encodeAck(writer, 2 ** 53),
      (writer) => encodeAck(writer, Number.POSITIVE_INFINITY),
      (writer) => encodeSend(writer, 1, 2 ** 51, new Uint8Array(1)),
      (writer) => encodeHello(writer, { ...HELLO, agent: 'a'.repeat(65) }),
      (writer) => encodeHello(writer, { ...HELLO, agent: 'é'.repeat(33) }),
      (writer) => encodeHello(writer, { ...HELLO, key: new Uint8Array(31) }),
    ];
    for (const encode of wrong) {
      const writer = new FrameWriter(1000);
      encodePing(writer, 7);
      const before = writer.copy();
      assert.throws(() => encode(writer), RangeError);
      assert.deepEqual(writer.copy(), before);
    }
  });

  it('clips the text of an error between characters', () => {
    const frame = {
      refKind: ErrorRef.connection,
      ref: 0,
      code: 1,
      retryable: false,
      retryAfterMs: 0,
      detail: 0,
    };
    for (const message of ['é'.repeat(300), '😀'.repeat(100), 'a'.repeat(300), `a${'😀'.repeat(100)}`]) {
      const writer = new FrameWriter(1000);
      encodeError(writer, { ...frame, message });
      const reader = new FrameReader().reset(writer.view());
      assert.ok(reader.next());
      const text = decodeErrorText(reader);
      assert.ok(message.startsWith(text));
      const bytes = new TextEncoder().encode(text).length;
      assert.ok(bytes <= 256 && bytes > 252, `${bytes}`);
    }
  });

  it('says how much a frame takes at most', () => {
    const max = Number.MAX_SAFE_INTEGER;
    const body = new Uint8Array(300);
    const writer = new FrameWriter(10_000);
    encodeDeliver(writer, max, 2 ** 42 - 1, 63, 2 ** 51 - 1, max, body, 0, body.length);
    assert.ok(writer.length <= deliverBytesMax(body.length));
    writer.reset();
    encodeReceipt(writer, max, max, 2 ** 51 - 1, true, body, 0, body.length);
    assert.ok(writer.length <= receiptBytesMax(body.length));
    const exact = new FrameWriter(deliverBytesMax(body.length));
    encodeDeliver(exact, max, 2 ** 42 - 1, 63, 2 ** 51 - 1, max, body, 0, body.length);
    assert.ok(FRAME_HEADER_BYTES_MAX >= 10);
  });
});

function decodeErrorText(reader: FrameReader): string {
  for (let i = 0; i < 4; i++) reader.varint();
  return reader.text(256);
}

describe('BatchBuilder', () => {
  const body = new Uint8Array(100).fill(1);

  const fill = (writer: FrameWriter, bytesMax: number, bodyBytes: number): number => {
    const builder = new BatchBuilder();
    builder.begin(writer, bytesMax);
    const source = new Uint8Array(bodyBytes).fill(7);
    let seq = 1;
    while (builder.deliver(seq, 1_750_000_000_000, 3, 491701234567, seq, source, 0, bodyBytes)) seq++;
    assert.equal(builder.count, seq - 1);
    builder.end(true);
    return seq - 1;
  };

  it('fills a bound of bytes and never passes it, for bodies and bounds of all sizes', () => {
    for (const bytesMax of [64, 127, 128, 200, 1000, 16_383, 16_384, 20_000, 262_144]) {
      for (const bodyBytes of [0, 1, 60, 64, 65, 130, 5000]) {
        const writer = new FrameWriter(300_000);
        encodePing(writer, 1);
        const start = writer.length;
        const count = fill(writer, bytesMax, bodyBytes);
        assert.ok(writer.length - start <= bytesMax, `${bytesMax} ${bodyBytes}`);
        // What is left over is less than an item and the estimate's slack.
        const left = bytesMax - (writer.length - start);
        assert.ok(left < deliverBytesMax(bodyBytes) + 24, `${bytesMax} ${bodyBytes}: ${left} left`);
        const reader = new FrameReader().reset(writer.view());
        assert.ok(reader.next() && reader.next());
        const batch = new Batch();
        decodeBatch(reader, batch);
        assert.equal(batch.count, count);
        const items = new BatchReader().open(batch);
        const deliver = new Deliver();
        let seen = 0;
        while (items.next()) {
          decodeDeliver(items, deliver);
          assert.equal(deliver.seq, ++seen);
          assert.equal(deliver.bodyEnd - deliver.bodyStart, bodyBytes);
        }
        assert.equal(seen, count);
        assert.equal(reader.next(), false);
      }
    }
  });

  it('refuses to begin where its bound does not fit', () => {
    const builder = new BatchBuilder();
    const writer = new FrameWriter(100);
    assert.throws(() => builder.begin(writer, 101), ProtocolError);
    assert.equal(writer.length, 0);
    assert.throws(() => builder.end(false), /no batch/);
    assert.throws(() => builder.deliver(1, 1, 1, 1, 1, body, 0, 1), /no batch/);
  });

  it('holds receipts among messages', () => {
    const builder = new BatchBuilder();
    const writer = new FrameWriter(10_000);
    const ranges = encodeRanges([1, 5, 9, 9]);
    builder.begin(writer, 5000);
    assert.ok(builder.receipt(1, 2, 491701234567, true, ranges, 0, ranges.length));
    assert.ok(builder.deliver(2, 3, 4, 491701234567, 5, body, 10, 20));
    builder.end(false);
    const reader = new FrameReader().reset(writer.view());
    assert.ok(reader.next());
    const batch = new Batch();
    decodeBatch(reader, batch);
    assert.equal(batch.hasMore, false);
    const items = new BatchReader().open(batch);
    const found: number[] = [];
    while (items.next()) found.push(items.type);
    assert.deepEqual(found, [FrameType.receipt, FrameType.deliver]);
  });
});

describe('FrameReader', () => {
  it('gives up the rest of a message after an error', () => {
    const reader = new FrameReader().reset(Uint8Array.of(1, 0x13, 4, 0x20, 0, 1, 1));
    assert.throws(() => reader.next(), ProtocolError);
    assert.equal(reader.next(), false);
  });

  it('reads a range of a larger buffer and nothing beside it', () => {
    const writer = new FrameWriter(100);
    encodeAck(writer, 5);
    const buffer = new Uint8Array(20).fill(0xff);
    buffer.set(writer.view(), 7);
    const reader = new FrameReader().reset(buffer, 7, 7 + writer.length);
    assert.ok(reader.next());
    assert.equal(reader.varint(), 5);
    assert.throws(() => reader.u8(), ProtocolError);
    assert.equal(reader.next(), false);
  });

  it('copies what it hands out: a Node buffer that is filled again changes nothing', () => {
    const writer = new FrameWriter(1000);
    encodeHello(writer, { ...HELLO, key: new Uint8Array(32).fill(5) });
    const bytes = Buffer.from(writer.view());
    const reader = new FrameReader().reset(bytes);
    reader.next();
    for (let i = 0; i < 5; i++) reader.varint();
    reader.blob();
    const key = reader.copyBlob();
    bytes.fill(0);
    assert.deepEqual(key, new Uint8Array(32).fill(5));
  });

  it('throws errors that cost no stack and cannot be changed', () => {
    const reader = new FrameReader().reset(Uint8Array.of(5));
    const caught: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      try {
        reader.reset(Uint8Array.of(5)).next();
      } catch (error) {
        caught.push(error);
      }
    }
    assert.equal(caught.length, 2);
    assert.equal(caught[0], caught[1]);
    assert.ok(Object.isFrozen(caught[0]));
    assert.equal((caught[0] as ProtocolError).code, ErrorCode.malformed);
  });
});
