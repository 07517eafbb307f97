import type { Pid, Runtime } from '../actors/index.js';
import { BytePool } from '../structures/byte-pool.js';
import type { RecordMemory } from '../structures/record-memory.js';
import { bufferOver } from './record-writer.js';

/** A record that came over a ring is not what its kind says: a bug, as both ends are of one build. It is dropped. */
export class UndecodableRecord extends Error {
  override readonly name = 'UndecodableRecord';
}

/** Reads the fields that a {@link RecordWriter} wrote, in the same order. Throws {@link UndecodableRecord}. */
export class RecordReader {
  /** Offset of the next byte. */
  at = 0;
  #end = 0;
  #memory: RecordMemory | null = null;
  #i32: Int32Array = new Int32Array(0);
  #f64: Float64Array = new Float64Array(0);
  #bytes: Uint8Array = new Uint8Array(0);
  #text: Buffer | null = null;
  readonly #pool = new BytePool();

  constructor(
    /** The runtime that the messages are for. */
    readonly runtime: Runtime,
  ) {}

  /** The memory that is being read: valid until the callback of the message returns. */
  get source(): Uint8Array {
    return this.#bytes;
  }

  /** @internal Begins with a record's payload. */
  open(memory: RecordMemory, at: number, end: number): void {
    this.at = at;
    this.#end = end;
    if (memory === this.#memory) return;
    this.#memory = memory;
    this.#i32 = memory.i32;
    this.#f64 = memory.f64;
    this.#bytes = memory.bytes;
    this.#text = null;
  }

  int(): number {
    const { at } = this;
    this.#claim(at + 4);
    return this.#i32[at >> 2]!;
  }

  boolean(): boolean {
    return this.int() !== 0;
  }

  number(): number {
    const at = (this.at + 7) & ~7;
    this.#claim(at + 8);
    return this.#f64[at >> 3]!;
  }

  /** The pid as this scheduler knows it: comparable with `===`. */
  pid(): Pid<unknown> {
    const id = this.number();
    const scheduler = this.int();
    if (!Number.isSafeInteger(id) || id < 0)
      throw new UndecodableRecord(`a process cannot have the id ${id}`);
    return this.runtime.pid(scheduler, id);
  }

  /** A copy; see {@link BytePool}. */
  bytes(): Uint8Array {
    const length = this.view();
    const start = this.at - ((length + 3) & ~3);
    return this.#pool.copy(this.#bytes, start, start + length);
  }

  /**
   * Passes over bytes and returns how many they are. They stand in {@link source} and end, padded to a multiple of
   * 4, at {@link at}: for codecs with a `borrow`.
   */
  view(): number {
    const at = this.at + 4;
    this.#claim(at);
    const length = this.#i32[(at >> 2) - 1]!;
    if (length < 0) throw new UndecodableRecord(`${length} bytes`);
    this.#claim(at + ((length + 3) & ~3));
    return length;
  }

  text(): string {
    const at = this.at + 4;
    this.#claim(at);
    const stored = this.#i32[(at >> 2) - 1]!;
    const length = stored < 0 ? ~stored : stored;
    this.#claim(at + ((length + 3) & ~3));
    this.#text ??= bufferOver(this.#bytes);
    return stored < 0 ? this.#text.ucs2Slice(at, at + length) : this.#text.utf8Slice(at, at + length);
  }

  #claim(end: number): void {
    if (end > this.#end) throw new UndecodableRecord('the record is shorter than its fields');
    this.at = end;
  }
}
