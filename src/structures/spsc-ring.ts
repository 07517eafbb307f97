import { RecordMemory, type RecordSink, recordLength } from './record-memory.js';

/**
 * A ring of records in shared memory with one producer thread and one consumer thread, no locks.
 *
 *     byte 0        64            128           192           256                        256 + capacity
 *     ├──────────────┼─────────────┼─────────────┼─────────────┼──────────────────────────┤
 *     │ tail         │ head        │ waiting     │ counters    │ records                  │
 *     │ (producer)   │ (consumer)  │ (both)      │ (producer)  │                          │
 *     └──────────────┴─────────────┴─────────────┴─────────────┴──────────────────────────┘
 *
 *     record: int32 length (a multiple of 8, itself included) · int32 type · fields …
 *             length −1: nothing more up to the end of the memory, go on at its start
 *
 * `tail` and `head` are byte positions that only grow, modulo 2^32; position & (capacity − 1) is the offset.
 * The bytes between head and tail are published and not yet released. A record never straddles the end: what
 * does not fit there is skipped, so a record may be at most half of the capacity. Each position sits on its
 * own cache line, because the other side polls it.
 *
 * The producer writes records and then publishes them with one store of the tail; the consumer reads, and
 * releases with one store of the head. Both keep a copy of the other's position and look again only when the
 * copy says full, or empty. What was reserved and not published can be taken back ({@link RingProducer.rollback});
 * what was read and not released is read again by the next consumer that opens the ring: that is how a
 * command survives the death of the thread that was working on it.
 */
const TAIL = 0;
const HEAD = 16;
const SPACE_WANTED = 32;
const PUBLISHES = 48;
const FULL = 49;
const DEEPEST = 50;
const CONTROL_BYTES = 256;
const SKIP = -1;

/** Counters of one ring, read by whoever watches. */
export interface RingCounters {
  /** Times that records were published (modulo 2^32). */
  readonly publishes: number;
  /** Times that the producer found no room (modulo 2^32). */
  readonly full: number;
  /** Bytes waiting now, and the most that ever waited at a publish. */
  readonly depthBytes: number;
  readonly depthBytesMax: number;
}

/** Makes the memory of a ring. `capacity`: a power of two, 1 KiB to 1 GiB. */
export function createRing(capacity: number): SharedArrayBuffer {
  if (capacity < 1024 || capacity > 2 ** 30 || (capacity & (capacity - 1)) !== 0) {
    throw new RangeError(`a ring's capacity must be a power of two from 1 KiB to 1 GiB, not ${capacity}`);
  }
  return new SharedArrayBuffer(CONTROL_BYTES + capacity);
}

/** Bytes that a ring can hold. */
export function ringCapacity(ring: SharedArrayBuffer): number {
  return ring.byteLength - CONTROL_BYTES;
}

/** What one ring counts. Any thread may ask; the figures are a glance, not a snapshot. */
export function ringCounters(ring: SharedArrayBuffer): RingCounters {
  const control = new Int32Array(ring, 0, CONTROL_BYTES >> 2);
  return {
    publishes: Atomics.load(control, PUBLISHES) >>> 0,
    full: Atomics.load(control, FULL) >>> 0,
    depthBytes: (Atomics.load(control, TAIL) - Atomics.load(control, HEAD)) >>> 0,
    depthBytesMax: Atomics.load(control, DEEPEST) >>> 0,
  };
}

export class RingProducer implements RecordSink {
  readonly memory: RecordMemory;
  readonly capacity: number;
  /** Something was published before this end was opened. */
  readonly wasUsed: boolean;
  readonly #control: Int32Array;
  readonly #mask: number;
  /** Behind the last reserved record; `#published` of it is visible. */
  #tail: number;
  #published: number;
  /** `#tail` before the last `reserve`. */
  #before: number;
  #headSeen: number;

