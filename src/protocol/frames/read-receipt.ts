import { type AddressKind, decodeRecipient, type Recipient, userAddress } from '../address.js';
import { EMPTY } from '../field-reader.js';
import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { BAD_FIELD, BAD_FLAGS } from '../protocol-error.js';
import { encodeRanges, type Ranges, skipRanges } from '../ranges.js';
import { RECEIPT_READ } from './receipt.js';

/**
 * RECEIPT as a client sends it: these messages were read. Numbered, stored, acknowledged and de-duplicated
 * like a SEND. (Delivered receipts are made by the server, from ACK.)
 */
export class ReadReceipt implements Recipient {
  /** From the same counter as SEND. */
  messageId = 0;
  /** Who wrote the messages. */
  to = 0;
  toKind: AddressKind = 0;
  toDevice = 0;
  source: Uint8Array = EMPTY;
  rangesStart = 0;
  rangesEnd = 0;
}

/** Encodes ranges 0–63 of the list; see `encodeRanges`. */
export function encodeReadReceipt(writer: FrameWriter, messageId: number, to: number, ranges: Ranges): void {
  const encoded = encodeRanges(ranges);
  writer.begin(FrameType.receipt, RECEIPT_READ, 2 * 8 + encoded.length);
  writer.varint(messageId);
  writer.varint(userAddress(to));
  writer.raw(encoded, 0, encoded.length);
  writer.end();
}

/** For the server. The ranges are checked; their bytes are what is stored. */
export function decodeReadReceipt(reader: FrameReader, into: ReadReceipt): void {
  reader.allowFlags(RECEIPT_READ);
  if ((reader.flags & RECEIPT_READ) === 0) throw BAD_FLAGS;
  into.messageId = reader.varint();
  if (into.messageId === 0) throw BAD_FIELD;
  decodeRecipient(reader, into);
  skipRanges(reader);
  into.source = reader.bytes;
  into.rangesStart = reader.blobStart;
  into.rangesEnd = reader.blobEnd;
}
