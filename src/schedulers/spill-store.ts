import { BadArgument, type Runtime } from '../actors/index.js';
import type { MailboxSpill } from '../actors/mailbox-spill.js';
import type { Process } from '../actors/process.js';
import type { SliceGuard } from '../actors/slice-guard.js';
import type { StoredChunk } from '../structures/chunk-store.js';
import { RecordMemory } from '../structures/record-memory.js';
import { MessageCodecs } from './message-codec.js';
import { RecordFull } from './record-writer.js';
import { Shapes } from './shape.js';
import { placesOf, SPILL_COUNTERS, type SpillCounter } from './spill-counters.js';
import { createStats, StatsBlock } from './stats-block.js';
import { TermReader } from './term-reader.js';
import { KnownTexts } from './term-tag.js';
import { TermWriter } from './term-writer.js';

const SEGMENT_BYTES = 1024 * 1024;
/** Segments that are kept for the next backlog. */
const POOL_MAX = 16;
const SHAPES_MAX = 4096;
const TEXTS_MAX = 4096;

/** A piece of memory outside of the heap, filled from its beginning to its end with chunks of any mailboxes. */
class Segment {
  /**
   * Shared, though no other thread ever sees it: V8 counts what ordinary ArrayBuffers hold as pressure on the heap, and
   * begins a full collection for every 64 MiB.
   */
  readonly memory = new RecordMemory(new SharedArrayBuffer(SEGMENT_BYTES), 0, SEGMENT_BYTES);
  /** Grows with each segment that is begun anew. */
  number = 0;
  used = 0;
  /** Chunks in it that are still needed. */
  chunks = 0;
}

const NO_ASIDES: readonly unknown[] = [];

class SpilledChunk implements StoredChunk {
  constructor(
    readonly count: number,
    readonly segment: Segment,
    readonly at: number,
    /** What stayed on the heap. */
    readonly asides: readonly unknown[],
  ) {}
}

/** A StatsBlock that has at least the {@link SPILL_COUNTERS}. */
export interface SpillStats {
  readonly names: readonly string[];
  readonly values: Float64Array;
  read(name: SpillCounter): number;
}

export interface SpillOptions {
  /** The compact forms of messages that a scheduler knows; everything else is written as what it is. */
  readonly codecs?: MessageCodecs;
  /** Messages of one mailbox from which on they leave the heap, until it is below half of it. Default 4096. */
  readonly spillAt?: number;
  /** Bytes of memory for all mailboxes of the scheduler. Beyond it messages stay on the heap. Default 512 MiB. */
  readonly bytesMax?: number;
  /** The runtime's own: whoever is cut off must not be in the middle of a queue. */
  readonly guard?: SliceGuard | null;
  /** Where it counts. Default: a block of its own. */
  readonly stats?: SpillStats;
}

/**
 * Keeps the middle of long mailboxes outside of the heap, where the collector has no work with them: what waits in a long
 * mailbox survives collection after collection, and is copied by each. One for each runtime:
 *
 *     const spill = new SpillStore({ codecs });
 *     const runtime = new Runtime({ clock, random, spill: (runtime) => spill.start(runtime) });
 *
 * What may leave the heap, and what of it comes back, says {@link TermWriter}. Messages that would stay there as a whole,
 * and those for which there is no memory, stay where they are; the order is kept in any case.
 */
export class SpillStore implements MailboxSpill {
  /** Set it at any time; Infinity: nothing more leaves the heap. */
  storeAt: number;
  /** Set it at any time. */
  bytesMax: number;
  readonly stats: SpillStats;
  /** Called when a mailbox is long and grows: for each chunk, before it is written. */
  onGrowth: (() => void) | null = null;

  readonly #codecs: MessageCodecs;
  readonly #guard: SliceGuard | null;
  readonly #places: Readonly<Record<SpillCounter, number>>;
  #writer: TermWriter | null = null;
  #reader: TermReader | null = null;
  #current: Segment | null = null;
  /** All with chunks in them, and the current one, in the order in which they were begun. */
  readonly #segments = new Set<Segment>();
  readonly #pool: Segment[] = [];
  #lastNumber = 0;
  #busy = false;
  /** Processes that have ended, whose pids may stand in segments up to that number; in the order of these. */
  readonly #ended = new Map<number, { readonly process: Process<never>; readonly number: number }>();

  /** Throws a {@link BadArgument} for a bad option. */
  constructor(options: SpillOptions = {}) {
    const { spillAt = 4096, bytesMax = 512 * 1024 * 1024 } = options;
    if (!(spillAt >= 128)) throw new BadArgument(`bad spillAt: ${spillAt}`);
    if (!(bytesMax >= SEGMENT_BYTES)) throw new BadArgument(`bad bytesMax: ${bytesMax}`);
    this.storeAt = spillAt;
    this.bytesMax = bytesMax;
    this.#codecs = options.codecs ?? new MessageCodecs();
    this.#guard = options.guard ?? null;
    this.stats = options.stats ?? new StatsBlock(createStats(SPILL_COUNTERS));
    this.#places = placesOf(this.stats.names, SPILL_COUNTERS);
  }

