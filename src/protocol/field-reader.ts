import { FIELD_TOO_LONG, TRUNCATED, VARINT_NOT_MINIMAL, VARINT_TOO_LARGE } from './protocol-error.js';
import { decodeUtf8 } from './utf8.js';

/**
 * Reads fields one after another from a range of bytes. Reusable. Every method throws a `ProtocolError` when
 * the range ends inside the field or the field is malformed; nothing is allocated for a length that only
 * the sender claims.
 */
export class FieldReader {
  bytes: Uint8Array = EMPTY;
  /** Offset of the next unread byte. */
  position = 0;
  /** Offset behind the last readable byte. */
  end = 0;
  /** Where the last {@link blob} lies. */
  blobStart = 0;
  blobEnd = 0;
  /** Upper 32 bits of the last {@link u64}. */
  high = 0;
  /** Lower 32 bits of the last {@link u64}. */
  low = 0;

  resetFields(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  u8(): number {
    if (this.position >= this.end) throw TRUNCATED;
    return this.bytes[this.position++]!;
  }

  /** An integer in 0…2^53−1. */
  varint(): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = this.position;
    if (at >= end) throw TRUNCATED;
    let byte = bytes[at++]!;
    if (byte < 0x80) {
      this.position = at;
      return byte;
    }
    let low = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      if (at >= end) throw TRUNCATED;
      byte = bytes[at++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0) throw VARINT_NOT_MINIMAL;
        this.position = at;
        return low;
      }
    }
    // Above 28 bits: the rest (25 bits) apart, since shifts know 32 bits only.
    let high = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw TRUNCATED;
      byte = bytes[at++]!;
      high |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0) throw VARINT_NOT_MINIMAL;
        if (high > 0x1ff_ffff) throw VARINT_TOO_LARGE;
        this.position = at;
        return high * 0x1000_0000 + low;
      }
    }
    throw VARINT_TOO_LARGE;
  }

  /** Eight raw bytes, big-endian, into {@link high} and {@link low}. */
  u64(): void {
    const at = this.position;
    if (this.end - at < 8) throw TRUNCATED;
    const bytes = this.bytes;
    this.high = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
    this.low =
      ((bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!) >>> 0;
    this.position = at + 8;
  }

  /** Length-prefixed bytes, left where they are: {@link blobStart}…{@link blobEnd}. */
  blob(): void {
    const length = this.varint();
    const start = this.position;
    if (length > this.end - start) throw TRUNCATED;
    this.blobStart = start;
    this.blobEnd = start + length;
    this.position = this.blobEnd;
  }

  /** A copy of the last {@link blob}. */
  copyBlob(): Uint8Array {
    return copyBytes(this.bytes, this.blobStart, this.blobEnd);
  }

  /** A length-prefixed text of at most `bytesMax` bytes of valid UTF-8. */
  text(bytesMax: number): string {
    this.blob();
    if (this.blobEnd - this.blobStart > bytesMax) throw FIELD_TOO_LONG;
    return decodeUtf8(this.bytes, this.blobStart, this.blobEnd);
  }

  /** `length` raw bytes without a prefix, copied. */
  raw(length: number): Uint8Array {
    const start = this.position;
    if (length > this.end - start) throw TRUNCATED;
    this.position = start + length;
    return copyBytes(this.bytes, start, this.position);
  }
}

export const EMPTY: Uint8Array = new Uint8Array(0);

/** A copy that never shares memory (`slice` of a Node Buffer would). */
export function copyBytes(source: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(source.subarray(start, end));
  return copy;
}
