import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { decodeStructured, encodeStructured, type StructuredMap } from '../structured.js';
import { RESPONSE_LIMITS } from '../structured-check.js';

/** RES: the reply to the REQ with the same id. */
export interface Response {
  readonly id: number;
  readonly body: StructuredMap;
}

export function encodeResponse(writer: FrameWriter, id: number, body: StructuredMap): void {
  const packed = encodeStructured(body, RESPONSE_LIMITS);
  writer.begin(FrameType.response, 0, 8 + 8 + packed.length, 8 + packed.length);
  writer.varint(id);
  writer.blob(packed, 0, packed.length);
  writer.end();
}

/** Throws a ProtocolError with code `invalidBody` or `bodyTooLarge` when the body is not acceptable. */
export function decodeResponse(reader: FrameReader): Response {
  reader.allowFlags(0);
  const id = reader.varint();
  reader.blob();
  return { id, body: decodeStructured(reader.bytes, reader.blobStart, reader.blobEnd, RESPONSE_LIMITS) };
}
