import { BAD_TEXT } from './protocol-error.js';

// `ignoreBOM` keeps a byte order mark as a character: what is sent is what arrives.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The text in `bytes[start, end)`; throws `BAD_TEXT` when it is not valid UTF-8 (RFC 3629). */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    throw BAD_TEXT;
  }
}

/** UTF-8 of `text`; lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The longest beginning of `text` that takes at most `bytesMax` bytes and splits no character. */
export function clipUtf8(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  let bytes = 0;
  let kept = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
    if (bytes > bytesMax) break;
    kept += character.length;
  }
  return text.slice(0, kept);
}
