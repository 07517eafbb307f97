import { BadArgument, type NameHolder, type NameTable, NameTableFull } from '../actors/index.js';
import { bufferOver } from './record-writer.js';

/**
 * The names of a node in shared memory: a hash table with linear probing, seen by all schedulers.
 *
 *     byte 0      4        8          64
 *     ├───────────┼────────┼──────────┼─────────────────────────────────────────
 *     │ lock      │ names  │          │ slot 0 │ slot 1 │ …  (twice the capacity)
 *     │ (holder)  │ held   │          │
 *
 *     slot, 256 bytes:  0        4       8           12            16     24
 *                       │ state  │ hash  │ scheduler │ name bytes  │ id   │ name (UTF-8, at most 232 bytes)
 *                         uses × 4 + 0 empty | 1 was used | 2 holds a name
 *
 * - **Looking up** takes no lock: a slot's state is read before and after its fields, and every use of a slot
 *   changes it.
 * - **Giving a name back** takes none either: it is one store, by the scheduler that holds the name.
 * - **Taking a name** is done under the lock, since nobody else may take the same one in another slot meanwhile. The
 *   fields are written first and the state last, so whoever stops in the middle leaves nothing behind but the lock.
 *
 * The lock holds the number of its scheduler. When a scheduler that held it has died, {@link releaseScheduler} opens
 * it; when it was only cut off in the middle (its thread lives on) it finds its own number there and goes on. Others
 * wait, at most a second: a holder needs microseconds.
 */
export interface NameTableMemory {
  readonly capacity: number;
  readonly memory: SharedArrayBuffer;
}

const LOCK = 0;
const HELD = 1;
const HEADER_BYTES = 64;
const SLOT_BYTES = 256;
const SLOT_CELLS = SLOT_BYTES >> 2;
const HASH = 1;
const SCHEDULER = 2;
const LENGTH = 3;
const ID_BYTE = 16;
const NAME_BYTE = 24;
/** The longest name, in bytes of UTF-8. */
export const NAME_BYTES_MAX = SLOT_BYTES - NAME_BYTE;

const EMPTY = 0;
const USED = 1;
const HOLDS = 2;
const STATE_MASK = 3;

const SPINS = 200;
const WAIT_SLICE_MS = 1;
const LOCK_WAIT_MS = 1000;

/** The lock could not be had: its holder has died and nobody has noticed yet. */
export class NameTableStuck extends Error {
  override readonly name = 'NameTableStuck';

  constructor(readonly holder: number) {
    super(`scheduler ${holder} does not let go of the node's names`);
  }
}

/** Memory for up to `capacity` names at a time (a power of two, up to 2^20): 512 bytes each, used when touched. */
export function createNameTable(capacity: number): NameTableMemory {
  if (!Number.isInteger(capacity) || capacity < 16 || capacity > 2 ** 20 || (capacity & (capacity - 1)) !== 0)
    throw new BadArgument(`bad name capacity: ${capacity}; a power of two from 16 to 1048576`);
  return { capacity, memory: new SharedArrayBuffer(HEADER_BYTES + 2 * capacity * SLOT_BYTES) };
}

export class SharedNameTable implements NameTable {
  readonly capacity: number;
  readonly #scheduler: number;
  readonly #lockWaitMs: number;
  readonly #cells: Int32Array;
  readonly #ids: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  /** The name that is being looked for. */
  readonly #key = bufferOver(new Uint8Array(NAME_BYTES_MAX));
  #keyLength = 0;
  #keyHash = 0;
  /** The state of the slot that {@link #find} returned, as it was when its name was compared. */
  #foundState = 0;

  /** @param lockWaitMs how long to wait for the lock before a {@link NameTableStuck} */
  constructor(table: NameTableMemory, scheduler: number, lockWaitMs = LOCK_WAIT_MS) {
    this.#lockWaitMs = lockWaitMs;
    this.capacity = table.capacity;
    this.#scheduler = scheduler;
    this.#cells = new Int32Array(table.memory);
    this.#ids = new Float64Array(table.memory);
    this.#bytes = new Uint8Array(table.memory);
    this.#mask = 2 * table.capacity - 1;
  }

