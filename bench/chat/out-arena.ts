const CHUNK_BYTES = 1 << 20;

/**
 * Memory for writes. A socket may still read from a buffer after `write` returned, so what is written is never
 * overwritten: slices are cut from a large chunk, and the chunk is left to the collector when it is used up.
 */
export class OutArena {
  /** The chunk: write at `at`, then {@link take}. */
  chunk = Buffer.alloc(CHUNK_BYTES, 'x');
  at = 0;

  /** Makes sure that so many bytes fit behind `at`. */
  reserve(bytes: number): void {
    if (bytes <= this.chunk.length - this.at) return;
    this.chunk = Buffer.alloc(Math.max(CHUNK_BYTES, bytes), 'x');
    this.at = 0;
  }

  /** What was written from `start` to `at`. */
  take(start: number): Buffer {
    return this.chunk.subarray(start, this.at);
  }
}

export const arena = new OutArena();
