import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** The user's inbox has moved: another port of the same host serves with fewer hops from now on. */
export interface Home {
  /** As in WELCOME; 0: this very port. */
  readonly homePort: number;
  /** The client moves no sooner than this. Already spread at random: add nothing. */
  readonly delayMs: number;
}

export function encodeHome(writer: FrameWriter, home: Home): void {
  writer.begin(FrameType.home, 0, 2 * 8, 8);
  writer.varint(home.homePort);
  writer.varint(home.delayMs);
  writer.end();
}

export function decodeHome(reader: FrameReader): Home {
  reader.allowFlags(0);
  return { homePort: reader.varint(), delayMs: reader.varint() };
}
