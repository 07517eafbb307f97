import { copyBytes, RecordMemory, recordLength } from '../../structures/record-memory.js';
import type { DeviceId, EntryKind, Seq, UserId } from '../stores.js';

/**
 * The young generation in memory: what the rows of the `log` table hold, byte for byte, plus two fields in
 * each entry that are the index. Most messages are fetched within seconds, so most of it is dead before it
 * would have to be moved.
 *
 * Records, 8-aligned; `memory only` fields are 0 on disk.
 *
 *              0 int32  4 int32      8 int32      12 int32     16 f64  24 f64  32 f64  40 f64  48 f64  56      60          64
 *     entry    length   1·kind<<8    body bytes   next         seq     time    inbox   from    ref     device  dead        body
 *                                                 (mem. only)                                          int32   (mem. only)
 *     wipe     length   2            –            –            seq     time    inbox   upTo
 *     mark     length   3            device       –            seq     time    from    ref
 *     seen     length   4            –            –            seq     time    user
 *
 * `next` chains the entries of one inbox in seq order, so an inbox's index costs 8 bytes an entry and no
 * look-up. A `mark` is the trace of a message whose body went straight to the old generation.
 *
 * Memory comes in chunks of 1 MiB that are used round and round. A position counts units of 8 bytes since the
 * log was opened: a full number where order matters, its lower 32 bits in records and chains. Each chunk's
 * first unit stays empty, so that no record ever is at position 0, which means none.
 *
 *     chunk:  │·│ row │ row │ … │        row (= commit, = segment) never straddles chunks; a commit may
 *                                        make two rows
 */
export const RecordType = { entry: 1, wipe: 2, mark: 3, seen: 4 } as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

const CHUNK_BYTES = 1 << 20;
const CHUNK_UNITS = CHUNK_BYTES >> 3;
const CHUNK_SHIFT = 17;
const UNIT_MASK = CHUNK_UNITS - 1;
/** Emptied chunks that are kept for the next lap. */
const SPARE_CHUNKS_MAX = 8;

const ENTRY_BYTES = 64;
const WIPE_BYTES = 48;
const MARK_BYTES = 48;
const SEEN_BYTES = 40;

/** The largest body that fits a record. */
export const BODY_BYTES_MAX = CHUNK_BYTES - 8 - ENTRY_BYTES;

/** One row of the log table. */
export interface Segment {
  /** Seq of its first record: the row's key. */
  readonly first: Seq;
  /** Full positions. */
  readonly start: number;
  readonly end: number;
}

export class YoungLog {
  #chunks: (RecordMemory | undefined)[] = new Array(64).fill(undefined);
  readonly #spare: RecordMemory[] = [];
  #segments: Segment[] = [];
  #segmentsHead = 0;
  /** Number of the first chunk in use. */
  #oldestChunk = 0;
  /** Full position of the next record, and of the first record that is in no row yet. */
  #tail = 1;
  #sealed = 1;
  /** Bytes in sealed rows. */
  bytes = 0;
  /** The chunk that the last record went to, or that {@link locate} found. */
  memory: RecordMemory;

  constructor() {
    this.memory = new RecordMemory(new ArrayBuffer(CHUNK_BYTES), 0, CHUNK_BYTES);
    this.#chunks[0] = this.memory;
  }

  /** Full position of the next record at the least. */
  get position(): number {
    return this.#tail;
  }

