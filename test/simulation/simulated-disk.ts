import { type Disk, DiskError } from '../../src/storage/memory/disk.js';
import { StoreFailure } from '../../src/storage/stores.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import type { Trace } from './trace.js';

const SECTOR_BYTES = 512;

/**
 * A file on a disk that keeps no more than it promises. What was not synced is lost at a crash, or stays, or is
 * torn at any byte, or sector by sector; a sync that failed may have written nothing while later ones say that all
 * is well (the pages are marked clean: "fsyncgate", 2018); a full disk takes part of an append.
 */
export class SimulatedDisk implements Disk {
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #isLying: boolean;
  #content = new Uint8Array(4096);
  #length = 0;
  /** Everything below survives. */
  #durable = 0;
  /** Bytes from here on are not written by any later sync; Infinity: none such. */
  #poisonedFrom = Number.POSITIVE_INFINITY;
  /** What a truncate took away and a crash may bring back; its place is at the durable end. */
  #cutOff: Uint8Array | null = null;
  #isDead = false;
  /** Bytes that fit; Infinity: no bound. */
  room = Number.POSITIVE_INFINITY;
  failAppend = 0;
  failSync = 0;
  /** The power fails in the middle of the next sync, with this probability. */
  dieInSync = 0;
  syncs = 0;

  /** @param isLying its syncs do nothing */
  constructor(random: SeededRandom, trace: Trace, isLying: boolean) {
    this.#random = random;
    this.#trace = trace;
    this.#isLying = isLying;
  }

  get size(): number {
    return this.#length;
  }

  /** The power failed in the middle of something. */
  get isDead(): boolean {
    return this.#isDead;
  }

  append(bytes: Uint8Array): void {
    this.#assertAlive();
    if (this.#happens(this.failAppend)) throw this.#failure(StoreFailure.io);
    const fits = Math.min(bytes.length, Math.max(0, this.room - this.#length));
    this.#write(bytes.subarray(0, fits));
    if (fits < bytes.length) throw this.#failure(StoreFailure.diskFull);
  }

  sync(): void {
    this.#assertAlive();
    this.syncs++;
    if (this.#happens(this.dieInSync)) {
      this.#isDead = true;
      this.#trace.note('power', this.#length, this.#durable, () => 'power fails in a sync');
      throw new DiskError(StoreFailure.io, 'the power has failed');
    }
    if (this.#happens(this.failSync)) {
      if (this.#length > this.#durable && this.#random.next() < 0.5)
        this.#poisonedFrom = Math.min(this.#poisonedFrom, this.#durable);
      throw this.#failure(StoreFailure.io);
    }
    if (this.#isLying) return;
    this.#durable = Math.min(this.#length, this.#poisonedFrom);
    this.#cutOff = null;
  }

  read(offset: number, length: number): Uint8Array {
    this.#assertAlive();
    return this.#content.slice(offset, Math.min(offset + length, this.#length));
  }

  truncate(length: number): void {
    this.#assertAlive();
    if (length >= this.#length) return;
    if (length < this.#durable) {
      this.#cutOff = this.#content.slice(length, this.#durable);
      this.#durable = length;
    }
    this.#length = length;
    if (length <= this.#poisonedFrom) this.#poisonedFrom = Number.POSITIVE_INFINITY;
  }

  /**
   * Another process opens the file. What a failed sync has marked clean was thrown out of the page cache meanwhile, and
   * is gone, or was written again by somebody, and waits for a sync like anything else.
   */
  reopened(): void {
    if (this.#poisonedFrom === Number.POSITIVE_INFINITY) return;
    if (this.#random.next() < 0.5) this.#length = Math.min(this.#length, this.#poisonedFrom);
    this.#poisonedFrom = Number.POSITIVE_INFINITY;
  }

  /** A copy of what would survive now. */
  backup(): Uint8Array {
    return this.#content.slice(0, this.#durable);
  }

  /** Another file takes its place, durably. */
  restore(content: Uint8Array): void {
    this.#length = 0;
    this.#write(content);
    this.#durable = this.#length;
    this.#poisonedFrom = Number.POSITIVE_INFINITY;
    this.#cutOff = null;
    this.#isDead = false;
  }

  /** The machine stops and comes back: what was not synced is at the mercy of chance. */
  crash(): void {
    const random = this.#random;
    const unsynced = this.#content.slice(this.#durable, this.#length);
    const before = unsynced.length;
    const tail = this.#cutOff !== null && random.next() < 0.5 ? this.#cutOff : this.#survivors(unsynced);
    this.#length = this.#durable;
    this.#write(tail);
    this.#durable = this.#length;
    this.#poisonedFrom = Number.POSITIVE_INFINITY;
    this.#cutOff = null;
    this.#isDead = false;
    this.#trace.note(
      'disk-crash',
      before,
      tail.length,
      () => `of ${before} unsynced bytes ${tail.length} are left`,
    );
  }

  #survivors(unsynced: Uint8Array): Uint8Array {
    const random = this.#random;
    const lost = this.#poisonedFrom <= this.#durable;
    switch (lost ? 0 : random.below(4)) {
      case 0:
        return unsynced.subarray(0, 0);
      case 1:
        return unsynced;
      case 2:
        return unsynced.subarray(0, random.below(unsynced.length + 1));
      default: {
        // Sectors reach the platter in any order; those that did not are zeros, or what was there before.
        const torn = unsynced.slice(0, random.below(unsynced.length + 1));
        const offset = this.#durable % SECTOR_BYTES;
        for (let start = -offset; start < torn.length; start += SECTOR_BYTES) {
          if (random.next() < 0.5) continue;
          torn.fill(
            random.next() < 0.5 ? 0 : random.below(256),
            Math.max(0, start),
            Math.max(0, start + SECTOR_BYTES),
          );
        }
        return torn;
      }
    }
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random.next() < probability;
  }

  #failure(failure: StoreFailure): DiskError {
    this.#trace.note('disk-error', this.#length, failure, () => `failure ${failure}`);
    return new DiskError(failure, 'injected');
  }

  #assertAlive(): void {
    if (this.#isDead) throw new DiskError(StoreFailure.io, 'the power has failed');
  }

  #write(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#content.length) {
      const grown = new Uint8Array(Math.max(end, this.#content.length * 2));
      grown.set(this.#content.subarray(0, this.#length));
      this.#content = grown;
    }
    this.#content.set(bytes, this.#length);
    this.#length = end;
  }
}
