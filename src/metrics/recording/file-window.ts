import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const WINDOW_BYTES = 256 * 1024;

/** A file that is read from front to back, with few reads; it may grow meanwhile. */
export class FileWindow {
  readonly #file: number;
  #bytes = new Uint8Array(WINDOW_BYTES);
  /** Where in the file the window begins, and how much of it is filled. */
  #start = 0;
  #filled = 0;

  /** @throws errors of the file system */
  constructor(path: string) {
    this.#file = openSync(path, 'r');
  }

  /** Bytes of the file now. */
  get size(): number {
    return fstatSync(this.#file).size;
  }

  /** So many bytes from there, or what there is of them. Good until the next call. */
  at(offset: number, length: number): Uint8Array {
    if (offset < this.#start || offset + length > this.#start + this.#filled) this.#fill(offset, length);
    const from = offset - this.#start;
    return this.#bytes.subarray(from, Math.min(from + length, this.#filled));
  }

  close(): void {
    closeSync(this.#file);
  }

  #fill(offset: number, length: number): void {
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(length);
    this.#start = offset;
    this.#filled = 0;
    while (this.#filled < this.#bytes.length) {
      const { length: capacity } = this.#bytes;
      const read = readSync(
        this.#file,
        this.#bytes,
        this.#filled,
        capacity - this.#filled,
        offset + this.#filled,
      );
      if (read === 0) break;
      this.#filled += read;
    }
  }
}
