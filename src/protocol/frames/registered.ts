import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { KEY_BYTES } from '../limits.js';

/** The number is this device's now; the device before it, if any, is out. The client sends HELLO next. */
export interface Registered {
  readonly ref: number;
  readonly user: number;
  readonly device: number;
  /** 32 bytes. The only time that the server tells it. */
  readonly key: Uint8Array;
  /** The device numbers its SENDs and RECEIPTs from here. */
  readonly firstMessageId: number;
}

export function encodeRegistered(writer: FrameWriter, registered: Registered): void {
  if (registered.key.length !== KEY_BYTES) throw new RangeError('a key has 32 bytes');
  writer.begin(FrameType.registered, 0, 4 * 8 + KEY_BYTES);
  writer.varint(registered.ref);
  writer.varint(registered.user);
  writer.varint(registered.device);
  writer.raw(registered.key, 0, KEY_BYTES);
  writer.varint(registered.firstMessageId);
  writer.end();
}

export function decodeRegistered(reader: FrameReader): Registered {
  reader.allowFlags(0);
  return {
    ref: reader.varint(),
    user: reader.varint(),
    device: reader.varint(),
    key: reader.raw(KEY_BYTES),
    firstMessageId: reader.varint(),
  };
}
