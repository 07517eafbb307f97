/**
 * A piece of memory that records are written to, seen three ways. Records start at multiples of 8 bytes, so
 * that their fields can be read and written as array elements (no DataView, no allocation). Byte order is the
 * machine's: records are shared between threads or read again on the same machine.
 *
 * A record begins with 8 bytes that every reader understands:
 *
 *     0       4       8
 *     │length │ type  │ fields …      length: int32, whole record with these 8 bytes, a multiple of 8
 */
export class RecordMemory {
  readonly bytes: Uint8Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;

  constructor(buffer: ArrayBufferLike, byteOffset: number, byteLength: number) {
    this.bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.i32 = new Int32Array(buffer, byteOffset, byteLength >>> 2);
    this.f64 = new Float64Array(buffer, byteOffset, byteLength >>> 3);
  }
}

/** Where records can be put, one after another. */
export interface RecordSink {
  /** The memory of the record reserved last. It may be another one after the next `reserve`. */
  readonly memory: RecordMemory;
  /**
   * Makes room for a record of `length` bytes (header included; rounded up to 8), writes its length and
   * returns its offset in {@link memory}; −1 when there is no room.
   */
  reserve(length: number): number;
}

/** Rounds a record's length up to the alignment. */
export function recordLength(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Below this many bytes a loop beats the call into the engine's memory copy. */
const COPY_LOOP_BYTES_MAX = 48;

/** Copies `source[start, end)` to `target` at `at`. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): void {
  if (end - start <= COPY_LOOP_BYTES_MAX) {
    for (let i = start, j = at; i < end; i++, j++) target[j] = source[i]!;
  } else {
    target.set(source.subarray(start, end), at);
  }
}
