import { crc32 } from '../../structures/crc32.js';
import { RecordMemory } from '../../structures/record-memory.js';
import type { Disk } from './disk.js';

/** "RkLg" and the version of the format. */
const MAGIC = 0x526b_4c01;
const HEADER_BYTES = 8;

/**
 * Batches of commands in an append-only file.
 *
 *     file   = batch …
 *     batch  = length uint32 · CRC-32 of the rest uint32 · the first one: magic uint32, 0, epoch float64;
 *              the others: commands as records (codec/command-codec.ts)
 *
 * Everything little-endian (the byte order of the machine, which is that), and a multiple of 8 long. A batch
 * that is cut, or whose checksum is wrong, ends the log: it was never synced, so nobody was told of it.
 */
export class CommandLog {
  readonly #disk: Disk;
  readonly epoch: number;
  /** Bytes of whole batches. What is behind was written in vain. */
  #size = 0;

  /** Opens the log, or makes one for `epoch` on an empty disk. @throws {DiskError} */
  constructor(disk: Disk, epoch: number) {
    this.#disk = disk;
    const first = this.#readAt(0);
    if (first === null || first.i32[0] !== (MAGIC | 0)) {
      this.epoch = epoch;
      const payload = new RecordMemory(new ArrayBuffer(16), 0, 16);
      payload.i32[0] = MAGIC | 0;
      payload.f64[1] = epoch;
      disk.truncate(0);
      this.append(payload.bytes);
    } else {
      this.epoch = first.f64[1]!;
      this.#size = HEADER_BYTES + first.bytes.length;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Calls `visit` for each batch behind the header; then cuts off what is not whole. @throws {DiskError} */
  replay(visit: (batch: RecordMemory) => void): void {
    this.#size = HEADER_BYTES + 16;
    for (let batch = this.#readAt(this.#size); batch !== null; batch = this.#readAt(this.#size)) {
      visit(batch);
      this.#size += HEADER_BYTES + batch.bytes.length;
    }
    if (this.#disk.size > this.#size) this.#disk.truncate(this.#size);
    // What was read may not be on the disk yet: a process that ended before its sync left it in the page cache.
    this.#disk.sync();
  }

  /** Appends a batch and syncs. After an error the log must be replayed before it is used again. @throws {DiskError} */
  append(payload: Uint8Array): void {
    const frame = new RecordMemory(
      new ArrayBuffer(HEADER_BYTES + payload.length),
      0,
      HEADER_BYTES + payload.length,
    );
    frame.bytes.set(payload, HEADER_BYTES);
    frame.i32[0] = payload.length;
    frame.i32[1] = crc32(payload) | 0;
    this.#disk.append(frame.bytes);
    this.#disk.sync();
    this.#size += frame.bytes.length;
  }

  /** The payload of the batch at `offset`; null when there is no whole one. */
  #readAt(offset: number): RecordMemory | null {
    const header = this.#disk.read(offset, HEADER_BYTES);
    if (header.length < HEADER_BYTES) return null;
    const [length, checksum] = new Int32Array(header.buffer, header.byteOffset, 2) as unknown as [
      number,
      number,
    ];
    if (length <= 0 || length % 8 !== 0 || offset + HEADER_BYTES + length > this.#disk.size) return null;
    const payload = this.#disk.read(offset + HEADER_BYTES, length);
    if (payload.length < length || (crc32(payload) | 0) !== checksum) return null;
    return new RecordMemory(payload.buffer, payload.byteOffset, length);
  }
}
