import type { ByteSink } from './byte-sink.js';
import type { ByteSource } from './byte-source.js';

/** Where reading can begin. */
export interface KeyFrame {
  /** Wall-clock ms. */
  readonly at: number;
  /** Of its block in the file. */
  readonly offset: number;
}

/** The payload of an index: at the end of a file that was ended in order, and made again by looking through any other. */
export interface TimeIndex {
  /** Offsets of the blocks of descriptions. */
  readonly descriptions: readonly number[];
  readonly keys: readonly KeyFrame[];
  /** Of the last frame, key or delta; of the first one if there is none. */
  readonly lastAt: number;
  readonly frames: number;
}

export function writeTimeIndex(sink: ByteSink, { descriptions, keys, lastAt, frames }: TimeIndex): void {
  sink.varint(descriptions.length);
  let before = 0;
  for (const offset of descriptions) {
    sink.varint(offset - before);
    before = offset;
  }
  sink.varint(keys.length);
  before = 0;
  let atBefore = 0;
  for (const { at, offset } of keys) {
    sink.zigzag(at - atBefore);
    sink.varint(offset - before);
    atBefore = at;
    before = offset;
  }
  sink.zigzag(lastAt - atBefore);
  sink.varint(frames);
}

/** @throws RecordingError */
export function readTimeIndex(source: ByteSource): TimeIndex {
  const descriptions: number[] = [];
  let before = 0;
  for (let left = source.varint(); left > 0; left--) {
    before += source.varint();
    descriptions.push(before);
  }
  const keys: KeyFrame[] = [];
  before = 0;
  let at = 0;
  for (let left = source.varint(); left > 0; left--) {
    at += source.zigzag();
    before += source.varint();
    keys.push({ at, offset: before });
  }
  return { descriptions, keys, lastAt: at + source.zigzag(), frames: source.varint() };
}
