import type { ExitHook, Pid, Process } from '../actors/index.js';

/** One registration. */
export class Entry<out K, V, out P extends Pid> {
  /** Another one of the same process under the same key. */
  nextOfKey: Entry<K, V, P> | null = null;

  constructor(
    readonly key: K,
    readonly pid: P,
    public value: V,
  ) {}
}

/** The registrations of one process: most have one key, so a map is made for the second only. */
class Holder<K, V, P extends Pid> {
  first: Entry<K, V, P> | null = null;
  keys: Map<K, Entry<K, V, P>> | null = null;

  headOf(key: K): Entry<K, V, P> | null {
    if (this.keys !== null) return this.keys.get(key) ?? null;
    return this.first !== null && sameKey(this.first.key, key) ? this.first : null;
  }

  setHead(key: K, head: Entry<K, V, P> | null): void {
    if (this.keys === null) {
      if (this.first === null || sameKey(this.first.key, key)) {
        this.first = head;
        return;
      }
      this.keys = new Map([[this.first.key, this.first]]);
      this.first = null;
    }
    if (head === null) this.keys.delete(key);
    else this.keys.set(key, head);
  }

  /** The first entry under each key. */
  heads(): Iterable<Entry<K, V, P>> {
    if (this.keys !== null) return this.keys.values();
    return this.first === null ? [] : [this.first];
  }
}

/** As a Map compares keys: by value for strings, numbers and symbols, NaN being itself; by identity for objects. */
function sameKey(one: unknown, other: unknown): boolean {
  return one === other || (Number.isNaN(one) && Number.isNaN(other));
}

/** Entries by key: a set is made for the second under a key only. Every operation but the listing ones is O(1). */
export class KeyTable<K, V, P extends Pid> {
  readonly #entries = new Map<K, Entry<K, V, P> | Set<Entry<K, V, P>>>();
  #count = 0;

  /** Entries of processes that end at the moment may still be among them. */
  get count(): number {
    return this.#count;
  }

  /** The one entry under a key, in a table of unique keys. */
  one(key: K): Entry<K, V, P> | undefined {
    return this.#entries.get(key) as Entry<K, V, P> | undefined;
  }

  /** All entries under a key, oldest first. */
  all(key: K): Iterable<Entry<K, V, P>> {
    const found = this.#entries.get(key);
    if (found === undefined) return [];
    return found instanceof Set ? found : [found];
  }

  add(entry: Entry<K, V, P>): void {
    const { key } = entry;
    const found = this.#entries.get(key);
    if (found === undefined) this.#entries.set(key, entry);
    else if (found instanceof Set) found.add(entry);
    else this.#entries.set(key, new Set([found, entry]));
    this.#count++;
  }

  remove(entry: Entry<K, V, P>): void {
    const { key } = entry;
    const found = this.#entries.get(key);
    if (found === entry) this.#entries.delete(key);
    else if (!(found instanceof Set && found.delete(entry))) return;
    else if (found.size === 0) this.#entries.delete(key);
    this.#count--;
  }

  *entries(): Generator<Entry<K, V, P>, void, undefined> {
    for (const found of this.#entries.values()) {
      if (found instanceof Set) yield* found;
      else yield found;
    }
  }
}

/**
 * Entries by process. It hooks into the end of each process that has any, and then tells `vanished` of every entry: before
 * the links and monitors of the process hear of its end.
 */
export class HolderTable<K, V, P extends Pid> implements ExitHook {
  readonly #holders = new Map<Pid, Holder<K, V, P>>();

  constructor(private readonly vanished: (entry: Entry<K, V, P>) => void) {}

  /** The first entry of a process under a key. */
  headOf(pid: Pid, key: K): Entry<K, V, P> | null {
    return this.#holders.get(pid)?.headOf(key) ?? null;
  }

  /** The first entry of a process under each of its keys. */
  headsOf(pid: Pid): Iterable<Entry<K, V, P>> {
    return this.#holders.get(pid)?.heads() ?? [];
  }

  add(entry: Entry<K, V, P>, process: Process<never>): void {
    let holder = this.#holders.get(entry.pid);
    if (holder === undefined) {
      holder = new Holder();
      this.#holders.set(entry.pid, holder);
      process.onExit(this);
    }
    entry.nextOfKey = holder.headOf(entry.key);
    holder.setHead(entry.key, entry);
  }

  /**
   * Puts another chain of entries in the place of those under a key. A process without entries stays known while it lives,
   * so that it is hooked once.
   */
  setHead(pid: Pid, key: K, head: Entry<K, V, P> | null): void {
    this.#holders.get(pid)?.setHead(key, head);
  }

  processExited(pid: Pid): void {
    const holder = this.#holders.get(pid);
    if (holder === undefined) return;
    this.#holders.delete(pid);
    for (const head of holder.heads()) {
      for (let entry: Entry<K, V, P> | null = head; entry !== null; entry = entry.nextOfKey)
        this.vanished(entry);
    }
  }
}
