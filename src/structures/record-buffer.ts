import { RecordMemory, type RecordSink, recordLength } from './record-memory.js';

/**
 * Records one after another in memory of one thread, growing by doubling up to a bound: what is gathered
 * until a commit, or waits behind a full ring. At the bound `reserve` answers −1 and the owner must say no.
 */
export class RecordBuffer implements RecordSink {
  memory: RecordMemory;
  /** Offset behind the last record. */
  end = 0;
  /** Offset of the next record to be read. */
  start = 0;
  /** End of the records that {@link markAll} covered; what comes behind can be taken back. */
  mark = 0;
  readonly #initialBytes: number;
  readonly #bytesMax: number;

  /** Takes `initialBytes` at once and keeps it, and at most `bytesMax`. */
  constructor(initialBytes: number, bytesMax: number) {
    this.#initialBytes = recordLength(initialBytes);
    this.#bytesMax = Math.max(bytesMax, initialBytes);
    this.memory = new RecordMemory(new ArrayBuffer(this.#initialBytes), 0, this.#initialBytes);
  }

  get isEmpty(): boolean {
    return this.start === this.end;
  }

  /** Bytes waiting. */
  get bytes(): number {
    return this.end - this.start;
  }

  reserve(length: number): number {
    const need = recordLength(length);
    if (this.end + need > this.memory.bytes.length && !this.#makeRoom(need)) return -1;
    const at = this.end;
    this.memory.i32[at >> 2] = need;
    this.end += need;
    return at;
  }

  /** Shortens the record reserved last, at `at`, to the `length` bytes that were used of it. */
  trim(at: number, length: number): void {
    const used = recordLength(length);
    this.memory.i32[at >> 2] = used;
    this.end = at + used;
  }

  /** Takes back the record reserved last, at `at`. */
  cancel(at: number): void {
    this.end = at;
    if (this.start === this.end) this.clear();
  }

  /** Offset of the oldest record, −1 when there is none. */
  peek(): number {
    return this.start === this.end ? -1 : this.start;
  }

  /** Forgets the oldest record. */
  shift(): void {
    this.start += this.memory.i32[this.start >> 2]!;
    if (this.mark < this.start) this.mark = this.start;
    if (this.start === this.end) this.clear();
  }

  markAll(): void {
    this.mark = this.end;
  }

  /** Forgets the records behind the mark. */
  truncateToMark(): void {
    this.end = this.mark;
    if (this.start === this.end) this.clear();
  }

  /** Forgets everything, and memory that grew far beyond the usual. */
  clear(): void {
    this.start = 0;
    this.end = 0;
    this.mark = 0;
    if (this.memory.bytes.length > 16 * this.#initialBytes) this.#move(this.#initialBytes);
  }

  #makeRoom(need: number): boolean {
    const wanted = this.bytes + need;
    if (wanted > this.#bytesMax) return false;
    let size = this.memory.bytes.length;
    while (size < wanted) size = Math.min(size * 2, recordLength(this.#bytesMax));
    this.#move(size);
    return true;
  }

  #move(size: number): void {
    const live = this.memory.bytes.subarray(this.start, this.end);
    if (size === this.memory.bytes.length) {
      this.memory.bytes.copyWithin(0, this.start, this.end);
    } else {
      const memory = new RecordMemory(new ArrayBuffer(size), 0, size);
      memory.bytes.set(live);
      this.memory = memory;
    }
    this.end -= this.start;
    this.mark = Math.max(0, this.mark - this.start);
    this.start = 0;
  }
}
