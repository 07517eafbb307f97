import type { FrameReader } from '../frame-reader.js';
import { FrameType } from '../frame-type.js';
import type { FrameWriter } from '../frame-writer.js';
import { NAME_BYTES_MAX, PIN_DIGITS_MAX, PIN_DIGITS_MIN } from '../limits.js';
import { BAD_FIELD } from '../protocol-error.js';

/** Proves the possession of the number. Answered by REGISTERED, or ERROR with the same ref. */
export interface Verify {
  readonly ref: number;
  readonly phone: number;
  /** 5 or 6 ASCII digits. */
  readonly pin: string;
  /** What others see; may be empty. At most 64 bytes. */
  readonly name: string;
}

export function encodeVerify(writer: FrameWriter, verify: Verify): void {
  if (!isPin(verify.pin)) throw new RangeError('a PIN has 5 or 6 digits');
  writer.begin(FrameType.verify, 0, 2 * 8 + 1 + PIN_DIGITS_MAX + 1 + NAME_BYTES_MAX);
  writer.varint(verify.ref);
  writer.varint(verify.phone);
  writer.text(verify.pin, PIN_DIGITS_MAX);
  writer.text(verify.name, NAME_BYTES_MAX);
  writer.end();
}

export function decodeVerify(reader: FrameReader): Verify {
  reader.allowFlags(0);
  const ref = reader.varint();
  const phone = reader.varint();
  const pin = reader.text(PIN_DIGITS_MAX);
  if (!isPin(pin)) throw BAD_FIELD;
  return { ref, phone, pin, name: reader.text(NAME_BYTES_MAX) };
}

/** Whether a text has the form of a PIN. */
export function isPin(text: string): boolean {
  return text.length >= PIN_DIGITS_MIN && text.length <= PIN_DIGITS_MAX && /^[0-9]+$/.test(text);
}
