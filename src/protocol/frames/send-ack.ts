import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { messageIdHigh, messageIdLow } from '../message-id.js';

/** Flag: the server had stored this id before. Message id and time are absent. */
const DUPLICATE = 0x01;

/** A SEND or RECEIPT is on disk (the first checkmark). */
export class SendAck {
  /** The id in the SEND or RECEIPT. */
  messageId = 0;
  /** Stored before; `storedHigh`, `storedLow` and `time` are 0. */
  duplicate = false;
  /** The 64-bit id of the stored message. */
  storedHigh = 0;
  storedLow = 0;
  /** Wall-clock ms at which the server accepted it. */
  time = 0;
}

/** `partition` and `seq`: the recipient's partition and the entry's place in the log. */
export function encodeSendAck(
  writer: FrameWriter,
  messageId: number,
  time: number,
  partition: number,
  seq: number,
): void {
  writer.begin(FrameType.sendAck, 0, 24);
  writer.varint(messageId);
  writer.u64(messageIdHigh(time), messageIdLow(time, partition, seq));
  writer.varint(time);
  writer.end();
}

export function encodeDuplicateSendAck(writer: FrameWriter, messageId: number): void {
  writer.begin(FrameType.sendAck, DUPLICATE, 8);
  writer.varint(messageId);
  writer.end();
}

export function decodeSendAck(reader: FrameReader, into: SendAck): void {
  reader.allowFlags(DUPLICATE);
  into.messageId = reader.varint();
  into.duplicate = (reader.flags & DUPLICATE) !== 0;
  if (into.duplicate) {
    into.storedHigh = 0;
    into.storedLow = 0;
    into.time = 0;
    return;
  }
  reader.u64();
  into.storedHigh = reader.high;
  into.storedLow = reader.low;
  into.time = reader.varint();
}
