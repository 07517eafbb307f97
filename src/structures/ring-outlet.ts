import { RecordBuffer } from './record-buffer.js';
import type { RecordMemory, RecordSink } from './record-memory.js';
import { RingProducer } from './spsc-ring.js';

const OVERFLOW_INITIAL_BYTES = 64 * 1024;

/**
 * The producer's end of a ring with a queue behind it for the time when the ring is full: bounded, in the
 * producer's own memory, in order. `reserve` answers −1 when the queue is full, too.
 *
 *     reserve ─▶ ring ─▶ consumer
 *         └────▶ overflow ─┘  (moved by publish, oldest first)
 */
export class RingOutlet implements RecordSink {
  memory: RecordMemory;
  /** Something was published through this ring before this end of it was opened. */
  readonly wasUsed: boolean;
  readonly #producer: RingProducer;
  readonly #overflow: RecordBuffer;
  /** Records that went through the overflow since the start. */
  overflowed = 0;

  /** `overflowBytesMax`: 0 for none. */
  constructor(ring: SharedArrayBuffer, overflowBytesMax: number) {
    this.#producer = new RingProducer(ring);
    this.wasUsed = this.#producer.wasUsed;
    this.#overflow = new RecordBuffer(Math.min(OVERFLOW_INITIAL_BYTES, overflowBytesMax), overflowBytesMax);
    this.memory = this.#producer.memory;
  }

  /** A record longer than half of it does not fit. */
  get capacity(): number {
    return this.#producer.capacity;
  }

  /** Bytes waiting behind the ring. */
  get overflowBytes(): number {
    return this.#overflow.bytes;
  }

  /** Bytes reserved in the ring and not published. */
  get pendingBytes(): number {
    return this.#producer.pendingBytes;
  }

  reserve(length: number): number {
    if (this.#overflow.isEmpty) {
      const at = this.#producer.reserve(length);
      if (at >= 0) {
        this.memory = this.#producer.memory;
        return at;
      }
    }
    const at = this.#overflow.reserve(length);
    if (at >= 0) {
      this.memory = this.#overflow.memory;
      this.overflowed++;
    }
    return at;
  }

  /** Shortens the record reserved last, at `at`, to the `length` bytes that were used of it. */
  trim(at: number, length: number): void {
    if (this.memory === this.#producer.memory) this.#producer.trim(at, length);
    else this.#overflow.trim(at, length);
  }

  /** Takes back the record reserved last, at `at`. */
  cancel(at: number): void {
    if (this.memory === this.#producer.memory) {
      this.#producer.cancel();
    } else {
      this.#overflow.cancel(at);
      this.overflowed--;
    }
  }

  /** Shows everything reserved so far, as much as fits now. Returns whether anything new can be seen. */
  publish(): boolean {
    this.#overflow.markAll();
    return this.flush();
  }

  /** Moves what was published from the overflow to the ring, as much as fits now. Not in the middle of a batch. */
  flush(): boolean {
    const overflow = this.#overflow;
    if (overflow.start < overflow.mark) {
      this.#move();
      if (overflow.start < overflow.mark) {
        // Asked first, then tried once more: no room can be made unnoticed in between.
        this.#producer.wantSpace();
        this.#move();
      }
    }
    return this.#producer.publish();
  }

  /** Takes back what was reserved since the last publish. */
  rollback(): void {
    this.#producer.rollback();
    this.#overflow.truncateToMark();
  }

  /** Asks for the consumer's bell even if there is room: for whoever waits until everything was taken. */
  wantRelease(): void {
    this.#producer.wantSpace();
  }

  /** Everything that was published has been released by the consumer. */
  isSettled(): boolean {
    return this.#overflow.isEmpty && this.#producer.isSettled();
  }

  #move(): void {
    const overflow = this.#overflow;
    while (overflow.start < overflow.mark) {
      const from = overflow.start;
      const length = overflow.memory.i32[from >> 2]!;
      const to = this.#producer.reserve(length);
      if (to < 0) return;
      this.#producer.memory.bytes.set(overflow.memory.bytes.subarray(from, from + length), to);
      overflow.shift();
    }
  }
}
