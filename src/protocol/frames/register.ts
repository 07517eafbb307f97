import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** Asks for a PIN by SMS. Answered by CHALLENGE, or ERROR with the same ref. */
export interface Register {
  /** Chosen by the client; comes back in the answer. */
  readonly ref: number;
  /** E.164 digits as an integer. Not checked here: a bad one is answered with `badPhone`. */
  readonly phone: number;
}

export function encodeRegister(writer: FrameWriter, register: Register): void {
  writer.begin(FrameType.register, 0, 2 * 8);
  writer.varint(register.ref);
  writer.varint(register.phone);
  writer.end();
}

export function decodeRegister(reader: FrameReader): Register {
  reader.allowFlags(0);
  return { ref: reader.varint(), phone: reader.varint() };
}
