import type { ChunkStore, StoredChunk } from './chunk-store.js';

const CHUNK = 64;

/** Of chunks that are stored. */
const NO_SLOTS: never[] = [];

class Chunk<T> {
  slots: (T | undefined)[] = new Array(CHUNK);
  next: Chunk<T> | null = null;
  /** Its entries are in the store, and the slots are not there. Never of the first chunk, nor of the last. */
  stored: StoredChunk | null = null;
  /** The slots in use are those from `begin` to `end`: all, but where two queues were joined. */
  begin = 0;
  end = CHUNK;
}

/** What {@link Fifo.takeWhere} returns when nothing matches. */
export const NONE = Symbol('none');

/**
 * An unbounded queue, first in, first out: a linked list of chunks of 64 slots. Push and shift are O(1) at any
 * length (an array's `shift` is not: at ten million entries it is a hundred times slower), and one emptied
 * chunk is kept for reuse, so a queue that breathes around a chunk's border does not allocate.
 *
 *     head ▶ [ . . c d ] ─▶ [ e f g h ] ─▶ [ i . . . ] ◀ tail
 *              headAt ↑                       ↑ tailAt
 *
 * Whoever puts something in bounds it: the queue itself does not.
 *
 * With a {@link ChunkStore} the chunks in the middle of a long queue are kept there, and come back when their turn comes:
 *
 *     head ▶ [ . b c d ] ─▶ [ e f g h ] ─▶ stored ─▶ stored ─▶ stored ─▶ [ u v . . ] ◀ tail
 *
 * Nothing else about the queue changes by it, but that what comes back may be a copy.
 */
export class Fifo<T> {
  /** Entries in the queue. */
  length = 0;
  private head: Chunk<T> = new Chunk<T>();
  private tail: Chunk<T> = this.head;
  private headAt = 0;
  private tailAt = 0;
  private spare: Chunk<T> | null = null;
  private storing = false;

  constructor(private readonly store: ChunkStore<T> | null = null) {}

  push(value: T): void {
    if (this.tailAt === CHUNK) this.grow();
    this.tail.slots[this.tailAt++] = value;
    this.length++;
  }

  /** Puts an entry before all others. */
  unshift(value: T): void {
    if (this.length === 0) {
      this.push(value);
      return;
    }
    if (this.headAt === 0) {
      const chunk = this.spare ?? new Chunk<T>();
      this.spare = null;
      this.head.begin = 0;
      chunk.next = this.head;
      this.head = chunk;
      this.headAt = CHUNK;
    }
    this.head.slots[--this.headAt] = value;
    this.length++;
  }

  /** The oldest entry, removed; undefined when the queue is empty. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const { slots } = this.head;
    const value = slots[this.headAt];
    slots[this.headAt++] = undefined;
    if (--this.length === 0) {
      // The last entry lives in the last chunk, so head and tail are the same one here.
      this.headAt = 0;
      this.tailAt = 0;
    } else if (this.headAt === this.head.end) {
      const emptied = this.head;
      this.head = emptied.next!;
      this.headAt = this.head.begin;
      emptied.next = null;
      emptied.begin = 0;
      emptied.end = CHUNK;
      if (this.head.stored === null) this.spare = emptied;
      else this.loadInto(emptied.slots);
    }
    return value;
  }

  /**
   * Takes all entries of `other` over, behind those that are here, in O(1). `other` is empty afterwards. Throws a
   * RangeError if it has another store.
   */
  append(other: Fifo<T>): void {
    if (other.length === 0) return;
    if (other.store !== this.store) throw new RangeError('two queues with different stores cannot be joined');
    if (other.storing) this.storing = true;
    if (this.length === 0) {
      // The empty chunk of this one is the other's from now on.
      const { head, spare } = this;
      this.head = other.head;
      this.headAt = other.headAt;
      this.tail = other.tail;
      this.tailAt = other.tailAt;
      this.length = other.length;
      other.head = head;
      other.tail = head;
      head.begin = 0;
      other.headAt = 0;
      other.tailAt = 0;
      other.length = 0;
      this.spare = other.spare;
      other.spare = spare;
      return;
    }
    this.tail.end = this.tailAt;
    other.head.begin = other.headAt;
    this.tail.next = other.head;
    this.tail = other.tail;
    this.tailAt = other.tailAt;
    this.length += other.length;
    other.forget();
  }

  /** The oldest entry, left in place; undefined when the queue is empty. */
  peek(): T | undefined {
    return this.length === 0 ? undefined : this.head.slots[this.headAt];
  }

  clear(): void {
    if (this.store !== null) {
      for (let chunk: Chunk<T> | null = this.head; chunk !== null; chunk = chunk.next) {
        if (chunk.stored !== null) this.store.free(chunk.stored);
        chunk.stored = null;
      }
    }
    this.forget();
  }

  private forget(): void {
    this.head = new Chunk<T>();
    this.tail = this.head;
    this.headAt = 0;
    this.tailAt = 0;
    this.length = 0;
    this.spare = null;
  }

  /**
   * Takes the first entry out that matches, in its place: O(entries looked at), and nothing else is moved but within one
   * chunk. Looks at whole chunks until it has seen `limit` entries. {@link NONE} if none of them matches: then those that
   * were looked at are appended to `seen`, in O(1).
   */
  takeWhere(matches: (value: T) => boolean, limit: number, seen: Fifo<T>): T | typeof NONE {
    let before: Chunk<T> | null = null;
    let looked = 0;
    for (let chunk = this.head; looked < this.length; chunk = chunk.next!) {
      const slots = this.slotsOf(chunk);
      const begin = chunk === this.head ? this.headAt : chunk.begin;
      const end = chunk === this.tail ? this.tailAt : chunk.end;
      for (let at = begin; at < end; at++) {
        const value = slots[at] as T;
        if (!matches(value)) continue;
        if (chunk.stored !== null) this.install(chunk, slots);
        this.cut(before, chunk, at, end);
        return value;
      }
      looked += end - begin;
      before = chunk;
      if (looked >= limit) break;
    }
    this.split(before, looked, seen);
    return NONE;
  }

