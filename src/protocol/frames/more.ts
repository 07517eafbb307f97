import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** Something waits, and the server pushes nothing until the client has PULLed it all. */
export interface More {
  /** The highest seq of the inbox. */
  readonly head: number;
  /** Entries waiting, and bytes of their bodies, when the frame was made. */
  readonly count: number;
  readonly bytes: number;
}

export function encodeMore(writer: FrameWriter, head: number, count: number, bytes: number): void {
  writer.begin(FrameType.more, 0, 3 * 8);
  writer.varint(head);
  writer.varint(count);
  writer.varint(bytes);
  writer.end();
}

export function decodeMore(reader: FrameReader): More {
  reader.allowFlags(0);
  return { head: reader.varint(), count: reader.varint(), bytes: reader.varint() };
}
