import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { ERROR_TEXT_BYTES_MAX } from '../limits.js';
import { BAD_FLAGS } from '../protocol-error.js';
import { clipUtf8 } from '../utf8.js';

/** What the `ref` of an ERROR names. */
export const ErrorRef = {
  /** The connection, or a frame without an id; `ref` is 0. Whether it ends the connection is said by a close. */
  connection: 0,
  /** The id of a SEND or RECEIPT, which is thereby answered: it was not stored. */
  message: 1,
  /** The id of a REQ, or the ref of a REGISTER or VERIFY. */
  request: 2,
} as const;
export type ErrorRef = (typeof ErrorRef)[keyof typeof ErrorRef];

const RETRYABLE = 0x01;
const REF_SHIFT = 1;
const REF_MASK = 0x06;

/** Something failed. */
export interface ErrorFrame {
  readonly refKind: ErrorRef;
  readonly ref: number;
  /** An `ErrorCode`, or one that this version does not know. */
  readonly code: number;
  /** The same again may succeed, after `retryAfterMs`. */
  readonly retryable: boolean;
  readonly retryAfterMs: number;
  /** By code: tries left, the highest id, the frame type; otherwise 0. */
  readonly detail: number;
  /** For people who debug, in English. Clipped to 256 bytes. */
  readonly message: string;
}

export function encodeError(writer: FrameWriter, error: ErrorFrame): void {
  const flags = (error.retryable ? RETRYABLE : 0) | (error.refKind << REF_SHIFT);
  writer.begin(FrameType.error, flags, 4 * 8 + 2 + ERROR_TEXT_BYTES_MAX, 40);
  writer.varint(error.ref);
  writer.varint(error.code);
  writer.varint(error.retryAfterMs);
  writer.varint(error.detail);
  writer.text(clipUtf8(error.message, ERROR_TEXT_BYTES_MAX), ERROR_TEXT_BYTES_MAX);
  writer.end();
}

export function decodeError(reader: FrameReader): ErrorFrame {
  reader.allowFlags(RETRYABLE | REF_MASK);
  const refKind = (reader.flags & REF_MASK) >> REF_SHIFT;
  if (refKind > ErrorRef.request) throw BAD_FLAGS;
  return {
    refKind: refKind as ErrorRef,
    retryable: (reader.flags & RETRYABLE) !== 0,
    ref: reader.varint(),
    code: reader.varint(),
    retryAfterMs: reader.varint(),
    detail: reader.varint(),
    message: reader.text(ERROR_TEXT_BYTES_MAX),
  };
}
