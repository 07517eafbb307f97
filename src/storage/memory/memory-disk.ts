import type { Random } from '../../structures/random.js';
import { StoreFailure } from '../stores.js';
import { type Disk, DiskError } from './disk.js';

/** A crash loses or keeps what was not synced in pieces of this size. */
const SECTOR_BYTES = 512;

/**
 * A disk in memory that behaves as badly as a real one may: it knows what was synced, forgets the rest in a
 * crash, piece by piece, and can be full or broken.
 */
export class MemoryDisk implements Disk {
  #bytes = new Uint8Array(4096);
  #size = 0;
  /** What a crash cannot take: the bytes up to here. */
  #synced = 0;
  /** Bytes that fit. May be changed at any time. */
  capacity = Number.POSITIVE_INFINITY;
  /** While set, every write and sync fails with it. */
  broken: StoreFailure | null = null;
  /** Syncs since the start. */
  syncs = 0;

  get size(): number {
    return this.#size;
  }

  get syncedSize(): number {
    return this.#synced;
  }

  append(bytes: Uint8Array): void {
    this.#check();
    const room = this.capacity - this.#size;
    const written = Math.max(0, Math.min(bytes.length, room));
    this.#reserve(this.#size + written);
    this.#bytes.set(bytes.subarray(0, written), this.#size);
    this.#size += written;
    if (written < bytes.length) throw new DiskError(StoreFailure.diskFull, 'the disk is full');
  }

  sync(): void {
    this.#check();
    this.syncs++;
    this.#synced = this.#size;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(offset, Math.min(offset + length, this.#size));
  }

  truncate(size: number): void {
    this.#check();
    this.#size = Math.min(this.#size, size);
    this.#synced = Math.min(this.#synced, this.#size);
  }

  /**
   * The machine goes down: of what was not synced each sector is there or is not (then it reads as zeroes, or
   * the file ends before it).
   */
  crash(random: Random): void {
    const end = this.#synced + Math.floor(random.next() * (this.#size - this.#synced + 1));
    for (let at = this.#synced; at < end; ) {
      const next = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
      if (random.next() < 0.3) this.#bytes.fill(0, at, next);
      at = next;
    }
    this.#size = end;
    // What survived one crash survives the next.
    this.#synced = end;
  }

  /** Turns a bit around, wherever it is: what checksums are for. */
  flip(offset: number, bit: number): void {
    this.#bytes[offset]! ^= 1 << bit;
  }

  #check(): void {
    if (this.broken !== null) throw new DiskError(this.broken, 'the disk is broken');
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = bytes;
  }
}
