import { VARINT_MAX } from './limits.js';

/** Bytes that `value` (an integer in 0…2^53−1) takes as a varint: 1–8. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  if (value < 0x8_0000_0000) return 5;
  if (value < 0x400_0000_0000) return 6;
  if (value < 0x2_0000_0000_0000) return 7;
  return 8;
}

/** True for what a varint can hold: an integer in 0…2^53−1. */
export function isVarint(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= VARINT_MAX;
}

/**
 * Writes `value` at `at`, where there must be room for it, and returns the offset behind it.
 * Throws a RangeError when the value is no integer in 0…2^53−1: a bug of the caller, not of the peer.
 */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0;
  if (rest !== value) {
    if (!isVarint(value)) throw new RangeError(`not an integer in 0…2^53−1: ${value}`);
    // The low 28 bits, then what is above them (at most 25). `&` cuts to 32 bits, which keeps the low ones, and
    // is far faster on such numbers than `%`.
    let low = value & 0xfff_ffff;
    rest = (value - low) / 0x1000_0000;
    for (let i = 0; i < 4; i++) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low >>>= 7;
    }
  }
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
