/** The bytes of a recording; docs/operations/wsar-format.md draws them. */

/** Not text, and spoilt by whatever turns line ends: as PNG's. */
export const MAGIC = Uint8Array.of(0x89, 0x57, 0x53, 0x41, 0x52, 0x0d, 0x0a, 0x1a);
export const FORMAT_VERSION = 1;
/** Magic, version, a byte that is 0, length of what follows. */
export const HEADER_BYTES = 12;
export const CRC_BYTES = 4;

/** Two bytes that begin every block, for finding the next one behind a damage. */
export const MARKER = [0xb7, 0x0d] as const;
/** Marker, type, a byte that is 0, length of the payload, CRC of the payload and then of the bytes 2 to 7. */
export const BLOCK_HEADER_BYTES = 12;
export const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024;

/** Readers skip types that they do not know. */
export const BLOCK = { descriptions: 1, key: 2, delta: 3, index: 4 } as const;

/** Behind the index: its length (header and all), the CRC of these four bytes, and the end's magic. */
export const TRAILER_BYTES = 16;
export const END_MAGIC = new TextEncoder().encode('WSAREND\n');

/** Name of a file that begins at this wall-clock ms: in the order of time. */
export function recordingName(at: number): string {
  return `wsar-${new Date(at).toISOString().replace(/[-:.]/g, '')}.wsar`;
}

export const RECORDING_NAME = /^wsar-\d{8}T\d{9}Z\.wsar$/;

/** What a file says of itself in its header, as JSON. */
export interface RecordingOrigin {
  /** The same for all files of one run of what was recorded: counters go on from one to the next. */
  readonly run: string;
  /** Wall-clock ms of its beginning. */
  readonly at: number;
  readonly host: string;
  readonly system: string;
  readonly cpus: number;
  /** What was recorded, such as `rookery 0.1.0`. */
  readonly program: string;
  readonly intervalMs: number;
}
