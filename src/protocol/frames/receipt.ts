import { decodeUser, userAddress } from '../address.js';
import { EMPTY } from '../field-reader.js';
import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import { FRAME_HEADER_BYTES_MAX, type FrameWriter } from '../frame-writer.js';
import { skipRanges } from '../ranges.js';

/** Flag: read, not only delivered. */
export const RECEIPT_READ = 0x01;

/** A receipt from the inbox: the ranges are `source[rangesStart, rangesEnd)`, checked; see ranges.ts. */
export class Receipt {
  seq = 0;
  /** Wall-clock ms at which it was made. */
  time = 0;
  /** Who received or read. */
  from = 0;
  read = false;
  source: Uint8Array = EMPTY;
  rangesStart = 0;
  rangesEnd = 0;
}

const RECEIPT_FIELD_BYTES_MAX = 3 * 8;

/** Bytes that a RECEIPT from the server with so many bytes of ranges takes at most. */
export function receiptBytesMax(rangesBytes: number): number {
  return FRAME_HEADER_BYTES_MAX + RECEIPT_FIELD_BYTES_MAX + rangesBytes;
}

/** From the server. `source[rangesStart, rangesEnd)` is the body of the stored entry: encoded ranges. */
export function encodeReceipt(
  writer: FrameWriter,
  seq: number,
  time: number,
  from: number,
  read: boolean,
  source: Uint8Array,
  rangesStart: number,
  rangesEnd: number,
): void {
  const rangesBytes = rangesEnd - rangesStart;
  const flags = read ? RECEIPT_READ : 0;
  writer.begin(FrameType.receipt, flags, RECEIPT_FIELD_BYTES_MAX + rangesBytes, 20 + rangesBytes);
  writer.varint(seq);
  writer.varint(time);
  writer.varint(userAddress(from));
  writer.raw(source, rangesStart, rangesEnd);
  writer.end();
}

/** For the client. */
export function decodeReceipt(reader: FrameReader, into: Receipt): void {
  reader.allowFlags(RECEIPT_READ);
  into.read = (reader.flags & RECEIPT_READ) !== 0;
  into.seq = reader.varint();
  into.time = reader.varint();
  into.from = decodeUser(reader);
  skipRanges(reader);
  into.source = reader.bytes;
  into.rangesStart = reader.blobStart;
  into.rangesEnd = reader.blobEnd;
}
