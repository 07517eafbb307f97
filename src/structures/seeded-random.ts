import type { Random } from './random.js';

/**
 * Reproducible randomness: Chris Doty-Humphrey's sfc32 ("small fast chaotic", PractRand), its state spread from
 * the seed by SplitMix's finalizer. Passes PractRand and TestU01; not for secrets.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any safe integer; each gives a history of its own */
  constructor(seed: number) {
    this.#a = mix(seed | 0);
    this.#b = mix((seed / 0x1_0000_0000) | 0);
    this.#c = mix(this.#a ^ 0x9e37_79b9);
    for (let round = 0; round < 12; round++) this.int32();
  }

  next(): number {
    return (this.int32() >>> 0) / 0x1_0000_0000;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.int32() >>> 24;
    return bytes;
  }

  /** A whole number in [0, `below`). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** A signed 32-bit integer. */
  int32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result;
  }
}

function mix(value: number): number {
  let z = (value + 0x9e37_79b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85eb_ca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
  return z ^ (z >>> 16);
}
