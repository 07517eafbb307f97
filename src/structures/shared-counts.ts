import { SharedKeys, WINDOW } from './shared-keys.js';

/**
 * How many of something each key has, counted by several threads together. Every thread writes a column of its own
 * and reads the sum, so nothing is lost when one dies: its column is {@link SharedCounts.clear cleared}.
 *
 *     keys (shared-keys.ts) · for each slot int32 × columns
 */
export class SharedCounts {
  readonly #keys: SharedKeys;
  readonly #counts: Int32Array;
  readonly #columns: number;
  readonly #column: number;

  /** @param column 0 … columns − 1: this thread's. */
  constructor(
    memory: SharedArrayBuffer,
    byteOffset: number,
    slots: number,
    columns: number,
    column: number,
    seed: number,
  ) {
    if (!(column >= 0 && column < columns))
      throw new RangeError(`there is no column ${column} of ${columns}`);
    this.#keys = new SharedKeys(memory, byteOffset, slots, seed);
    this.#counts = new Int32Array(memory, byteOffset + SharedKeys.bytesOf(slots), slots * columns);
    this.#columns = columns;
    this.#column = column;
  }

  static bytesOf(slots: number, columns: number): number {
    return SharedKeys.bytesOf(slots) + ((slots * columns * 4 + 7) & ~7);
  }

  /**
   * One more, unless there would be more than `max`. Two threads at the same moment may both be refused the last one;
   * and while a thread looks whether it may have a slot, what is counted there may be overlooked.
   *
   * @returns where it is counted, for {@link remove}; −1: refused.
   */
  add(key: string, max: number): number {
    const hash = this.#keys.hash(key);
    for (let tries = 0; tries < 2 * WINDOW; tries++) {
      const slot = this.#slotOf(hash);
      // The table is full: more keys than it was made for.
      if (slot < 0) return -1;
      const at = slot * this.#columns + this.#column;
      Atomics.add(this.#counts, at, 1);
      // Whoever takes a slot away looks at the counts after it has hidden the key: one of us sees the other.
      if (this.#keys.at(slot) === hash && this.#sum(hash) <= max) return slot;
      Atomics.sub(this.#counts, at, 1);
      if (this.#keys.at(slot) === hash) return -1;
    }
    return -1;
  }

  /** One less of what this thread has added, by what `add` returned. */
  remove(slot: number): void {
    Atomics.sub(this.#counts, slot * this.#columns + this.#column, 1);
  }

  /** How many a key has, over all threads. */
  count(key: string): number {
    return this.#sum(this.#keys.hash(key));
  }

  /** Keys that have any. Walks through the table. */
  get size(): number {
    let size = 0;
    for (let slot = 0; slot < this.#keys.slots; slot++) if (!this.#isIdle(slot)) size++;
    return size;
  }

  /** Forgets what a thread that is gone had counted. Walks through the table. */
  clear(column: number): void {
    for (let slot = 0; slot < this.#keys.slots; slot++) {
      const at = slot * this.#columns + column;
      if (this.#counts[at] !== 0) Atomics.store(this.#counts, at, 0);
    }
  }

  #sum(hash: bigint): number {
    let sum = 0;
    for (let offset = 0; offset < WINDOW; offset++) {
      const slot = this.#keys.slotAt(hash, offset);
      if (this.#keys.at(slot) !== hash) continue;
      for (let column = 0; column < this.#columns; column++) {
        sum += Atomics.load(this.#counts, slot * this.#columns + column);
      }
    }
    return sum;
  }

  #slotOf(hash: bigint): number {
    const found = this.#keys.find(hash);
    if (found >= 0) return found;
    for (let offset = 0; offset < WINDOW; offset++) {
      const slot = this.#keys.slotAt(hash, offset);
      if (!this.#isIdle(slot)) continue;
      if (this.#keys.take(slot, this.#keys.at(slot), hash, () => this.#isIdle(slot))) return slot;
    }
    return -1;
  }

  #isIdle(slot: number): boolean {
    for (let column = 0; column < this.#columns; column++) {
      if (Atomics.load(this.#counts, slot * this.#columns + column) !== 0) return false;
    }
    return true;
  }
}
