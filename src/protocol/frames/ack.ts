import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** The client has accepted everything up to and including `seq`: the server wipes it. */
export function encodeAck(writer: FrameWriter, seq: number): void {
  writer.begin(FrameType.ack, 0, 8);
  writer.varint(seq);
  writer.end();
}

export function decodeAck(reader: FrameReader): number {
  reader.allowFlags(0);
  return reader.varint();
}