  /** Names held now. */
  get size(): number {
    return Atomics.load(this.#cells, HELD);
  }

  register(name: string, id: number): boolean {
    if (!this.#setKey(name))
      throw new BadArgument(`a name has at most ${NAME_BYTES_MAX} bytes, unlike ${name.slice(0, 40)}…`);
    // Without the lock: a taken name is the common refusal.
    if (this.#find() >= 0) return false;
    this.#lock();
    try {
      return this.#insert(name, id);
    } finally {
      this.#unlock();
    }
  }

  unregister(name: string, id: number): void {
    if (!this.#setKey(name)) return;
    const slot = this.#find();
    if (slot < 0) return;
    const cell = this.#cellOf(slot);
    if (this.#cells[cell + SCHEDULER] !== this.#scheduler || this.#ids[((cell << 2) + ID_BYTE) >> 3] !== id)
      return;
    this.#giveBack(cell, this.#foundState);
  }

  whereis(name: string): NameHolder | undefined {
    if (!this.#setKey(name)) return undefined;
    for (;;) {
      const slot = this.#find();
      if (slot < 0) return undefined;
      const cell = this.#cellOf(slot);
      const scheduler = this.#cells[cell + SCHEDULER]!;
      const id = this.#ids[((cell << 2) + ID_BYTE) >> 3]!;
      // Else it changed hands while we looked.
      if (Atomics.load(this.#cells, cell) === this.#foundState) return { scheduler, id };
    }
  }

  /** Gives back all names of a scheduler that has died, and opens the lock if it held it. */
  releaseScheduler(scheduler: number): void {
    const cells = this.#cells;
    if (Atomics.compareExchange(cells, LOCK, scheduler + 1, 0) === scheduler + 1) {
      Atomics.notify(cells, LOCK);
    }
    for (let slot = 0; slot <= this.#mask; slot++) {
      const cell = this.#cellOf(slot);
      const state = Atomics.load(cells, cell);
      if ((state & STATE_MASK) === HOLDS && cells[cell + SCHEDULER] === scheduler)
        this.#giveBack(cell, state);
    }
  }

  /** All names, in no order. */
  *[Symbol.iterator](): Generator<readonly [string, NameHolder], void, undefined> {
    const cells = this.#cells;
    for (let slot = 0; slot <= this.#mask; slot++) {
      const cell = this.#cellOf(slot);
      const state = Atomics.load(cells, cell);
      if ((state & STATE_MASK) !== HOLDS) continue;
      const start = (cell << 2) + NAME_BYTE;
      const name = bufferOver(this.#bytes.subarray(start, start + cells[cell + LENGTH]!)).toString();
      const holder = { scheduler: cells[cell + SCHEDULER]!, id: this.#ids[((cell << 2) + ID_BYTE) >> 3]! };
      if (Atomics.load(cells, cell) === state) yield [name, holder];
    }
  }

  /** @internal For tests: takes the lock and does not give it back. */
  holdLock(): void {
    this.#lock();
  }

  // ---- slots ---------------------------------------------------------------------------------------------------

  /** Under the lock. False: somebody has the name. */
  #insert(name: string, id: number): boolean {
    const cells = this.#cells;
    let free = -1;
    let slot = this.#keyHash & this.#mask;
    for (let probes = 0; probes <= this.#mask; probes++, slot = (slot + 1) & this.#mask) {
      const cell = this.#cellOf(slot);
      const state = Atomics.load(cells, cell) & STATE_MASK;
      if (state === HOLDS) {
        if (this.#isKey(cell)) {
          // It may have been given back since.
          if ((Atomics.load(cells, cell) & STATE_MASK) === HOLDS) return false;
          if (free < 0) free = slot;
        }
        continue;
      }
      if (free < 0) free = slot;
      if (state === EMPTY) {
        this.#tidy(slot);
        break;
      }
    }
    if (free < 0 || this.#isFull()) throw new NameTableFull(name, this.capacity);
    const cell = this.#cellOf(free);
    cells[cell + HASH] = this.#keyHash;
    cells[cell + SCHEDULER] = this.#scheduler;
    cells[cell + LENGTH] = this.#keyLength;
    this.#ids[((cell << 2) + ID_BYTE) >> 3] = id;
    const start = (cell << 2) + NAME_BYTE;
    for (let index = 0; index < this.#keyLength; index++) this.#bytes[start + index] = this.#key[index]!;
    Atomics.store(cells, cell, nextState(cells[cell]!, HOLDS));
    Atomics.add(cells, HELD, 1);
    return true;
  }

  /** Under the lock. The number is believed only while it says no: somebody may have been cut off in between. */
  #isFull(): boolean {
    const cells = this.#cells;
    const believed = Atomics.load(cells, HELD);
    if (believed < this.capacity) return false;
    let held = 0;
    for (let slot = 0; slot <= this.#mask; slot++) {
      if ((Atomics.load(cells, this.#cellOf(slot)) & STATE_MASK) === HOLDS) held++;
    }
    Atomics.add(cells, HELD, held - believed);
    return held >= this.capacity;
  }

  /**
   * Under the lock: nobody has to look further than an empty slot, so the used ones right before it can be empty,
   * too. Without it they would become more and more.
   */
  #tidy(empty: number): void {
    const cells = this.#cells;
    for (let slot = (empty - 1) & this.#mask; slot !== empty; slot = (slot - 1) & this.#mask) {
      const cell = this.#cellOf(slot);
      const state = Atomics.load(cells, cell);
      if ((state & STATE_MASK) !== USED) return;
      Atomics.store(cells, cell, nextState(state, EMPTY));
    }
  }

  #giveBack(cell: number, state: number): void {
    if (Atomics.compareExchange(this.#cells, cell, state, nextState(state, USED)) === state)
      Atomics.sub(this.#cells, HELD, 1);
  }

  /** The slot that holds the key, −1 if there is none. */
  #find(): number {
    const cells = this.#cells;
    let slot = this.#keyHash & this.#mask;
    for (let probes = 0; probes <= this.#mask; probes++, slot = (slot + 1) & this.#mask) {
      const cell = this.#cellOf(slot);
      const state = Atomics.load(cells, cell);
      if ((state & STATE_MASK) === EMPTY) return -1;
      if ((state & STATE_MASK) === HOLDS && this.#isKey(cell)) {
        this.#foundState = state;
        return slot;
      }
    }
    return -1;
  }

  #isKey(cell: number): boolean {
    const cells = this.#cells;
    if (cells[cell + HASH] !== this.#keyHash || cells[cell + LENGTH] !== this.#keyLength) return false;
    const start = (cell << 2) + NAME_BYTE;
    for (let index = 0; index < this.#keyLength; index++) {
      if (this.#bytes[start + index] !== this.#key[index]) return false;
    }
    return true;
  }

  #cellOf(slot: number): number {
    return (HEADER_BYTES >> 2) + slot * SLOT_CELLS;
  }

  /** False: no name is so long. */
  #setKey(name: string): boolean {
    const key = this.#key;
    if (name.length > NAME_BYTES_MAX) return false;
    let length = 0;
    for (; length < name.length; length++) {
      const code = name.charCodeAt(length);
      if (code > 127) break;
      key[length] = code;
    }
    if (length < name.length) {
      if (Buffer.byteLength(name) > NAME_BYTES_MAX) return false;
      length = key.utf8Write(name, 0);
    }
    // FNV-1a.
    let hash = 0x811c9dc5;
    for (let index = 0; index < length; index++) hash = Math.imul(hash ^ key[index]!, 0x01000193);
    this.#keyLength = length;
    this.#keyHash = (hash ^ (hash >>> 15)) | 0;
    return true;
  }

  // ---- the lock ------------------------------------------------------------------------------------------------

  #lock(): void {
    const cells = this.#cells;
    const self = this.#scheduler + 1;
    let holder = 0;
    for (let spin = 0; spin < SPINS; spin++) {
      holder = Atomics.compareExchange(cells, LOCK, 0, self);
      // Our own: we were cut off in the middle, once. It never nests.
      if (holder === 0 || holder === self) return;
    }
    for (let waitedMs = 0; waitedMs < this.#lockWaitMs; waitedMs += WAIT_SLICE_MS) {
      Atomics.wait(cells, LOCK, holder, WAIT_SLICE_MS);
      holder = Atomics.compareExchange(cells, LOCK, 0, self);
      if (holder === 0) return;
    }
    throw new NameTableStuck(holder - 1);
  }

  #unlock(): void {
    // Not if it was taken from us because we were believed dead.
    if (Atomics.compareExchange(this.#cells, LOCK, this.#scheduler + 1, 0) === this.#scheduler + 1)
      Atomics.notify(this.#cells, LOCK, 1);
  }
}

/** A slot's next state: every change of a slot gives it one that it had not lately. */
function nextState(state: number, now: number): number {
  return (((state >>> 2) + 1) << 2) | now | 0;
}