  /** Bytes of records that are in no row yet. */
  get unsealedBytes(): number {
    return (this.#tail - this.#sealed) * 8;
  }

  /** Appends an entry and returns its short position. Its chunk is in {@link memory}. */
  appendEntry(
    seq: Seq,
    time: number,
    kind: EntryKind,
    inbox: UserId,
    from: UserId,
    device: DeviceId,
    ref: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): number {
    const at = this.#reserve(ENTRY_BYTES + bodyEnd - bodyStart);
    const { i32, f64, bytes } = this.memory;
    const i = at >> 2;
    const f = at >> 3;
    i32[i + 1] = RecordType.entry | (kind << 8);
    i32[i + 2] = bodyEnd - bodyStart;
    i32[i + 3] = 0;
    f64[f + 2] = seq;
    f64[f + 3] = time;
    f64[f + 4] = inbox;
    f64[f + 5] = from;
    f64[f + 6] = ref;
    i32[i + 14] = device;
    i32[i + 15] = 0;
    copyBytes(bytes, at + ENTRY_BYTES, source, bodyStart, bodyEnd);
    return this.#positionOf(at);
  }

  appendWipe(seq: Seq, time: number, inbox: UserId, upTo: Seq): void {
    const at = this.#reserve(WIPE_BYTES);
    const { i32, f64 } = this.memory;
    i32[(at >> 2) + 1] = RecordType.wipe;
    const f = at >> 3;
    f64[f + 2] = seq;
    f64[f + 3] = time;
    f64[f + 4] = inbox;
    f64[f + 5] = upTo;
  }

  appendMark(seq: Seq, time: number, from: UserId, device: DeviceId, ref: number): void {
    const at = this.#reserve(MARK_BYTES);
    const { i32, f64 } = this.memory;
    i32[(at >> 2) + 1] = RecordType.mark;
    i32[(at >> 2) + 2] = device;
    const f = at >> 3;
    f64[f + 2] = seq;
    f64[f + 3] = time;
    f64[f + 4] = from;
    f64[f + 5] = ref;
  }

  appendSeen(seq: Seq, time: number, user: UserId): void {
    const at = this.#reserve(SEEN_BYTES);
    const { i32, f64 } = this.memory;
    i32[(at >> 2) + 1] = RecordType.seen;
    const f = at >> 3;
    f64[f + 2] = seq;
    f64[f + 3] = time;
    f64[f + 4] = user;
  }

  /**
   * Closes the open row: what was appended since the last row, in one chunk. Returns its bytes for the log
   * table (a view) or null when there is nothing. Call until null: a batch may span two chunks.
   */
  seal(): { readonly first: Seq; readonly bytes: Uint8Array } | null {
    if (this.#sealed === this.#tail) return null;
    const start = this.#sealed;
    const chunkEnd = (Math.floor(start / CHUNK_UNITS) + 1) * CHUNK_UNITS;
    let end = this.#tail;
    let next = end;
    const memory = this.#chunkAt(start);
    const from = (start & UNIT_MASK) * 8;
    let to = from + (end - start) * 8;
    if (end > chunkEnd) {
      // The row ends where the chunk's records end; the gap behind them is skipped.
      to = this.#recordsEnd(memory, from);
      end = start + (to - from) / 8;
      next = chunkEnd + 1;
    }
    this.#sealed = next;
    if (to === from) return this.seal();
    const first = memory.f64[(from >> 3) + 2]!;
    this.#segments.push({ first, start, end });
    this.bytes += to - from;
    return { first, bytes: memory.bytes.subarray(from, to) };
  }

  /** Takes over a row that was read from disk; `visit` gets each record's short position, in order. */
  load(first: Seq, row: Uint8Array, visit: (position: number) => void): void {
    if (row.length > CHUNK_BYTES - 8 || row.length % 8 !== 0) throw new CorruptRow(first);
    const at = this.#makeRoom(row.length);
    this.memory.bytes.set(row, at);
    const start = this.#tail;
    this.#tail += row.length / 8;
    const memory = this.memory;
    for (let offset = at; offset < at + row.length; ) {
      const length = memory.i32[offset >> 2]!;
      const type = memory.i32[(offset >> 2) + 1]! & 0xff;
      const least =
        type === RecordType.entry
          ? ENTRY_BYTES + memory.i32[(offset >> 2) + 2]!
          : type >= RecordType.wipe && type <= RecordType.seen
            ? SEEN_BYTES
            : Number.POSITIVE_INFINITY;
      if (length < least || length % 8 !== 0 || offset + length > at + row.length) {
        throw new CorruptRow(first);
      }
      visit(this.#shortPosition(start + (offset - at) / 8));
      offset += length;
    }
    this.#segments.push({ first, start, end: this.#tail });
    this.#sealed = this.#tail;
    this.bytes += row.length;
  }

  /** The oldest row, which is the only one that may be dropped. */
  oldest(): Segment | undefined {
    return this.#segments[this.#segmentsHead];
  }

  /** The row behind the first `n`. */
  segment(n: number): Segment | undefined {
    return this.#segments[this.#segmentsHead + n];
  }

  /** Forgets the oldest row and the chunks that only it used. */
  dropOldest(): void {
    const segment = this.#segments[this.#segmentsHead]!;
    this.#segmentsHead++;
    if (this.#segmentsHead > 256 && this.#segmentsHead * 2 > this.#segments.length) {
      this.#segments = this.#segments.slice(this.#segmentsHead);
      this.#segmentsHead = 0;
    }
    this.bytes -= (segment.end - segment.start) * 8;
    const inUse = this.#segments[this.#segmentsHead]?.start ?? this.#sealed;
    const oldest = Math.floor(Math.min(inUse, this.#tail) / CHUNK_UNITS);
    for (; this.#oldestChunk < oldest; this.#oldestChunk++) {
      const slot = this.#oldestChunk & (this.#chunks.length - 1);
      const chunk = this.#chunks[slot];
      if (chunk !== undefined && this.#spare.length < SPARE_CHUNKS_MAX) this.#spare.push(chunk);
      this.#chunks[slot] = undefined;
    }
  }

  /** Calls `visit` with the short position of each record in a row. */
  scan(segment: Segment, visit: (position: number) => void): void {
    const memory = this.#chunkAt(segment.start);
    let offset = (segment.start & UNIT_MASK) * 8;
    const end = offset + (segment.end - segment.start) * 8;
    let position = segment.start;
    while (offset < end) {
      visit(this.#shortPosition(position));
      const length = memory.i32[offset >> 2]!;
      offset += length;
      position += length / 8;
    }
  }

  /** Points {@link memory} at a record and returns its offset there. */
  locate(position: number): number {
    this.memory = this.#chunks[(position >>> CHUNK_SHIFT) & (this.#chunks.length - 1)]!;
    return (position & UNIT_MASK) * 8;
  }

  // Fields of a record, by its offset in `memory`.

  typeAt(at: number): RecordType {
    return (this.memory.i32[(at >> 2) + 1]! & 0xff) as RecordType;
  }
  kindAt(at: number): EntryKind {
    return ((this.memory.i32[(at >> 2) + 1]! >>> 8) & 0xff) as EntryKind;
  }
  seqAt(at: number): Seq {
    return this.memory.f64[(at >> 3) + 2]!;
  }
  timeAt(at: number): number {
    return this.memory.f64[(at >> 3) + 3]!;
  }
  /** Inbox of an entry or a wipe; sender of a mark; user of a seen. */
  userAt(at: number): UserId {
    return this.memory.f64[(at >> 3) + 4]!;
  }
  fromAt(at: number): UserId {
    return this.memory.f64[(at >> 3) + 5]!;
  }
  refAt(at: number): number {
    return this.memory.f64[(at >> 3) + 6]!;
  }
  deviceAt(at: number): DeviceId {
    return this.memory.i32[(at >> 2) + 14]!;
  }
  bodyBytesAt(at: number): number {
    return this.memory.i32[(at >> 2) + 2]!;
  }
  bodyAt(at: number): Uint8Array {
    const start = at + ENTRY_BYTES;
    return this.memory.bytes.subarray(start, start + this.bodyBytesAt(at));
  }
  upToAt(at: number): Seq {
    return this.memory.f64[(at >> 3) + 5]!;
  }
  markDeviceAt(at: number): DeviceId {
    return this.memory.i32[(at >> 2) + 2]!;
  }
  markRefAt(at: number): number {
    return this.memory.f64[(at >> 3) + 5]!;
  }
  nextAt(at: number): number {
    return this.memory.i32[(at >> 2) + 3]! >>> 0;
  }
  setNextAt(at: number, position: number): void {
    this.memory.i32[(at >> 2) + 3] = position;
  }
  isDeadAt(at: number): boolean {
    return this.memory.i32[(at >> 2) + 15] !== 0;
  }
  killAt(at: number): void {
    this.memory.i32[(at >> 2) + 15] = 1;
  }

  /** Makes room, writes the length, and returns the record's offset in {@link memory}. */
  #reserve(bytes: number): number {
    const length = recordLength(bytes);
    const at = this.#makeRoom(length);
    this.memory.i32[at >> 2] = length;
    this.#tail += length / 8;
    return at;
  }

  /** Points {@link memory} and the tail at a place with room for `length` bytes. */
  #makeRoom(length: number): number {
    const at = (this.#tail & UNIT_MASK) * 8;
    if (at + length <= CHUNK_BYTES && at !== 0) {
      this.memory = this.#chunkAt(this.#tail);
      return at;
    }
    if (length > CHUNK_BYTES - 8) throw new RangeError(`a record of ${length} bytes is too large`);
    // Where the records of this chunk end is told by a length of 0.
    if (at !== 0) this.#chunkAt(this.#tail).i32[at >> 2] = 0;
    const chunk = at === 0 ? Math.floor(this.#tail / CHUNK_UNITS) : Math.floor(this.#tail / CHUNK_UNITS) + 1;
    if (chunk - this.#oldestChunk >= this.#chunks.length) this.#growTable();
    const memory = this.#spare.pop() ?? new RecordMemory(new ArrayBuffer(CHUNK_BYTES), 0, CHUNK_BYTES);
    this.#chunks[chunk & (this.#chunks.length - 1)] = memory;
    this.memory = memory;
    const start = chunk * CHUNK_UNITS + 1;
    if (this.#sealed === this.#tail) this.#sealed = start;
    this.#tail = start;
    return 8;
  }

  #recordsEnd(memory: RecordMemory, from: number): number {
    let at = from;
    while (at < CHUNK_BYTES && memory.i32[at >> 2] !== 0) at += memory.i32[at >> 2]!;
    return at;
  }

  #growTable(): void {
    const chunks = new Array<RecordMemory | undefined>(this.#chunks.length * 2).fill(undefined);
    for (const [slot, chunk] of this.#chunks.entries()) {
      if (chunk === undefined) continue;
      const ahead = (slot - this.#oldestChunk) & (this.#chunks.length - 1);
      chunks[(this.#oldestChunk + ahead) & (chunks.length - 1)] = chunk;
    }
    this.#chunks = chunks;
  }

  #chunkAt(position: number): RecordMemory {
    return this.#chunks[Math.floor(position / CHUNK_UNITS) & (this.#chunks.length - 1)]!;
  }

  #positionOf(at: number): number {
    const chunk = Math.floor((this.#tail - 1) / CHUNK_UNITS);
    return this.#shortPosition(chunk * CHUNK_UNITS + at / 8);
  }

  #shortPosition(position: number): number {
    return position >>> 0;
  }
}

/** A row of the log that is not a sequence of records. */
export class CorruptRow extends Error {
  override readonly name = 'CorruptRow';

  constructor(first: Seq) {
    super(`row ${first} of the log is damaged`);
  }
}
