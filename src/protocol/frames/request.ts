import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { METHOD_BYTES_MAX } from '../limits.js';
import { decodeStructured, encodeStructured, type StructuredMap } from '../structured.js';
import { REQUEST_LIMITS } from '../structured-check.js';

/** REQ: a structured request. Answered by RES, or ERROR with ref kind `request`. */
export interface Request {
  /** Chosen by the client; comes back in the answer. */
  readonly id: number;
  readonly method: string;
  /** The body, still MessagePack: `decodeRequestBody` opens it, and may refuse. */
  readonly source: Uint8Array;
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

export function encodeRequest(writer: FrameWriter, id: number, method: string, body: StructuredMap): void {
  const packed = encodeStructured(body, REQUEST_LIMITS);
  writer.begin(FrameType.request, 0, 8 + 1 + METHOD_BYTES_MAX + 8 + packed.length, 24 + packed.length);
  writer.varint(id);
  writer.text(method, METHOD_BYTES_MAX);
  writer.blob(packed, 0, packed.length);
  writer.end();
}

/** Leaves the body packed, so that a bad body can be answered by its id instead of ending the connection. */
export function decodeRequest(reader: FrameReader): Request {
  reader.allowFlags(0);
  const id = reader.varint();
  const method = reader.text(METHOD_BYTES_MAX);
  reader.blob();
  return { id, method, source: reader.bytes, bodyStart: reader.blobStart, bodyEnd: reader.blobEnd };
}

/** Throws a ProtocolError with code `invalidBody` or `bodyTooLarge`: of the request, not the connection. */
export function decodeRequestBody(request: Request): StructuredMap {
  return decodeStructured(request.source, request.bodyStart, request.bodyEnd, REQUEST_LIMITS);
}
