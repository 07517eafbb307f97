import { crc32 } from '../../structures/crc32.js';
import type { ByteSink } from './byte-sink.js';
import { ByteSource } from './byte-source.js';
import {
  BLOCK_HEADER_BYTES,
  CRC_BYTES,
  END_MAGIC,
  FORMAT_VERSION,
  HEADER_BYTES,
  MAGIC,
  MARKER,
  PAYLOAD_BYTES_MAX,
  type RecordingOrigin,
  TRAILER_BYTES,
} from './format.js';
import { RecordingError } from './recording-error.js';

export function writeHeader(sink: ByteSink, origin: RecordingOrigin): void {
  const start = sink.length;
  const text = new TextEncoder().encode(JSON.stringify(origin));
  sink.append(MAGIC);
  sink.u8(FORMAT_VERSION);
  sink.u8(0);
  sink.u16(text.length);
  sink.append(text);
  sink.u32(crc32(sink.bytes.subarray(start)));
}

/** @returns the bytes that a header takes, from its first {@link HEADER_BYTES}. @throws RecordingError */
export function headerBytes(start: Uint8Array): number {
  if (start.length < HEADER_BYTES || MAGIC.some((byte, index) => start[index] !== byte))
    throw new RecordingError('this is no recording of wsar');
  const version = start[8]!;
  if (version > FORMAT_VERSION)
    throw new RecordingError(`a recording of version ${version}; this program reads ${FORMAT_VERSION}`);
  return HEADER_BYTES + new ByteSource(start, 10).u16() + CRC_BYTES;
}

/** @param header all of {@link headerBytes}. @throws RecordingError */
export function readHeader(header: Uint8Array): RecordingOrigin {
  const end = header.length - CRC_BYTES;
  if (new ByteSource(header, end).u32() !== crc32(header.subarray(0, end)))
    throw new RecordingError('the header is damaged');
  try {
    return JSON.parse(new TextDecoder().decode(header.subarray(HEADER_BYTES, end))) as RecordingOrigin;
  } catch {
    throw new RecordingError('the header is not JSON');
  }
}

export function writeBlock(sink: ByteSink, type: number, payload: Uint8Array): void {
  if (payload.length > PAYLOAD_BYTES_MAX) throw new RangeError(`a block of ${payload.length} bytes`);
  const start = sink.length;
  for (const byte of MARKER) sink.u8(byte);
  sink.u8(type);
  sink.u8(0);
  sink.u32(payload.length);
  sink.u32(crc32(sink.bytes.subarray(start + 2, start + 8), crc32(payload)));
  sink.append(payload);
}

export interface BlockHeader {
  readonly type: number;
  /** Of the whole block. */
  readonly bytes: number;
  readonly crc: number;
}

/** The header of a block; null for bytes that cannot be one. @param bytes from its beginning, {@link BLOCK_HEADER_BYTES} of them. */
export function readBlockHeader(bytes: Uint8Array): BlockHeader | null {
  if (bytes[0] !== MARKER[0] || bytes[1] !== MARKER[1] || bytes[3] !== 0) return null;
  const source = new ByteSource(bytes, 4);
  const length = source.u32();
  if (length > PAYLOAD_BYTES_MAX) return null;
  return { type: bytes[2]!, bytes: BLOCK_HEADER_BYTES + length, crc: source.u32() };
}

/** Whether a block's bytes are as they were written. */
export function isWhole(block: Uint8Array, { crc }: BlockHeader): boolean {
  return crc32(block.subarray(2, 8), crc32(block.subarray(BLOCK_HEADER_BYTES))) === crc;
}

/** @param indexBytes of the whole index block before it. */
export function writeTrailer(sink: ByteSink, indexBytes: number): void {
  const start = sink.length;
  sink.u32(indexBytes);
  sink.u32(crc32(sink.bytes.subarray(start, start + 4)));
  sink.append(END_MAGIC);
}

/** Bytes of the index block before this trailer; null if it is none. */
export function readTrailer(bytes: Uint8Array): number | null {
  if (bytes.length !== TRAILER_BYTES || END_MAGIC.some((byte, index) => bytes[8 + index] !== byte))
    return null;
  const source = new ByteSource(bytes);
  const length = source.u32();
  return source.u32() === crc32(bytes.subarray(0, 4)) ? length : null;
}