  /** To be called once, by the runtime that is being made. Returns itself. */
  start(runtime: Runtime): this {
    if (this.#writer !== null) throw new BadArgument('a SpillStore is for one runtime');
    const shapes = new Shapes(SHAPES_MAX);
    const texts = new KnownTexts(TEXTS_MAX);
    this.#writer = new TermWriter(runtime, this.#codecs, shapes, texts, (process) => this.#remember(process));
    this.#reader = new TermReader(runtime, this.#codecs, shapes, texts);
    return this;
  }

  store(slots: readonly unknown[], begin: number, end: number): StoredChunk | null {
    // A codec that sends while it writes.
    if (this.#busy) return null;
    if (areImmediate(slots, begin, end)) {
      this.#count('keptMessagesTotal', end - begin);
      return null;
    }
    this.onGrowth?.();
    this.#busy = true;
    // Under a guard of its own, as codecs may be anybody's: whoever sends without end must not be cut off in the midst of one.
    let chunk: StoredChunk | null = null;
    const write = () => {
      chunk = this.#write(slots, begin, end);
    };
    try {
      if (this.#guard === null) write();
      else if (this.#guard.run(write, null, null, null)) this.#guard.takeCut();
    } finally {
      this.#busy = false;
    }
    return chunk;
  }

  load(chunk: StoredChunk, slots: unknown[], begin: number): void {
    const { segment, at, asides, count } = chunk as SpilledChunk;
    const reader = this.#reader!;
    reader.open(segment.memory, at, segment.used, asides);
    for (let slot = begin; slot < begin + count; slot++) slots[slot] = reader.value();
  }

  free(chunk: StoredChunk): void {
    const { segment, count } = chunk as SpilledChunk;
    this.#count('spilledMessages', -count);
    if (--segment.chunks !== 0) return;
    this.#segments.delete(segment);
    if (segment === this.#current) this.#begin(segment);
    else this.#release(segment);
    this.#forgetEnded();
  }

  ended(process: Process<never>): void {
    if (this.stats.values[this.#places.spilledMessages] !== 0) this.#remember(process);
  }

  endedAs(id: number): Process<never> | undefined {
    return this.#ended.size === 0 ? undefined : this.#ended.get(id)?.process;
  }

  #write(slots: readonly unknown[], begin: number, end: number): StoredChunk | null {
    const count = end - begin;
    for (;;) {
      const segment = this.#current ?? this.#next();
      if (segment === null) {
        this.#count('refusedMessagesTotal', count);
        return null;
      }
      const at = (segment.used + 7) & ~7;
      if (this.#written(segment, at, slots, begin, end)) return this.#taken(segment, at, count);
      if (at === 0) {
        this.#count('keptMessagesTotal', count);
        return null;
      }
      // It has chunks in it: it goes when the last of them is freed.
      this.#current = null;
    }
  }

  /** Whether there was room in the segment. */
  #written(segment: Segment, at: number, slots: readonly unknown[], begin: number, end: number): boolean {
    const writer = this.#writer!;
    writer.open(segment.memory, at, SEGMENT_BYTES);
    for (let slot = begin; slot < end; slot++) {
      const start = writer.at;
      const asides = writer.asides.length;
      try {
        writer.message(slots[slot]);
      } catch (error) {
        if (error instanceof RecordFull) return false;
        // It threw as it was looked at, or its codec did: on the heap it may be whatever it is.
        writer.whole(slots[slot], start, asides);
      }
    }
    return true;
  }

  /** Null if not one message would leave the heap. */
  #taken(segment: Segment, at: number, count: number): StoredChunk | null {
    const writer = this.#writer!;
    this.#count('keptMessagesTotal', writer.wholes);
    if (writer.wholes === count) return null;
    segment.used = writer.at;
    segment.chunks++;
    this.#segments.add(segment);
    this.#count('spilledMessages', count);
    this.#count('spilledMessagesTotal', count - writer.wholes);
    this.#count('spilledBytesTotal', writer.at - at);
    return new SpilledChunk(count, segment, at, writer.asides.length === 0 ? NO_ASIDES : writer.asides);
  }

  /** A new segment, or null if there is no more memory. */
  #next(): Segment | null {
    let segment = this.#pool.pop();
    if (segment === undefined) {
      const bytes = (this.#segments.size + 1) * SEGMENT_BYTES;
      if (bytes > this.bytesMax) return null;
      segment = new Segment();
      this.#count('spillBytes', SEGMENT_BYTES);
    }
    this.#begin(segment);
    this.#current = segment;
    return segment;
  }

  #begin(segment: Segment): void {
    segment.number = ++this.#lastNumber;
    segment.used = 0;
  }

  #release(segment: Segment): void {
    if (this.#pool.length < POOL_MAX) {
      this.#pool.push(segment);
    } else {
      this.#count('spillBytes', -SEGMENT_BYTES);
      this.#count('droppedBytes', SEGMENT_BYTES);
    }
  }

  #remember(process: Process<never>): void {
    this.#ended.set(process.id, { process, number: this.#lastNumber });
  }

  /** Nobody can read the pid of a process any more when all segments have been begun after its end. */
  #forgetEnded(): void {
    if (this.#ended.size === 0) return;
    let oldest = Number.POSITIVE_INFINITY;
    for (const segment of this.#segments) {
      oldest = segment.number;
      break;
    }
    for (const [id, { number }] of this.#ended) {
      if (number >= oldest) break;
      this.#ended.delete(id);
    }
  }

  #count(name: SpillCounter, by: number): void {
    this.stats.values[this.#places[name]]! += by;
  }
}

/**
 * Whether V8 keeps all of them in the slots themselves, or has them once and for all: whole numbers of 32 bits, truth values,
 * null and undefined. The collector finds nothing behind them, and copies 8 bytes for each; to write and to read them again
 * would cost more than that.
 */
function areImmediate(slots: readonly unknown[], begin: number, end: number): boolean {
  for (let slot = begin; slot < end; slot++) {
    const value = slots[slot];
    if (typeof value === 'number') {
      if ((value | 0) !== value) return false;
    } else if (value !== null && value !== undefined && typeof value !== 'boolean') {
      return false;
    }
  }
  return true;
}
