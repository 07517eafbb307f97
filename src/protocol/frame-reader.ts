import { FieldReader } from './field-reader.js';
import { CRITICAL } from './frame-type.js';
import { BAD_FLAGS, FRAME_TOO_SHORT, TRUNCATED } from './protocol-error.js';

/**
 * Steps through the frames of one message, and through the items of a BATCH. Reusable; keeps a reference to
 * the bytes until the next {@link reset}.
 *
 *     reader.reset(bytes);
 *     while (reader.next()) {
 *       switch (reader.type) {
 *         case FrameType.ack: session.ack(decodeAck(reader)); break;
 *         …
 *         default: if (reader.isCritical) …   // else skipped
 *       }
 *     }
 *
 *      start            position (fields)            end
 *      │ length varint │ type │ flags │ fields … │ trailing │ next frame
 *
 * A frame whose fields are not read, or not to their end, is skipped by its length. After a throw the rest of
 * the message is given up: `next` says false.
 */
export class FrameReader extends FieldReader {
  type = 0;
  flags = 0;
  /** Offset of the frame's first byte, its length. The frame ends at `end`. */
  start = 0;
  #nextStart = 0;
  #limit = 0;

  reset(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.bytes = bytes;
    this.position = start;
    this.end = start;
    this.start = start;
    this.#nextStart = start;
    this.#limit = end;
    return this;
  }

  /** Steps to the next frame; false at the end of the message. Throws on a frame that is cut off or too short. */
  next(): boolean {
    const limit = this.#limit;
    const start = this.#nextStart;
    if (start >= limit) return false;
    this.#nextStart = limit;
    this.start = start;
    this.position = start;
    this.end = limit;
    const length = this.varint();
    if (length < 2) throw FRAME_TOO_SHORT;
    const at = this.position;
    if (length > limit - at) throw TRUNCATED;
    this.type = this.bytes[at]!;
    this.flags = this.bytes[at + 1]!;
    this.position = at + 2;
    this.end = at + length;
    this.#nextStart = this.end;
    return true;
  }

  get isCritical(): boolean {
    return (this.flags & CRITICAL) !== 0;
  }

  /** Throws unless only these flag bits (and CRITICAL, which known frames may carry) are set. */
  allowFlags(mask: number): void {
    if ((this.flags & ~(mask | CRITICAL)) !== 0) throw BAD_FLAGS;
  }
}
