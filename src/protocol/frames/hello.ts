import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { AGENT_BYTES_MAX, KEY_BYTES } from '../limits.js';
import { BAD_FIELD } from '../protocol-error.js';

/** The client's first frame: who it is, what it speaks, and how far it has got. */
export interface Hello {
  /** Protocol versions that the client speaks, both included. */
  readonly versionMin: number;
  readonly versionMax: number;
  /** Capability bits that the client offers. None are defined in version 1. */
  readonly capabilities: number;
  /** The user's phone number; 0: not registered, the connection is for registration. */
  readonly user: number;
  readonly device: number;
  /** 32 bytes, or none when not registered. */
  readonly key: Uint8Array;
  /** The cursor: everything up to `seq` of this epoch was accepted. 0, 0: no state. */
  readonly epoch: number;
  readonly seq: number;
  /** Name and version of the client program, for the operator. At most 64 bytes. */
  readonly agent: string;
}

export function encodeHello(writer: FrameWriter, hello: Hello): void {
  if (hello.key.length !== 0 && hello.key.length !== KEY_BYTES) throw new RangeError('a key has 32 bytes');
  writer.begin(FrameType.hello, 0, 7 * 8 + 1 + KEY_BYTES + 1 + AGENT_BYTES_MAX);
  writer.varint(hello.versionMin);
  writer.varint(hello.versionMax);
  writer.varint(hello.capabilities);
  writer.varint(hello.user);
  writer.varint(hello.device);
  writer.blob(hello.key, 0, hello.key.length);
  writer.varint(hello.epoch);
  writer.varint(hello.seq);
  writer.text(hello.agent, AGENT_BYTES_MAX);
  writer.end();
}

export function decodeHello(reader: FrameReader): Hello {
  reader.allowFlags(0);
  const versionMin = reader.varint();
  const versionMax = reader.varint();
  if (versionMin < 1 || versionMax < versionMin) throw BAD_FIELD;
  const capabilities = reader.varint();
  const user = reader.varint();
  const device = reader.varint();
  reader.blob();
  const keyBytes = reader.blobEnd - reader.blobStart;
  if (keyBytes !== 0 && keyBytes !== KEY_BYTES) throw BAD_FIELD;
  const key = reader.copyBlob();
  const epoch = reader.varint();
  const seq = reader.varint();
  const agent = reader.text(AGENT_BYTES_MAX);
  return { versionMin, versionMax, capabilities, user, device, key, epoch, seq, agent };
}
