import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** Acknowledges everything up to `seq` and asks for what follows. Answered by one BATCH. */
export class Pull {
  seq = 0;
  /** Bounds of the answer, clamped by the server; 0 leaves the choice to the server. */
  countMax = 0;
  bytesMax = 0;
}

export function encodePull(writer: FrameWriter, seq: number, countMax: number, bytesMax: number): void {
  writer.begin(FrameType.pull, 0, 3 * 8);
  writer.varint(seq);
  writer.varint(countMax);
  writer.varint(bytesMax);
  writer.end();
}

export function decodePull(reader: FrameReader, into: Pull): void {
  reader.allowFlags(0);
  into.seq = reader.varint();
  into.countMax = reader.varint();
  into.bytesMax = reader.varint();
}
