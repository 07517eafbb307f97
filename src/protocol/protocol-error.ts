import { ErrorCode } from './error-code.js';

/**
 * What every decoder throws on bad input, and nothing else. The instances are made once, at load: a peer that
 * sends garbage must not buy a stack trace for each frame. So `stack` says nothing, and they are frozen.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

function preallocated(code: ErrorCode, message: string): ProtocolError {
  const error = new ProtocolError(code, message);
  error.stack = `ProtocolError: ${message}`;
  return Object.freeze(error);
}

/** The frame, or the message, ends inside a field. */
export const TRUNCATED = preallocated(ErrorCode.malformed, 'the input ends inside a field');
export const VARINT_NOT_MINIMAL = preallocated(ErrorCode.malformed, 'a varint is not in its shortest form');
export const VARINT_TOO_LARGE = preallocated(ErrorCode.malformed, 'a varint is above 2^53-1');
export const FRAME_TOO_SHORT = preallocated(ErrorCode.malformed, 'a frame has no room for type and flags');
export const BAD_FLAGS = preallocated(
  ErrorCode.malformed,
  'a flag bit is set that this frame does not define',
);
export const BAD_TEXT = preallocated(ErrorCode.malformed, 'a text is not valid UTF-8');
export const FIELD_TOO_LONG = preallocated(ErrorCode.malformed, 'a field is longer than its limit');
export const BAD_FIELD = preallocated(ErrorCode.malformed, 'a field has a value outside its range');
export const BAD_RANGES = preallocated(ErrorCode.malformed, 'receipt ranges are empty, too many or overlap');
/** A request's or reply's body is not the MessagePack that the protocol allows. Ends the request only. */
export const INVALID_BODY = preallocated(ErrorCode.invalidBody, 'the body is no acceptable MessagePack map');
export const BODY_TOO_LARGE = preallocated(ErrorCode.bodyTooLarge, 'the body is longer than its limit');
/** From a {@link FrameWriter} at its limit: nothing of the frame was written. */
export const WRITER_FULL = preallocated(ErrorCode.frameTooLarge, 'the frame does not fit into the output');
