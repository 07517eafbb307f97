import { decodeUser, userAddress } from '../address.js';
import { copyBytes, EMPTY } from '../field-reader.js';
import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import { FRAME_HEADER_BYTES_MAX, type FrameWriter } from '../frame-writer.js';
import { messageIdHigh, messageIdLow } from '../message-id.js';

/** A message from the inbox, decoded in place: the body is `source[bodyStart, bodyEnd)`. */
export class Deliver {
  /** Place in the inbox; what ACK, PULL and HELLO name. */
  seq = 0;
  /** The 64-bit id of the stored message. */
  storedHigh = 0;
  storedLow = 0;
  /** Wall-clock ms at which the server accepted it. */
  time = 0;
  /** The sending user. */
  from = 0;
  /** The sender's message counter: read receipts name it. */
  messageId = 0;
  source: Uint8Array = EMPTY;
  bodyStart = 0;
  bodyEnd = 0;
}

const DELIVER_FIELD_BYTES_MAX = 6 * 8;

/** Bytes that a DELIVER with such a body takes at most. */
export function deliverBytesMax(bodyBytes: number): number {
  return FRAME_HEADER_BYTES_MAX + DELIVER_FIELD_BYTES_MAX + bodyBytes;
}

/** `partition`: the recipient's; `ref`: the sender's message counter. */
export function encodeDeliver(
  writer: FrameWriter,
  seq: number,
  time: number,
  partition: number,
  from: number,
  ref: number,
  source: Uint8Array,
  bodyStart: number,
  bodyEnd: number,
): void {
  const bodyBytes = bodyEnd - bodyStart;
  writer.begin(FrameType.deliver, 0, DELIVER_FIELD_BYTES_MAX + bodyBytes, 28 + bodyBytes);
  writer.varint(seq);
  writer.u64(messageIdHigh(time), messageIdLow(time, partition, seq));
  writer.varint(time);
  writer.varint(userAddress(from));
  writer.varint(ref);
  writer.blob(source, bodyStart, bodyEnd);
  writer.end();
}

export function decodeDeliver(reader: FrameReader, into: Deliver): void {
  reader.allowFlags(0);
  into.seq = reader.varint();
  reader.u64();
  into.storedHigh = reader.high;
  into.storedLow = reader.low;
  into.time = reader.varint();
  into.from = decodeUser(reader);
  into.messageId = reader.varint();
  reader.blob();
  into.source = reader.bytes;
  into.bodyStart = reader.blobStart;
  into.bodyEnd = reader.blobEnd;
}

/** The body as bytes of its own, for who keeps it. */
export function copyBody(frame: { source: Uint8Array; bodyStart: number; bodyEnd: number }): Uint8Array {
  return copyBytes(frame.source, frame.bodyStart, frame.bodyEnd);
}
