import type { StoreFailure } from '../stores.js';

/**
 * One append-only file on a disk, as the memory store's log uses it: synchronous, and honest about what is
 * durable. Implemented in memory here, and by simulations that lose and tear what was not synced.
 */
export interface Disk {
  /** Bytes in the file, synced or not. */
  readonly size: number;
  /** @throws {DiskError} with nothing or a part of `bytes` written */
  append(bytes: Uint8Array): void;
  /** Makes everything appended so far durable. @throws {DiskError} */
  sync(): void;
  /** A copy of `length` bytes from `offset`, fewer at the end of the file. @throws {DiskError} */
  read(offset: number, length: number): Uint8Array;
  /** Cuts the file. Durable with the next sync. @throws {DiskError} */
  truncate(size: number): void;
}

/** What a disk throws; the store fails its batch with the same reason. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly failure: StoreFailure;

  constructor(failure: StoreFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
