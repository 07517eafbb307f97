/** A chunk of entries that is somewhere else: the store's own. */
export interface StoredChunk {
  /** Entries in it. */
  readonly count: number;
}

/** Where a {@link Fifo} keeps the middle of a long queue. Shared by any number of queues. */
export interface ChunkStore<T> {
  /** Length from which on a queue's full chunks are stored; they are until it is below half of it. Infinity: none are. */
  readonly storeAt: number;
  /** Takes `slots[begin, end)`; null: they stay where they are. Nothing has happened if it throws. */
  store(slots: readonly (T | undefined)[], begin: number, end: number): StoredChunk | null;
  /** Puts the entries into `slots`, from `begin` on. They stay stored. What it throws escapes from the queue. */
  load(chunk: StoredChunk, slots: (T | undefined)[], begin: number): void;
  /** The entries are needed no more: they were loaded for good, or nobody will ask for them. Called once for each chunk. */
  free(chunk: StoredChunk): void;
}
