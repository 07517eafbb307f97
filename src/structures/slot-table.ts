/** Slots are numbered below this: at most 16,777,216 entries at a time. */
export const SLOTS_MAX = 2 ** 24;

const GENERATION_MAX = 2 ** 29 - 1;
const NONE = -1;

/** What {@link SlotTable} hands out: `slot + generation × 2^24`, always a safe integer, never 0. */
export type SlotId = number;

/** The number of the slot in an id. */
export function slotOf(id: SlotId): number {
  return id % SLOTS_MAX;
}

/** The generation in an id. */
export function generationOf(id: SlotId): number {
  return Math.floor(id / SLOTS_MAX);
}

/**
 * Values under small reusable numbers, for handles that leave the heap (over a ring, in a store's `requester`):
 * a slot is reused after its value was removed, but under a new generation, so a stale id finds nothing.
 * Add, get and remove are O(1); the table never shrinks. A generation returns after 2^29 uses of one slot.
 *
 *     values       [ A ][ 3 ][ B ][ -1 ]      a free slot holds the number of the next free one
 *     generations  [ 1 ][ 4 ][ 1 ][  2 ]
 */
export class SlotTable<T extends object> {
  readonly #values: (T | number)[] = [];
  readonly #generations: number[] = [];
  #free = NONE;
  #size = 0;

  /** Entries in the table. */
  get size(): number {
    return this.#size;
  }

  /** Slots ever used: ids of present entries have slots below it. */
  get slots(): number {
    return this.#values.length;
  }

  /** Stores `value`. Throws a RangeError when all 16,777,216 slots are taken. */
  add(value: T): SlotId {
    let slot = this.#free;
    if (slot === NONE) {
      slot = this.#values.length;
      if (slot === SLOTS_MAX) throw new RangeError(`all ${SLOTS_MAX} slots are taken`);
      this.#values.push(value);
      this.#generations.push(1);
    } else {
      this.#free = this.#values[slot] as number;
      this.#values[slot] = value;
    }
    this.#size++;
    return slot + this.#generations[slot]! * SLOTS_MAX;
  }

  /** The value added under exactly this id, unless it was removed. */
  get(id: SlotId): T | undefined {
    const slot = id % SLOTS_MAX;
    if (this.#generations[slot] !== Math.floor(id / SLOTS_MAX)) return undefined;
    // The id that the slot will have next is known already, but there is only a number under it.
    return this.at(slot);
  }

  /** The value in a slot, whatever its generation: for walks over the table. */
  at(slot: number): T | undefined {
    const value = this.#values[slot];
    return typeof value === 'object' ? value : undefined;
  }

  /** Removes and says whether there was something under this id. */
  remove(id: SlotId): boolean {
    const slot = id % SLOTS_MAX;
    const generation = this.#generations[slot];
    if (generation !== Math.floor(id / SLOTS_MAX) || typeof this.#values[slot] !== 'object') return false;
    // The new generation is set now: from here on the old id finds nothing.
    this.#generations[slot] = generation === GENERATION_MAX ? 1 : generation! + 1;
    this.#values[slot] = this.#free;
    this.#free = slot;
    this.#size--;
    return true;
  }
}