  /** Opens the producer's end. A second one at the same time corrupts the ring; a later one goes on. */
  constructor(ring: SharedArrayBuffer) {
    this.capacity = ring.byteLength - CONTROL_BYTES;
    this.#mask = this.capacity - 1;
    this.#control = new Int32Array(ring, 0, CONTROL_BYTES >> 2);
    this.memory = new RecordMemory(ring, CONTROL_BYTES, this.capacity);
    this.#tail = Atomics.load(this.#control, TAIL);
    this.#published = this.#tail;
    this.#before = this.#tail;
    this.wasUsed = Atomics.load(this.#control, PUBLISHES) !== 0;
    this.#headSeen = Atomics.load(this.#control, HEAD);
  }

  /** Bytes reserved and not published. */
  get pendingBytes(): number {
    return (this.#tail - this.#published) >>> 0;
  }

  reserve(length: number): number {
    const need = recordLength(length);
    if (need > this.capacity >> 1) {
      throw new RangeError(`a record of ${length} bytes does not fit a ring of ${this.capacity}`);
    }
    const at = this.#tail & this.#mask;
    const toEnd = this.capacity - at;
    const skip = need > toEnd ? toEnd : 0;
    if (!this.#hasRoom(need + skip)) {
      this.#control[FULL]!++;
      return -1;
    }
    this.#before = this.#tail;
    if (skip !== 0) {
      this.memory.i32[at >> 2] = SKIP;
      this.memory.i32[0] = need;
      this.#tail = (this.#tail + skip + need) | 0;
      return 0;
    }
    this.memory.i32[at >> 2] = need;
    this.#tail = (this.#tail + need) | 0;
    return at;
  }

  /** Shortens the record reserved last, at `at`, to the `length` bytes that were used of it. */
  trim(at: number, length: number): void {
    const used = recordLength(length);
    const i = at >> 2;
    this.#tail = (this.#tail - this.memory.i32[i]! + used) | 0;
    this.memory.i32[i] = used;
  }

  /** Takes back the record reserved last. Once, and before it is published. */
  cancel(): void {
    this.#tail = this.#before;
  }

  /** Shows everything reserved so far to the consumer. Returns false when there was nothing to show. */
  publish(): boolean {
    if (this.#tail === this.#published) return false;
    this.#published = this.#tail;
    Atomics.store(this.#control, TAIL, this.#tail);
    this.#control[PUBLISHES]!++;
    const depth = (this.#tail - Atomics.load(this.#control, HEAD)) >>> 0;
    if (depth > this.#control[DEEPEST]!) this.#control[DEEPEST] = depth;
    return true;
  }

  /** Takes back what was reserved since the last publish. */
  rollback(): void {
    this.#tail = this.#published;
  }

  /**
   * Asks the consumer to say when it has made room. Ask, then try once more, then wait: the consumer may have
   * made room before it saw the question.
   */
  wantSpace(): void {
    Atomics.store(this.#control, SPACE_WANTED, 1);
  }

  /** Everything published has been released. */
  isSettled(): boolean {
    return this.#tail === this.#published && Atomics.load(this.#control, HEAD) === this.#tail;
  }

  #hasRoom(bytes: number): boolean {
    if (this.capacity - ((this.#tail - this.#headSeen) >>> 0) >= bytes) return true;
    this.#headSeen = Atomics.load(this.#control, HEAD);
    return this.capacity - ((this.#tail - this.#headSeen) >>> 0) >= bytes;
  }
}

export class RingConsumer {
  readonly memory: RecordMemory;
  readonly capacity: number;
  readonly #control: Int32Array;
  readonly #mask: number;
  /** Before the next record to be read; `#released` of it is given back. */
  #head: number;
  #released: number;
  #tailSeen: number;

  /** Opens the consumer's end, at the first record that was not released. */
  constructor(ring: SharedArrayBuffer) {
    this.capacity = ring.byteLength - CONTROL_BYTES;
    this.#mask = this.capacity - 1;
    this.#control = new Int32Array(ring, 0, CONTROL_BYTES >> 2);
    this.memory = new RecordMemory(ring, CONTROL_BYTES, this.capacity);
    this.#head = Atomics.load(this.#control, HEAD);
    this.#released = this.#head;
    this.#tailSeen = Atomics.load(this.#control, TAIL);
  }

  /**
   * Offset in {@link memory} of the next record, −1 when there is none. The record's bytes stay as they are
   * until {@link release}.
   */
  next(): number {
    if (this.#head === this.#tailSeen) {
      this.#tailSeen = Atomics.load(this.#control, TAIL);
      if (this.#head === this.#tailSeen) return -1;
    }
    let at = this.#head & this.#mask;
    let length = this.memory.i32[at >> 2]!;
    if (length === SKIP) {
      this.#head = (this.#head + this.capacity - at) | 0;
      at = 0;
      length = this.memory.i32[0]!;
    }
    this.#head = (this.#head + length) | 0;
    return at;
  }

  /** Whether nothing is published beyond what was read. */
  isEmpty(): boolean {
    return this.#head === Atomics.load(this.#control, TAIL);
  }

  /** Bytes published and not read. */
  get waitingBytes(): number {
    return (Atomics.load(this.#control, TAIL) - this.#head) >>> 0;
  }

  /** Bytes read and not released. */
  get heldBytes(): number {
    return (this.#head - this.#released) >>> 0;
  }

  /** Reads again from the first record that was not released. */
  rewind(): void {
    this.#head = this.#released;
  }

  /**
   * Gives the room of everything read so far back to the producer. Returns true when the producer waits for
   * room: then ring its doorbell.
   */
  release(): boolean {
    if (this.#head !== this.#released) {
      this.#released = this.#head;
      Atomics.store(this.#control, HEAD, this.#head);
    }
    return (
      Atomics.load(this.#control, SPACE_WANTED) === 1 &&
      Atomics.compareExchange(this.#control, SPACE_WANTED, 1, 0) === 1
    );
  }
}
