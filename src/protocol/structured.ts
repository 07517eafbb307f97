import { Packr } from 'msgpackr';
import { INVALID_BODY } from './protocol-error.js';
import { checkStructured, type StructuredLimits } from './structured-check.js';

/** What bodies of requests and replies are made of: MessagePack without extensions. */
export type StructuredValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly StructuredValue[]
  | StructuredMap;
export interface StructuredMap {
  readonly [key: string]: StructuredValue;
}

// No records: they are an extension of msgpackr's own, which nobody else reads. Binaries are copied out of
// the message, whose buffer is somebody else's. 64-bit integers were checked to fit a number.
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  copyBuffers: true,
  int64AsType: 'number',
});

/**
 * A map as MessagePack. Throws a RangeError when it is not within the limits (that is a bug of the caller, or
 * a list that should have been cut into pages).
 */
export function encodeStructured(value: StructuredMap, limits: StructuredLimits): Uint8Array {
  const bytes = packr.pack(value);
  try {
    checkStructured(bytes, 0, bytes.length, limits);
  } catch {
    throw new RangeError('the value is not a map of plain values within the protocol’s limits');
  }
  return bytes;
}

/**
 * The map in `bytes[start, end)`. Structure, depth, counts, sizes and texts are checked before msgpackr sees
 * the bytes. Throws `INVALID_BODY` or `BODY_TOO_LARGE`.
 */
export function decodeStructured(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: StructuredLimits,
): StructuredMap {
  checkStructured(bytes, start, end, limits);
  try {
    return packr.unpack(bytes.subarray(start, end)) as StructuredMap;
  } catch {
    throw INVALID_BODY;
  }
}
