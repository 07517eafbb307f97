import { type AddressKind, decodeRecipient, type Recipient, userAddress } from '../address.js';
import { EMPTY } from '../field-reader.js';
import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { BAD_FIELD } from '../protocol-error.js';

/**
 * A message on its way to the server, decoded in place: the body is `source[bodyStart, bodyEnd)`, valid as
 * long as the message that the frame came in.
 */
export class Send implements Recipient {
  /** The device's message counter, from 1. */
  messageId = 0;
  to = 0;
  toKind: AddressKind = 0;
  toDevice = 0;
  source: Uint8Array = EMPTY;
  bodyStart = 0;
  bodyEnd = 0;
}

export function encodeSend(
  writer: FrameWriter,
  messageId: number,
  to: number,
  source: Uint8Array,
  bodyStart = 0,
  bodyEnd = source.length,
): void {
  const bodyBytes = bodyEnd - bodyStart;
  writer.begin(FrameType.send, 0, 8 + 8 + 8 + bodyBytes, 12 + bodyBytes);
  writer.varint(messageId);
  writer.varint(userAddress(to));
  writer.blob(source, bodyStart, bodyEnd);
  writer.end();
}

/** The body's length is not judged here: above the limit it ends the one send, not the connection. */
export function decodeSend(reader: FrameReader, into: Send): void {
  reader.allowFlags(0);
  into.messageId = reader.varint();
  if (into.messageId === 0) throw BAD_FIELD;
  decodeRecipient(reader, into);
  reader.blob();
  into.source = reader.bytes;
  into.bodyStart = reader.blobStart;
  into.bodyEnd = reader.blobEnd;
}
