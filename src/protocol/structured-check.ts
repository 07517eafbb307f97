import {
  REQUEST_BYTES_MAX,
  REQUEST_ITEMS_MAX,
  RESPONSE_BYTES_MAX,
  RESPONSE_ITEMS_MAX,
  STRUCTURED_DEPTH_MAX,
} from './limits.js';
import { BODY_TOO_LARGE, INVALID_BODY } from './protocol-error.js';
import { decodeUtf8 } from './utf8.js';

export interface StructuredLimits {
  readonly bytesMax: number;
  /** Elements of all arrays and entries of all maps together. */
  readonly itemsMax: number;
  readonly depthMax: number;
}

export const REQUEST_LIMITS: StructuredLimits = {
  bytesMax: REQUEST_BYTES_MAX,
  itemsMax: REQUEST_ITEMS_MAX,
  depthMax: STRUCTURED_DEPTH_MAX,
};
export const RESPONSE_LIMITS: StructuredLimits = {
  bytesMax: RESPONSE_BYTES_MAX,
  itemsMax: RESPONSE_ITEMS_MAX,
  depthMax: STRUCTURED_DEPTH_MAX,
};

/**
 * Walks through MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) without building
 * anything, and throws unless it is exactly one map with string keys, whole, with valid UTF-8, within the
 * limits, without extension types and without integers outside ±(2^53−1). The stack is an array of at most
 * `depthMax` counters: nothing that a peer sends can nest it deeper.
 */
export function checkStructured(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: StructuredLimits,
): void {
  if (end - start > limits.bytesMax) throw BODY_TOO_LARGE;
  new Walk(bytes, start, end, limits).run();
}

/** For tokens 0xc0–0xdf: bytes of the value, or of its length; −1: not allowed (0xc1 and the extension types). */
const WIDTHS = new Int8Array([
  ...[0, -1, 0, 0], // nil, never used, false, true
  ...[1, 2, 4], // bin 8, 16, 32
  ...[-1, -1, -1], // ext 8, 16, 32
  ...[4, 8], // float 32, 64
  ...[1, 2, 4, 8], // uint 8, 16, 32, 64
  ...[1, 2, 4, 8], // int 8, 16, 32, 64
  ...[-1, -1, -1, -1, -1], // fixext 1, 2, 4, 8, 16
  ...[1, 2, 4], // str 8, 16, 32
  ...[2, 4], // array 16, 32
  ...[2, 4], // map 16, 32
]);

class Walk {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  readonly #depthMax: number;
  #itemsLeft: number;
  /** Values still to come at each level, keys not counted; negative for maps: −1 − entries left. */
  readonly #left: number[] = [];

  constructor(bytes: Uint8Array, start: number, end: number, limits: StructuredLimits) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#depthMax = limits.depthMax;
    this.#itemsLeft = limits.itemsMax;
  }

  run(): void {
    const root = this.#u8();
    if (root >= 0x80 && root <= 0x8f) this.#openMap(root & 0x0f);
    else if (root === 0xde) this.#openMap(this.#uint(2));
    else if (root === 0xdf) this.#openMap(this.#uint(4));
    else throw INVALID_BODY;

    const left = this.#left;
    while (left.length > 0) {
      const top = left.length - 1;
      const count = left[top]!;
      if (count === 0 || count === -1) {
        left.pop();
      } else if (count < 0) {
        left[top] = count + 1;
        this.#key();
        this.#value();
      } else {
        left[top] = count - 1;
        this.#value();
      }
    }
    if (this.#at !== this.#end) throw INVALID_BODY;
  }

  #openMap(entries: number): void {
    this.#open(-1 - entries, entries);
  }

  #open(counter: number, items: number): void {
    if (this.#left.length >= this.#depthMax || items > this.#itemsLeft) throw INVALID_BODY;
    this.#itemsLeft -= items;
    this.#left.push(counter);
  }

  #key(): void {
    const token = this.#u8();
    if (token >= 0xa0 && token <= 0xbf) this.#text(token & 0x1f);
    else if (token === 0xd9) this.#text(this.#uint(1));
    else if (token === 0xda) this.#text(this.#uint(2));
    else throw INVALID_BODY;
  }

  #value(): void {
    const token = this.#u8();
    if (token <= 0x7f || token >= 0xe0) return;
    if (token <= 0x8f) this.#openMap(token & 0x0f);
    else if (token <= 0x9f) this.#openArray(token & 0x0f);
    else if (token <= 0xbf) this.#text(token & 0x1f);
    else if (token === 0xcf) this.#uint64();
    else if (token === 0xd3) this.#int64();
    else {
      const width = WIDTHS[token - 0xc0]!;
      if (width < 0) throw INVALID_BODY;
      if (token <= 0xc3) return;
      if (token <= 0xc6) this.#skip(this.#uint(width));
      else if (token <= 0xd2) this.#skip(width);
      else if (token <= 0xdb) this.#text(this.#uint(width));
      else if (token <= 0xdd) this.#openArray(this.#uint(width));
      else this.#openMap(this.#uint(width));
    }
  }

  #uint64(): void {
    const high = this.#uint(4);
    this.#skip(4);
    if (high > 0x1f_ffff) throw INVALID_BODY;
  }

  #int64(): void {
    const high = this.#uint(4) | 0;
    const low = this.#uint(4);
    if (high > 0x1f_ffff || high < -0x20_0000 || (high === -0x20_0000 && low === 0)) throw INVALID_BODY;
  }

  #openArray(count: number): void {
    this.#open(count, count);
  }

  #u8(): number {
    if (this.#at >= this.#end) throw INVALID_BODY;
    return this.#bytes[this.#at++]!;
  }

  #uint(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#u8();
    return value;
  }

  #skip(length: number): void {
    if (length > this.#end - this.#at) throw INVALID_BODY;
    this.#at += length;
  }

  #text(length: number): void {
    const start = this.#at;
    this.#skip(length);
    for (let i = start; i < this.#at; i++) {
      if (this.#bytes[i]! >= 0x80) {
        this.#checkUtf8(start);
        return;
      }
    }
  }

  #checkUtf8(start: number): void {
    try {
      decodeUtf8(this.#bytes, start, this.#at);
    } catch {
      throw INVALID_BODY;
    }
  }
}
