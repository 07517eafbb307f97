import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeRanges,
  ErrorCode,
  FieldReader,
  formatMessageId,
  isPhone,
  messageIdHigh,
  messageIdLow,
  messageIdPartition,
  messageIdTime,
  PROTOCOL_VERSION,
  ProtocolError,
  SUBPROTOCOL,
  varintBytes,
  writeVarint,
} from '../../src/protocol/index.js';
import * as first from './first-codec.js';
import * as second from './second-codec.js';
import { frameVector, vectors } from './vectors.js';

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(second.fromHex(hex));

describe('the test vectors', () => {
  it('are of this version', () => {
    assert.equal(vectors.subprotocol, SUBPROTOCOL);
    assert.equal(vectors.version, PROTOCOL_VERSION);
  });

  it('hold every frame in every direction that it can go', () => {
    for (const [name, layout] of Object.entries(second.LAYOUTS)) {
      const seen = vectors.frames.filter((vector) => vector.frame === name);
      assert.ok(seen.length > 0, `${name} has no vector`);
      for (const vector of seen) assert.ok(layout.from.includes(vector.direction), vector.name);
    }
  });

  for (const vector of vectors.frames) {
    const bytes = bytesOf(vector.hex);
    it(`${vector.name} decodes`, () => {
      const expected = [{ frame: vector.frame, fields: vector.fields }];
      assert.deepEqual(second.decode(bytes, vector.direction), expected, 'the second codec');
      assert.deepEqual(first.decode(bytes, vector.direction), expected);
    });
    it(`${vector.name} encodes`, () => {
      assert.equal(second.toHex(second.encode(vector.frame, vector.fields)), vector.hex, 'the second codec');
      // Version 1 sends to users only: the other addresses can be read, to be refused.
      if (typeof vector.fields['to'] === 'object') return;
      assert.equal(second.toHex(first.encode(vector.frame, vector.fields)), vector.hex);
    });
  }

  for (const message of vectors.messages) {
    it(`message ${message.name}`, () => {
      const bytes = bytesOf(message.hex);
      const expected =
        message.expect ?? message.frames!.map(frameVector).map(({ frame, fields }) => ({ frame, fields }));
      assert.deepEqual(second.decode(bytes, message.direction), expected, 'the second codec');
      assert.deepEqual(first.decode(bytes, message.direction), expected);
    });
  }

  for (const bad of vectors.malformed) {
    it(`malformed ${bad.name}: ${bad.why}`, () => {
      const bytes = bytesOf(bad.hex);
      assert.throws(() => second.decode(bytes, bad.direction), second.Malformed, 'the second codec');
      assert.throws(
        () => first.decode(bytes, bad.direction),
        (error) =>
          error instanceof ProtocolError && error.code === ErrorCode[bad.error as keyof typeof ErrorCode],
      );
    });
  }

  it('varints', () => {
    const reader = new FieldReader();
    for (const { value, hex } of vectors.varints) {
      const bytes = new Uint8Array(varintBytes(value));
      assert.equal(writeVarint(bytes, 0, value), bytes.length);
      assert.equal(second.toHex(bytes), hex);
      assert.equal(second.toHex(second.varint(value)), hex, 'the second codec');
      reader.resetFields(bytes, 0, bytes.length);
      assert.equal(reader.varint(), value);
      assert.equal(reader.position, bytes.length);
    }
    for (const { hex, why } of vectors.badVarints) {
      const bytes = bytesOf(hex);
      reader.resetFields(bytes, 0, bytes.length);
      assert.throws(() => reader.varint(), ProtocolError, why);
    }
  });

  it('message ids', () => {
    for (const { time, partition, seq, id } of vectors.messageIds) {
      const high = messageIdHigh(time);
      const low = messageIdLow(time, partition, seq);
      assert.equal(formatMessageId(high, low), id);
      assert.equal(messageIdTime(high, low), time);
      assert.equal(messageIdPartition(low), partition);
      const expected = (BigInt(time) << 22n) | (BigInt(partition) << 16n) | (BigInt(seq) % 65536n);
      assert.equal(BigInt(`0x${id}`), expected);
    }
  });

  it('ranges', () => {
    for (const { ranges, hex } of vectors.ranges) {
      assert.deepEqual(decodeRanges(bytesOf(hex)), ranges.flat());
    }
    for (const { hex, why } of vectors.badRanges) {
      assert.throws(() => decodeRanges(bytesOf(hex)), ProtocolError, why);
    }
  });

  it('phone numbers', () => {
    for (const phone of vectors.phones.valid) assert.ok(isPhone(phone), String(phone));
    for (const phone of vectors.phones.invalid) assert.ok(!isPhone(phone), String(phone));
  });
});
