import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';

/** The answer to REGISTER, the same whether the number is known or not: a PIN is on its way. */
export interface Challenge {
  readonly ref: number;
  /** How many digits the PIN has. */
  readonly digits: number;
  /** For so long the PIN is good. */
  readonly expiresMs: number;
  /** Another PIN for this number cannot be had before. */
  readonly resendAfterMs: number;
}

export function encodeChallenge(writer: FrameWriter, challenge: Challenge): void {
  writer.begin(FrameType.challenge, 0, 3 * 8 + 1);
  writer.varint(challenge.ref);
  writer.u8(challenge.digits);
  writer.varint(challenge.expiresMs);
  writer.varint(challenge.resendAfterMs);
  writer.end();
}

export function decodeChallenge(reader: FrameReader): Challenge {
  reader.allowFlags(0);
  return {
    ref: reader.varint(),
    digits: reader.u8(),
    expiresMs: reader.varint(),
    resendAfterMs: reader.varint(),
  };
}
