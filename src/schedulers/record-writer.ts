import type { Pid } from '../actors/index.js';
import { copyBytes, type RecordMemory } from '../structures/record-memory.js';

/** Texts up to this length are written and read by a loop, which beats the call into the engine for them. */
export const SHORT_TEXT = 48;

/** What is to be written is longer than what was reserved for it. */
export class RecordFull extends RangeError {
  override readonly name = 'RecordFull';
}

/**
 * Writes the fields of a message one after the other into a record. What {@link MessageCodec.bytesMax} has to count
 * for each, padding included:
 *
 *     int, boolean   4      number   12      pid   16      bytes   8 + length      text   8 + 3 × length
 */
export class RecordWriter {
  /** Offset of the next byte. */
  at = 0;
  #end = 0;
  #memory: RecordMemory | null = null;
  #i32: Int32Array = new Int32Array(0);
  #f64: Float64Array = new Float64Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #text: Buffer | null = null;

  /** `onPid` is told of each pid that is written. */
  constructor(private readonly onPid: ((pid: Pid) => void) | null = null) {}

  /** @internal Begins a record's payload at `at`; `end` is behind what was reserved for it. */
  open(memory: RecordMemory, at: number, end: number): void {
    this.at = at;
    this.#end = end;
    if (memory === this.#memory) return;
    this.#memory = memory;
    this.#i32 = memory.i32;
    this.#f64 = memory.f64;
    this.#bytes = memory.bytes;
    this.#text = null;
  }

  /** A signed 32-bit integer; anything beyond is cut off to it. */
  int(value: number): void {
    const { at } = this;
    this.#claim(at + 4);
    this.#i32[at >> 2] = value;
  }

  boolean(value: boolean): void {
    this.int(value ? 1 : 0);
  }

  /** Any number. */
  number(value: number): void {
    const at = (this.at + 7) & ~7;
    this.#claim(at + 8);
    this.#f64[at >> 3] = value;
  }

  pid(pid: Pid): void {
    if (this.onPid !== null) this.onPid(pid);
    this.number(pid.id);
    this.int(pid.scheduler);
  }

  /** `source[start, end)`. */
  bytes(source: Uint8Array, start = 0, end = source.length): void {
    const length = end - start;
    const at = this.at + 4;
    this.#claim(at + ((length + 3) & ~3));
    this.#i32[(at >> 2) - 1] = length;
    copyBytes(this.#bytes, at, source, start, end);
  }

  /** Any string: UTF-8, or UTF-16 (then the length stands inverted) if it has surrogates that are no pairs. */
  text(value: string): void {
    const { length } = value;
    const at = this.at + 4;
    if (length <= SHORT_TEXT && this.#ascii(value, length, at)) return;
    const wellFormed = isWellFormed(value);
    const bytesMax = length * (wellFormed ? 3 : 2);
    if (at + bytesMax > this.#end) throw tooLittle();
    this.#text ??= bufferOver(this.#bytes);
    const used = wellFormed ? this.#text.utf8Write(value, at) : this.#text.ucs2Write(value, at);
    this.#i32[(at >> 2) - 1] = wellFormed ? used : ~used;
    this.at = at + ((used + 3) & ~3);
  }

  #ascii(value: string, length: number, at: number): boolean {
    const end = at + ((length + 3) & ~3);
    if (end > this.#end) return false;
    const bytes = this.#bytes;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 127) return false;
      bytes[at + index] = code;
    }
    this.#i32[(at >> 2) - 1] = length;
    this.at = end;
    return true;
  }

  #claim(end: number): void {
    if (end > this.#end) throw tooLittle();
    this.at = end;
  }
}

function tooLittle(): RecordFull {
  return new RecordFull('a message codec wrote more than its bytesMax');
}

/** lib.es2024, and Buffer's fast doors, which @types/node leaves out. */
declare global {
  interface Buffer {
    utf8Write(value: string, offset: number): number;
    ucs2Write(value: string, offset: number): number;
    utf8Slice(start: number, end: number): string;
    ucs2Slice(start: number, end: number): string;
  }
}

/** Whether UTF-8 can hold it. */
export function isWellFormed(value: string): boolean {
  return (value as unknown as { isWellFormed(): boolean }).isWellFormed();
}

/** The same memory as a Buffer, which can read and write text in shared memory. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
