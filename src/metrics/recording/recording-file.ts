import { headerBytes, isWhole, readBlockHeader, readHeader, readTrailer } from './blocks.js';
import { ByteSource } from './byte-source.js';
import { FileWindow } from './file-window.js';
import {
  BLOCK,
  BLOCK_HEADER_BYTES,
  HEADER_BYTES,
  MARKER,
  type RecordingOrigin,
  TRAILER_BYTES,
} from './format.js';
import { RecordingError } from './recording-error.js';
import { type KeyFrame, readTimeIndex, type TimeIndex } from './time-index.js';

/** Bytes that are not as they were written, or do not make a whole block. */
export interface Cut {
  readonly offset: number;
  readonly bytes: number;
}

/** A block, and where it stands. */
export interface Block {
  readonly type: number;
  readonly offset: number;
  /** Behind it. */
  readonly end: number;
  /** Good until the next read. */
  readonly payload: Uint8Array;
}

/** What stands at an offset: a whole block, a damage with a whole block behind it, or nothing whole (yet). */
export type Found =
  | { readonly type: 'block'; readonly block: Block }
  | { readonly type: 'cut'; readonly cut: Cut }
  | { readonly type: 'end'; readonly rest: number; readonly isEnded: boolean };

/** One file of a recording, opened for reading. It may be written meanwhile, and it may be damaged anywhere but in its header. */
export class RecordingFile {
  readonly path: string;
  readonly origin: RecordingOrigin;
  /** Offset of the first block. */
  readonly start: number;
  readonly #window: FileWindow;

  /** @throws RecordingError; errors of the file system */
  constructor(path: string) {
    this.path = path;
    this.#window = new FileWindow(path);
    try {
      this.start = headerBytes(this.#window.at(0, HEADER_BYTES));
      const header = this.#window.at(0, this.start);
      if (header.length < this.start) throw new RecordingError('the header is cut off');
      this.origin = readHeader(header);
    } catch (error) {
      this.#window.close();
      if (!(error instanceof RecordingError)) throw error;
      throw new RecordingError(`${path}: ${error.message}`);
    }
  }

  get size(): number {
    return this.#window.size;
  }

  close(): void {
    this.#window.close();
  }

  blockAt(offset: number): Found {
    const block = this.#wholeAt(offset);
    if (block !== null) return { type: 'block', block };
    const { size } = this;
    const isEnded = size - offset === TRAILER_BYTES && this.#indexBytes() !== null;
    if (isEnded || offset >= size) return { type: 'end', rest: 0, isEnded };
    const next = this.#nextWhole(offset + 1, size);
    if (next === null) return { type: 'end', rest: size - offset, isEnded: false };
    return { type: 'cut', cut: { offset, bytes: next - offset } };
  }

  /** From the end of the file if it has one; otherwise the file is looked through. */
  index(): TimeIndex {
    const indexBytes = this.#indexBytes();
    if (indexBytes !== null) {
      const block = this.#wholeAt(this.size - TRAILER_BYTES - indexBytes);
      if (block?.type === BLOCK.index) {
        try {
          return readTimeIndex(new ByteSource(block.payload));
        } catch (error) {
          if (!(error instanceof RecordingError)) throw error;
        }
      }
    }
    return this.#lookThrough();
  }

  #indexBytes(): number | null {
    const { size } = this;
    if (size < this.start + TRAILER_BYTES) return null;
    const bytes = readTrailer(this.#window.at(size - TRAILER_BYTES, TRAILER_BYTES).slice());
    return bytes !== null && bytes <= size - TRAILER_BYTES - this.start ? bytes : null;
  }

  #wholeAt(offset: number): Block | null {
    const start = this.#window.at(offset, BLOCK_HEADER_BYTES);
    if (start.length < BLOCK_HEADER_BYTES) return null;
    const header = readBlockHeader(start);
    if (header === null) return null;
    const bytes = this.#window.at(offset, header.bytes);
    if (bytes.length < header.bytes || !isWhole(bytes, header)) return null;
    return {
      type: header.type,
      offset,
      end: offset + header.bytes,
      payload: bytes.subarray(BLOCK_HEADER_BYTES),
    };
  }

  /** Offset of the next whole block from there on. */
  #nextWhole(from: number, size: number): number | null {
    const step = 64 * 1024;
    for (let start = from; start < size; start += step) {
      // One byte more, for a marker that stands across; a copy, because looking at a block moves the window.
      const bytes = this.#window.at(start, step + 1).slice();
      for (let at = bytes.indexOf(MARKER[0]); at >= 0 && at < step; at = bytes.indexOf(MARKER[0], at + 1)) {
        if (bytes[at + 1] === MARKER[1] && this.#wholeAt(start + at) !== null) return start + at;
      }
    }
    return null;
  }

  #lookThrough(): TimeIndex {
    const descriptions: number[] = [];
    const keys: KeyFrame[] = [];
    let frames = 0;
    let lastAt = this.origin.at;
    for (let offset = this.start; ; ) {
      const found = this.blockAt(offset);
      if (found.type === 'end') return { descriptions, keys, lastAt, frames };
      if (found.type === 'cut') {
        offset += found.cut.bytes;
        continue;
      }
      const { type, payload, end } = found.block;
      if (type === BLOCK.descriptions) descriptions.push(offset);
      if (type === BLOCK.key || type === BLOCK.delta) {
        frames++;
        const source = new ByteSource(payload);
        source.varint();
        // Of a key frame the time as it is, of a delta frame the difference to the frame before.
        const time = source.zigzag();
        lastAt = type === BLOCK.key ? time : lastAt + time;
        if (type === BLOCK.key) keys.push({ at: time, offset });
      }
      offset = end;
    }
  }
}