  /** Takes one entry out of the middle of a chunk. */
  private cut(before: Chunk<T> | null, chunk: Chunk<T>, at: number, end: number): void {
    const { slots } = chunk;
    slots.copyWithin(at, at + 1, end);
    slots[end - 1] = undefined;
    this.length--;
    if (this.length === 0) {
      this.headAt = 0;
      this.tailAt = 0;
      return;
    }
    const begin = chunk === this.head ? this.headAt : chunk.begin;
    if (chunk === this.tail) {
      this.tailAt--;
      if (this.tailAt > begin || before === null) return;
      // The last chunk is empty: the one before it is the last now, and open again.
      this.tail = before;
      this.tailAt = before.end;
      before.end = CHUNK;
      before.next = null;
      if (before.stored !== null) this.load(before);
      return;
    }
    chunk.end = end - 1;
    if (chunk.end > begin) return;
    if (before === null) {
      this.head = chunk.next!;
      this.headAt = this.head.begin;
      if (this.head.stored !== null) this.load(this.head);
    } else {
      before.next = chunk.next;
    }
  }

  /** Appends the chunks up to `last`, which hold `count` entries, to `seen`. */
  private split(last: Chunk<T> | null, count: number, seen: Fifo<T>): void {
    if (last === null) return;
    if (count === this.length) {
      seen.append(this);
      return;
    }
    const part = new Fifo<T>(this.store);
    if (last.stored !== null) this.load(last);
    part.head = this.head;
    part.headAt = this.headAt;
    part.tail = last;
    part.tailAt = last.end;
    part.length = count;
    part.storing = this.storing;
    this.head = last.next!;
    this.headAt = this.head.begin;
    if (this.head.stored !== null) this.load(this.head);
    this.length -= count;
    last.next = null;
    last.end = CHUNK;
    seen.append(part);
  }

  /** Removes the oldest `limit` entries that match, keeping the order of the rest. O(length). Returns how many. */
  removeWhere(matches: (value: T) => boolean, limit: number = Number.POSITIVE_INFINITY): number {
    let removed = 0;
    let before: Chunk<T> | null = null;
    let chunk = this.head;
    for (let left = this.length; left > 0 && removed < limit; ) {
      const slots = this.slotsOf(chunk);
      const begin = chunk === this.head ? this.headAt : chunk.begin;
      let end = chunk === this.tail ? this.tailAt : chunk.end;
      const { next } = chunk;
      left -= end - begin;
      for (let at = begin; at < end && removed < limit; ) {
        if (!matches(slots[at] as T)) {
          at++;
          continue;
        }
        if (chunk.stored !== null) this.install(chunk, slots);
        this.cut(before, chunk, at, end--);
        removed++;
      }
      // One that has lost all its entries is not in the queue any more.
      if (end > begin) before = chunk;
      chunk = next!;
    }
    return removed;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    let chunk: Chunk<T> | null = this.head;
    let slots = this.slotsOf(chunk);
    let at = this.headAt;
    for (let left = this.length; left > 0; left--) {
      if (at === chunk!.end) {
        chunk = chunk!.next!;
        slots = this.slotsOf(chunk);
        at = chunk.begin;
      }
      yield slots[at++] as T;
    }
  }

  private grow(): void {
    if (this.store !== null && this.tail !== this.head) this.spill(this.store, this.tail);
    const chunk = this.spare ?? new Chunk<T>();
    this.spare = null;
    this.tail.next = chunk;
    this.tail = chunk;
    this.tailAt = 0;
  }

  /** The entries of a chunk: of a stored one as copies of its own, for a look. */
  private slotsOf(chunk: Chunk<T>): (T | undefined)[] {
    if (chunk.stored === null) return chunk.slots;
    const slots = new Array<T | undefined>(CHUNK);
    this.store!.load(chunk.stored, slots, chunk.begin);
    return slots;
  }

  /**
   * The next chunk, which is stored, gets the slots of the one that was emptied: new ones would outlive it, as the
   * chunk is old and V8 keeps what old objects point at, dead ones, too.
   */
  private loadInto(slots: (T | undefined)[]): void {
    const { head } = this;
    this.store!.load(head.stored!, slots, head.begin);
    this.install(head, slots);
  }

  private load(chunk: Chunk<T>): void {
    this.install(chunk, this.slotsOf(chunk));
  }

  /** A stored chunk is here again. */
  private install(chunk: Chunk<T>, slots: (T | undefined)[]): void {
    const stored = chunk.stored!;
    chunk.slots = slots;
    chunk.stored = null;
    this.store!.free(stored);
  }

  /** A chunk is full and will be in the middle. Not in `grow` itself, which is inlined. */
  private spill(store: ChunkStore<T>, chunk: Chunk<T>): void {
    if (this.length >= store.storeAt) this.storing = true;
    else if (this.length < store.storeAt / 2) this.storing = false;
    if (!this.storing) return;
    const { slots, begin } = chunk;
    chunk.stored = store.store(slots, begin, CHUNK);
    if (chunk.stored !== null) chunk.slots = NO_SLOTS;
  }
}
