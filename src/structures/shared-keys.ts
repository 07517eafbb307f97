/**
 * A hash table of keys in shared memory, without locks, for tables of numbers beside it: which slot a key has.
 *
 *     slots: int64 each, 0 free, −1 being changed, else the hash of a key
 *
 * A key stands somewhere in the {@link WINDOW} of slots behind the place that its hash names, so a look-up reads that
 * window and nothing moves when a key goes. Keys are their 64-bit hashes under a seed that nobody outside knows: two
 * keys with the same hash share a slot, which nobody can bring about on purpose. Two threads that enter the same key
 * at the same moment may give it two slots; whoever counts must bear that.
 */
export const WINDOW = 32;
const FREE = 0n;
const CHANGING = -1n;

export class SharedKeys {
  readonly slots: number;
  readonly #keys: BigInt64Array;
  readonly #seed: number;

  /** @param slots a power of two, at least {@link WINDOW}. @param seed the same for all threads. */
  constructor(memory: SharedArrayBuffer, byteOffset: number, slots: number, seed: number) {
    if (slots < WINDOW || (slots & (slots - 1)) !== 0) {
      throw new RangeError(
        `a table of shared keys has a power of two of slots, ${WINDOW} at least, not ${slots}`,
      );
    }
    this.slots = slots;
    this.#keys = new BigInt64Array(memory, byteOffset, slots);
    this.#seed = seed | 0;
  }

  static bytesOf(slots: number): number {
    return slots * 8;
  }

  hash(key: string): bigint {
    let low = this.#seed ^ 0x9e37_79b9;
    let high = Math.imul(this.#seed, 0x85eb_ca6b) ^ key.length;
    for (let at = 0; at < key.length; at++) {
      const unit = key.charCodeAt(at);
      low = Math.imul(low ^ unit, 0x0100_0193);
      low ^= low >>> 15;
      high = Math.imul(high ^ unit, 0xc2b2_ae35);
      high ^= (high >>> 13) ^ low;
    }
    const hash = BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(mixed(low) >>> 0));
    return hash === FREE || hash === CHANGING ? 1n : hash;
  }

  /** The slot at `offset` (0 … WINDOW − 1) of a key's window. */
  slotAt(hash: bigint, offset: number): number {
    return (Number(BigInt.asUintN(32, hash)) + offset) & (this.slots - 1);
  }

  at(slot: number): bigint {
    return Atomics.load(this.#keys, slot);
  }

  isFree(slot: number): boolean {
    return Atomics.load(this.#keys, slot) === FREE;
  }

  /** The first slot of a key; −1: it has none. */
  find(hash: bigint): number {
    for (let offset = 0; offset < WINDOW; offset++) {
      const slot = this.slotAt(hash, offset);
      if (Atomics.load(this.#keys, slot) === hash) return slot;
    }
    return -1;
  }

  /**
   * Takes a slot for a key from whoever has it (0n: nobody). While `mayTake` runs nobody finds either of them there.
   * Returns false when somebody was quicker, or `mayTake` says no: then it is as it was.
   */
  take(slot: number, from: bigint, hash: bigint, mayTake: () => boolean): boolean {
    if (Atomics.compareExchange(this.#keys, slot, from, CHANGING) !== from) return false;
    const taken = mayTake();
    Atomics.store(this.#keys, slot, taken ? hash : from);
    return taken;
  }
}

/** MurmurHash3's finalizer. */
function mixed(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
