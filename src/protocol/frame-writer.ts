import { VARINT_BYTES_MAX } from './limits.js';
import { WRITER_FULL } from './protocol-error.js';
import { encodeUtf8 } from './utf8.js';
import { varintBytes, writeVarint } from './varint.js';

/**
 * Bodies up to this length are copied byte by byte: cheaper than making a view for `set`. Measured (Node 20,
 * bench/protocol.ts, M SENDs/s, loop against view): 10 bytes 20 : 13, 20 bytes 17 : 14, 30 bytes 14 : 14,
 * 50 bytes 11 : 15.
 */
const COPY_LOOP_BYTES_MAX = 32;

/** Type, flags and the longest length: what a frame takes beside its fields. */
export const FRAME_HEADER_BYTES_MAX = VARINT_BYTES_MAX + 2;

/**
 * Appends frames to a buffer that grows up to a limit. Reusable: `reset()` keeps the memory.
 *
 * An encoder opens a frame with {@link begin}, which makes sure that the whole frame has room (or throws
 * `WRITER_FULL` before a byte is written), appends its fields, and closes it with {@link end}, which puts the
 * length in front. The place for the length is guessed from the bound; where the guess was one byte too
 * wide, the frame is moved, so that the length is always in its shortest form.
 */
export class FrameWriter {
  /** The buffer. Replaced when it grows: take it anew after each frame. */
  bytes: Uint8Array;
  /** Bytes in use. */
  length = 0;
  readonly #bytesMax: number;
  #fieldsStart = 0;
  #frameStart = 0;

  /** @param bytesMax how far it may grow. @param bytesStart how large it begins. */
  constructor(bytesMax: number, bytesStart = Math.min(bytesMax, 1024)) {
    this.#bytesMax = bytesMax;
    this.bytes = new Uint8Array(bytesStart);
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  reset(): void {
    this.length = 0;
  }

  /** What was written, as a view: valid until the next write or reset. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** What was written, as a copy. */
  copy(): Uint8Array {
    const copy = new Uint8Array(this.length);
    copy.set(this.bytes.subarray(0, this.length));
    return copy;
  }

  /** Whether so many bytes more would stay within the limit. */
  fits(bytes: number): boolean {
    return bytes <= this.#bytesMax - this.length;
  }

  /** Makes room for `bytes` more, or throws `WRITER_FULL`. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    if (needed > this.#bytesMax) throw WRITER_FULL;
    const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /**
   * Opens a frame whose fields take at most `fieldBytesMax` bytes, and most likely about `fieldBytesLikely`.
   */
  begin(type: number, flags: number, fieldBytesMax: number, fieldBytesLikely = fieldBytesMax): void {
    this.reserve(fieldBytesMax + FRAME_HEADER_BYTES_MAX);
    const start = this.length;
    const at = start + varintBytes(fieldBytesLikely + 2);
    this.#frameStart = start;
    this.#fieldsStart = at;
    this.bytes[at] = type;
    this.bytes[at + 1] = flags;
    this.length = at + 2;
  }

  /** Closes the frame: writes its length, in the shortest form. */
  end(): void {
    const start = this.#frameStart;
    const bodyStart = this.#fieldsStart;
    const frameBytes = this.length - bodyStart;
    if (frameBytes < 0x80 && bodyStart - start === 1) {
      this.bytes[start] = frameBytes;
      return;
    }
    const shift = start + varintBytes(frameBytes) - bodyStart;
    if (shift !== 0) {
      this.bytes.copyWithin(bodyStart + shift, bodyStart, this.length);
      this.length += shift;
    }
    writeVarint(this.bytes, start, frameBytes);
  }

  // The fields. No checks of room: `begin` has made it.

  u8(value: number): void {
    this.bytes[this.length++] = value;
  }

  /** Throws a RangeError for anything but an integer in 0…2^53−1, and gives up the open frame. */
  varint(value: number): void {
    if (value < 0x80 && value >= 0 && (value | 0) === value) {
      this.bytes[this.length++] = value;
      return;
    }
    try {
      this.length = writeVarint(this.bytes, this.length, value);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Eight bytes, big-endian, from two unsigned halves. */
  u64(high: number, low: number): void {
    const bytes = this.bytes;
    const at = this.length;
    bytes[at] = high >>> 24;
    bytes[at + 1] = high >>> 16;
    bytes[at + 2] = high >>> 8;
    bytes[at + 3] = high;
    bytes[at + 4] = low >>> 24;
    bytes[at + 5] = low >>> 16;
    bytes[at + 6] = low >>> 8;
    bytes[at + 7] = low;
    this.length = at + 8;
  }

  /** Bytes without a length. */
  raw(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const at = this.length;
    if (length <= COPY_LOOP_BYTES_MAX) {
      const bytes = this.bytes;
      for (let i = 0; i < length; i++) bytes[at + i] = source[start + i]!;
    } else {
      this.bytes.set(length === source.length ? source : source.subarray(start, end), at);
    }
    this.length = at + length;
  }

  /** Bytes with their length in front. */
  blob(source: Uint8Array, start: number, end: number): void {
    this.varint(end - start);
    this.raw(source, start, end);
  }

  /** UTF-8 with its length in front; a RangeError when it takes more than `bytesMax`. */
  text(text: string, bytesMax: number): void {
    const encoded = encodeUtf8(text);
    if (encoded.length > bytesMax) {
      this.abandon();
      throw new RangeError(`the text takes ${encoded.length} bytes of at most ${bytesMax}: ${text}`);
    }
    this.blob(encoded, 0, encoded.length);
  }

  /** Takes back the open frame, as if it had never begun. */
  abandon(): void {
    this.length = this.#frameStart;
  }
}
