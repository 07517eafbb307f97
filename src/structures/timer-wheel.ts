const BITS = 5;
const SLOTS = 1 << BITS;
const LEVELS = 6;
/** Ticks covered by the wheel proper: 2^30 ms, about 12.4 days. */
const SPAN = 2 ** (BITS * LEVELS);
const OVERFLOW = LEVELS * SLOTS;
const NOWHERE = -1;

/** Something that can wait in a {@link TimerWheel}: extend it. */
export class WheelEntry {
  /** @internal Tick at which it is due. */
  deadline = 0;
  /** @internal The list it is in, or −1. */
  bucket = NOWHERE;
  /** @internal */
  nextInBucket: WheelEntry | null = null;
  /** @internal */
  previousInBucket: WheelEntry | null = null;

  /** Whether it waits in a wheel. */
  get waiting(): boolean {
    return this.bucket !== NOWHERE;
  }
}

/**
 * Hierarchical timing wheel (Varghese & Lauck, "Hashed and hierarchical timing wheels", SOSP 1987, scheme 6)
 * with ticks of one millisecond: add and remove are O(1), and an empty stretch of time costs nothing because a
 * bitmap for each level finds the next list that holds something.
 *
 *     level 0   32 lists of 1 tick          the 32 ticks of the present block
 *     level 1   32 lists of 32 ticks        the blocks of the present 1,024 ticks
 *     …
 *     level 5   32 lists of 2^25 ticks      the present 2^30 ticks
 *     overflow  one list                    everything later, looked at every 2^30 ticks
 *
 * An entry's level is that of the highest group of five bits in which its deadline differs from the present.
 * When time enters a block, the block's list moves down one level or more, in order and before anything else
 * can be put there: entries with the same deadline come out in the order in which they were added.
 */
export class TimerWheel<T extends WheelEntry> {
  #now: number;
  #size = 0;
  readonly #heads: (WheelEntry | null)[] = new Array<WheelEntry | null>(OVERFLOW + 1).fill(null);
  readonly #tails: (WheelEntry | null)[] = new Array<WheelEntry | null>(OVERFLOW + 1).fill(null);
  readonly #occupied = new Int32Array(LEVELS);

  /** @param now the present, in whole ticks (milliseconds) */
  constructor(now = 0) {
    this.#now = now;
  }

  /** Entries that wait. */
  get size(): number {
    return this.#size;
  }

  /** The tick up to which time has advanced. */
  get now(): number {
    return this.#now;
  }

  /** Adds an entry that is not waiting. A deadline that is not after the present is taken as the next tick. */
  add(entry: T, deadline: number): void {
    entry.deadline = deadline > this.#now ? deadline : this.#now + 1;
    this.#size++;
    this.#place(entry);
  }

  /** Removes an entry and says whether it was waiting. */
  remove(entry: T): boolean {
    if (entry.bucket === NOWHERE) return false;
    this.#unlink(entry);
    this.#size--;
    return true;
  }

  /**
   * The next tick at which {@link advance} has something to do: no later than the first deadline, and before
   * it only where entries move down a level. Infinity when nothing waits.
   */
  next(): number {
    if (this.#size === 0) return Number.POSITIVE_INFINITY;
    const low = this.#now % SPAN;
    const base = this.#now - low;
    for (let level = 0; level < LEVELS; level++) {
      const shift = level * BITS;
      const slot = (low >>> shift) & (SLOTS - 1);
      // Lists after the present one. A shift by 32 would be a shift by 0, hence the two steps.
      const later = this.#occupied[level]! & ((-1 << slot) << 1);
      if (later !== 0) {
        const found = 31 - Math.clz32(later & -later);
        const above = shift + BITS >= 31 ? 0 : (low >>> (shift + BITS)) << (shift + BITS);
        return base + above + found * 2 ** shift;
      }
    }
    return base + SPAN;
  }

  /**
   * Moves time to tick `to` and calls `fire` for each entry that comes due on the way, in the order of the
   * deadlines. `fire` may add and remove entries.
   */
  advance(to: number, fire: (entry: T) => void): void {
    for (;;) {
      const next = this.next();
      if (next > to) break;
      this.#now = next;
      this.#moveDown();
      const bucket = this.#now % SLOTS;
      for (let entry = this.#heads[bucket]!; entry !== null; entry = this.#heads[bucket]!) {
        this.#unlink(entry);
        this.#size--;
        fire(entry as T);
      }
    }
    if (to > this.#now) this.#now = to;
  }

  /** Brings down the lists of all blocks that begin at the present tick, from the top level on. */
  #moveDown(): void {
    const low = this.#now % SPAN;
    if (low === 0) this.#replace(OVERFLOW);
    for (let level = LEVELS - 1; level > 0; level--) {
      const shift = level * BITS;
      if ((low & ((1 << shift) - 1)) === 0) this.#replace(level * SLOTS + ((low >>> shift) & (SLOTS - 1)));
    }
  }

  #replace(bucket: number): void {
    let entry = this.#heads[bucket]!;
    this.#heads[bucket] = null;
    this.#tails[bucket] = null;
    if (bucket !== OVERFLOW) this.#occupied[bucket >>> BITS]! &= ~(1 << (bucket & (SLOTS - 1)));
    while (entry !== null) {
      const following = entry.nextInBucket;
      this.#place(entry);
      entry = following!;
    }
  }

  #place(entry: WheelEntry): void {
    const low = entry.deadline % SPAN;
    const nowLow = this.#now % SPAN;
    let bucket = OVERFLOW;
    if (entry.deadline - low === this.#now - nowLow) {
      const differs = low ^ nowLow;
      const level = differs === 0 ? 0 : ((31 - Math.clz32(differs)) / BITS) | 0;
      const slot = (low >>> (level * BITS)) & (SLOTS - 1);
      bucket = level * SLOTS + slot;
      this.#occupied[level]! |= 1 << slot;
    }
    const tail = this.#tails[bucket]!;
    entry.bucket = bucket;
    entry.nextInBucket = null;
    entry.previousInBucket = tail;
    if (tail === null) this.#heads[bucket] = entry;
    else tail.nextInBucket = entry;
    this.#tails[bucket] = entry;
  }

  #unlink(entry: WheelEntry): void {
    const { bucket, nextInBucket, previousInBucket } = entry;
    if (previousInBucket === null) this.#heads[bucket] = nextInBucket;
    else previousInBucket.nextInBucket = nextInBucket;
    if (nextInBucket === null) this.#tails[bucket] = previousInBucket;
    else nextInBucket.previousInBucket = previousInBucket;
    if (this.#heads[bucket] === null && bucket !== OVERFLOW) {
      this.#occupied[bucket >>> BITS]! &= ~(1 << (bucket & (SLOTS - 1)));
    }
    entry.bucket = NOWHERE;
    entry.nextInBucket = null;
    entry.previousInBucket = null;
  }
}
