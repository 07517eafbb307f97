import type { ChunkStore, StoredChunk } from '../../src/structures/chunk-store.js';

interface Kept<T> extends StoredChunk {
  values: readonly (T | undefined)[] | null;
}

/** A store of chunks that is no more than an array, and minds whether it is used as it must be. Every `refuses`th chunk it does not take. */
export class MemoryChunkStore<T> implements ChunkStore<T> {
  /** Chunks that it has. */
  chunks = 0;
  /** Chunks that it ever took. */
  stores = 0;
  #asked = 0;

  constructor(
    public storeAt: number,
    private readonly refuses = Number.POSITIVE_INFINITY,
  ) {}

  store(slots: readonly (T | undefined)[], begin: number, end: number): StoredChunk | null {
    if (++this.#asked % this.refuses === 0) return null;
    const values = slots.slice(begin, end);
    if (values.length === 0 || values.includes(undefined)) throw new Error('a chunk that is not full');
    this.chunks++;
    this.stores++;
    const kept: Kept<T> = { count: values.length, values };
    return kept;
  }

  load(chunk: StoredChunk, slots: (T | undefined)[], begin: number): void {
    const { values } = chunk as Kept<T>;
    if (values === null) throw new Error('loaded after it was freed');
    for (const [at, value] of values.entries()) slots[begin + at] = value;
  }

  free(chunk: StoredChunk): void {
    const kept = chunk as Kept<T>;
    if (kept.values === null) throw new Error('freed twice');
    kept.values = null;
    this.chunks--;
  }
}
