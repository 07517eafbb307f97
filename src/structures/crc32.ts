const TABLE = new Int32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) !== 0 ? (c >>> 1) ^ 0xedb8_8320 : c >>> 1;
  TABLE[n] = c;
}

/**
 * CRC-32 as in gzip and zip (ISO 3309), unsigned.
 *
 * @param before that of the bytes before these, of which it goes on.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let c = ~before;
  for (let at = 0; at < bytes.length; at++) c = TABLE[(c ^ bytes[at]!) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}
