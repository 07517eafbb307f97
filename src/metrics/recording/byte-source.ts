import { RecordingError } from './recording-error.js';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads what a ByteSink wrote. Every method throws a RecordingError behind the end. */
export class ByteSource {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let bytes = 1; bytes <= 8; bytes++) {
      const byte = this.#bytes[this.#take(1)]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new RecordingError(`a number above 2^53 − 1 at byte ${this.#at}`);
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const length = this.varint();
    const start = this.#take(length);
    try {
      return decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw new RecordingError(`a text that is not UTF-8 at byte ${start}`);
    }
  }

  /** A part of this one, which goes on behind it. */
  part(length: number): ByteSource {
    const start = this.#take(length);
    return new ByteSource(this.#bytes, start, start + length);
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (!(bytes <= this.#end - start)) {
      throw new RecordingError(
        `${bytes} bytes are wanted at byte ${start}, and ${this.#end - start} are there`,
      );
    }
    this.#at = start + bytes;
    return start;
  }
}
