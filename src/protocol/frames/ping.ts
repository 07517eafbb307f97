import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** Answered at once by a PONG with the same token. */
export function encodePing(writer: FrameWriter, token: number): void {
  writer.begin(FrameType.ping, 0, 8);
  writer.varint(token);
  writer.end();
}

export function encodePong(writer: FrameWriter, token: number): void {
  writer.begin(FrameType.pong, 0, 8);
  writer.varint(token);
  writer.end();
}

/** The token. */
export function decodePing(reader: FrameReader): number {
  reader.allowFlags(0);
  return reader.varint();
}

/** The token. */
export function decodePong(reader: FrameReader): number {
  reader.allowFlags(0);
  return reader.varint();
}
