import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { HOST_BYTES_MAX } from '../limits.js';

/** The server is about to close this connection and says when and where to come back. */
export interface GoAway {
  /** The close code that will follow. */
  readonly reason: number;
  /** Connect again no sooner than this after the close. Already spread at random: add nothing. */
  readonly delayMs: number;
  /** `host` or `host:port`; empty: the same as now. */
  readonly host: string;
}

export function encodeGoAway(writer: FrameWriter, goAway: GoAway): void {
  writer.begin(FrameType.goAway, 0, 2 * 8 + 2 + HOST_BYTES_MAX, 16);
  writer.varint(goAway.reason);
  writer.varint(goAway.delayMs);
  writer.text(goAway.host, HOST_BYTES_MAX);
  writer.end();
}

export function decodeGoAway(reader: FrameReader): GoAway {
  reader.allowFlags(0);
  return { reason: reader.varint(), delayMs: reader.varint(), host: reader.text(HOST_BYTES_MAX) };
}
