import {
  BadArgument,
  type Name,
  type Pid,
  type Process,
  type Runtime,
  type Via,
  type ViaTable,
} from '../actors/index.js';
import { KeyPartitioner } from './key-partitioner.js';
import { Entry, HolderTable, KeyTable } from './key-table.js';
import { RegisterMessage, UnregisterMessage } from './registry-messages.js';

/** Whether a key belongs to one process at most, or to any number. */
export type RegistryKeys = 'unique' | 'duplicate';

export interface RegistryOptions {
  /** Default unique. */
  readonly keys?: RegistryKeys;
  /** What people call it. Default `registry`. */
  readonly label?: string;
  /**
   * Tables that the entries are dealt out to, by key if keys are unique and by process if not. Default 1. A Map of V8
   * holds 2^24 keys and is copied whole when it grows: more partitions hold more, and pause less at a time.
   */
  readonly partitions?: number;
  /** Processes that get a {@link RegisterMessage} or {@link UnregisterMessage} each time. One that is not there is left out. */
  readonly listeners?: readonly Name[];
  /** See {@link Registry.meta}. */
  readonly meta?: Iterable<readonly [key: unknown, value: unknown]>;
}

/** What is known of one registration. */
export interface Registered<V, P extends Pid> {
  readonly pid: P;
  readonly value: V;
}

/** Whether a registration was made, and if not whose the key is. */
export type Registration<P extends Pid> =
  | { readonly ok: true; readonly error?: undefined }
  | { readonly ok?: undefined; readonly error: { readonly type: 'already_registered'; readonly pid: P } };

/** A value must be given unless the registry's may be undefined. */
export type ValueOf<V> = undefined extends V ? [value?: V] : [value: V];

const REGISTERED: Registration<never> = { ok: true };

/**
 * Processes under keys: Elixir's Registry. With `unique` keys a key has one process at most, with `duplicate` keys any
 * number; a process may have any number of keys either way, and goes with a value under each.
 *
 * ```ts
 * import { defaultRuntime, type Pid, Registry } from 'rookery';
 *
 * const runtime = defaultRuntime();
 * const start = () => ({ receive: (message: unknown) => console.log(message) });
 *
 * const rooms = new Registry<string>(runtime);
 * const lobby = runtime.spawn<unknown>(start, { name: rooms.via('lobby') });
 * console.log(rooms.whereis('lobby') === lobby); // → true
 * console.log(rooms.register(lobby, 'lobby').error?.type); // → already_registered
 *
 * const topics = new Registry<string, number, Pid<string>>(runtime, { keys: 'duplicate' });
 * topics.register(runtime.spawn<string>(start), 'sports', 1);
 * topics.register(runtime.spawn<string>(start), 'sports', 2);
 * topics.dispatch('sports', (entries) => {
 *   for (const { pid, value } of entries) runtime.send(pid, `news for ${value}`);
 * });
 * runtime.flush(); // → news for 1
 * // → news for 2
 * console.log(topics.countMatch('sports', (value) => value > 1)); // → 1
 * ```
 *
 * **Keys** are compared as a Map does: strings, numbers and symbols by value, objects by identity.
 *
 * **Ends of processes.** Entries vanish with their process, before its links and monitors hear of its end: whoever got a
 * DOWN can take the key at once. No entry of a dead process is ever returned.
 *
 * **No process of its own.** It is a table that hooks into the ends of processes, so it cannot crash, needs no place in
 * a supervision tree, and every operation takes effect at once. In Elixir its processes are linked with those that
 * registered; here there is nothing to be linked with.
 *
 * **Cost.** Everything is O(1), but for what lists entries; `unregister` is O(what it removes). An entry takes about 190
 * bytes. Only processes of the registry's own scheduler can be registered.
 *
 * **When not to use it.** The few well-known processes have names (`runtime.register`); members of groups over all
 * schedulers have {@link ProcessGroups}.
 */
export class Registry<K, V = undefined, P extends Pid = Pid<unknown>> implements ViaTable<P> {
  readonly keysAre: RegistryKeys;
  readonly label: string;
  readonly partitions: number;
  readonly #runtime: Runtime;
  readonly #tables: readonly KeyTable<K, V, P>[];
  readonly #holders: HolderTable<K, V, P>;
  readonly #partitioner: KeyPartitioner;
  readonly #listeners: readonly Name[];
  readonly #meta: Map<unknown, unknown>;

  /** Throws a {@link BadArgument} for a bad option. */
  constructor(runtime: Runtime, options: RegistryOptions = {}) {
    const { keys = 'unique', label = 'registry', partitions = 1, listeners = [], meta = [] } = options;
    if (keys !== 'unique' && keys !== 'duplicate') throw new BadArgument(`bad keys: ${String(keys)}`);
    if (!Number.isInteger(partitions) || partitions < 1)
      throw new BadArgument(`bad number of partitions: ${partitions}`);
    this.#runtime = runtime;
    this.keysAre = keys;
    this.label = label;
    this.partitions = partitions;
    this.#tables = Array.from({ length: partitions }, () => new KeyTable<K, V, P>());
    this.#holders = new HolderTable((entry) => this.#tableOf(entry.key, entry.pid).remove(entry));
    this.#partitioner = new KeyPartitioner(partitions);
    this.#listeners = [...listeners];
    this.#meta = new Map(meta);
  }

  // ---- registering ---------------------------------------------------------------------------------------------

  /**
   * Puts a process under a key, with a value. A key that is unique and taken, be it by the process itself:
   * `already_registered`. With duplicate keys the same process may be there several times.
   *
   * Throws a {@link BadArgument} if the process has ended or is of another scheduler.
   */
  register(pid: P, key: K, ...value: ValueOf<V>): Registration<P> {
    const process = this.#runtime.local(pid);
    if (process === null || !process.alive) {
      throw new BadArgument(
        `${String(pid)} cannot be registered as ${this.describeName(key)}: it has ended or is elsewhere`,
      );
    }
    const holder = this.keysAre === 'unique' ? this.#holderOf(key) : undefined;
    if (holder !== undefined) return { error: { type: 'already_registered', pid: holder } };
    this.#add(process, pid, key, value[0] as V);
    return REGISTERED;
  }

  /** Takes all entries of a process under a key away. Returns whether there were any. */
  unregister(pid: P, key: K): boolean {
    return this.#removeWhere(pid, key, () => true);
  }

  /** Takes those entries of a process under a key away whose value matches. Returns whether there were any. */
  unregisterMatch(pid: P, key: K, matches: (value: V) => boolean): boolean {
    return this.#removeWhere(pid, key, matches);
  }

  /**
   * Puts another value in the place of the one that a process has under a key, made of it. Undefined if the key is not
   * its own.
   *
   * Throws a {@link BadArgument} if keys are not unique.
   */
  updateValue(pid: P, key: K, update: (value: V) => V): { readonly value: V; readonly old: V } | undefined {
    this.#mustBeUnique('updateValue');
    const entry = this.#holders.headOf(pid, key);
    if (entry === null || !this.#runtime.isAlive(pid)) return undefined;
    const old = entry.value;
    entry.value = update(old);
    return { value: entry.value, old };
  }

  // ---- looking up ----------------------------------------------------------------------------------------------

  /**
   * The process under a key. Makes nothing, so it is the fastest way.
   *
   * Throws a {@link BadArgument} if keys are not unique.
   */
  whereis(key: K): P | undefined {
    this.#mustBeUnique('whereis');
    return this.#holderOf(key);
  }

  /** What is under a key, oldest first in each partition. */
  lookup(key: K): Registered<V, P>[] {
    return this.match(key, () => true);
  }

  /** What is under a key and matches. */
  match(key: K, matches: (value: V, pid: P) => boolean): Registered<V, P>[] {
    const found: Registered<V, P>[] = [];
    for (const table of this.#tablesOf(key)) this.#collect(table, key, matches, found);
    return found;
  }

  /** How many entries are under a key and match. */
  countMatch(key: K, matches: (value: V, pid: P) => boolean): number {
    return this.match(key, matches).length;
  }

  /** The keys of a process; a duplicate one as often as the process is under it. */
  keys(pid: P): K[] {
    const keys: K[] = [];
    if (!this.#runtime.isAlive(pid)) return keys;
    for (const head of this.#holders.headsOf(pid)) {
      for (let entry: Entry<K, V, P> | null = head; entry !== null; entry = entry.nextOfKey)
        keys.push(entry.key);
    }
    return keys;
  }

  /** The values that a process has under a key, newest first. */
  values(pid: P, key: K): V[] {
    const values: V[] = [];
    if (!this.#runtime.isAlive(pid)) return values;
    for (let entry = this.#holders.headOf(pid, key); entry !== null; entry = entry.nextOfKey)
      values.push(entry.value);
    return values;
  }

  /** Entries in all, O(partitions). Those of processes that are about to end may be among them. */
  get count(): number {
    let count = 0;
    for (const table of this.#tables) count += table.count;
    return count;
  }

  /** All entries; they may come and go meanwhile. */
  *[Symbol.iterator](): Generator<Registered<V, P> & { readonly key: K }, void, undefined> {
    for (const table of this.#tables) {
      for (const { key, pid, value } of table.entries())
        if (this.#runtime.isAlive(pid)) yield { key, pid, value };
    }
  }

  /** What `choose` makes of each entry, without the undefined ones. */
  select<T>(choose: (key: K, pid: P, value: V) => T | undefined): T[] {
    const chosen: T[] = [];
    for (const { key, pid, value } of this) {
      const result = choose(key, pid, value);
      if (result !== undefined) chosen.push(result);
    }
    return chosen;
  }

  /**
   * Hands all entries under a key to `deliver`, in the caller: once for each partition that has some, and not at all if
   * nobody is there. What it does with them (sending them something, mostly) is its own affair, and so is what it throws.
   */
  dispatch(key: K, deliver: (entries: readonly Registered<V, P>[]) => void): void {
    for (const table of this.#tablesOf(key)) {
      const entries: Registered<V, P>[] = [];
      this.#collect(table, key, () => true, entries);
      if (entries.length > 0) deliver(entries);
    }
  }

  // ---- names ---------------------------------------------------------------------------------------------------

  /**
   * The name of whoever is under a key: to start a process under it, and to call, cast to, stop or monitor it.
   *
   * Throws a {@link BadArgument} if keys are not unique.
   */
  via(key: K, ...value: ValueOf<V>): Via<P> {
    this.#mustBeUnique('via');
    return { via: this, key, value: value[0] };
  }

  /** @internal */
  whereisName(key: unknown): P | undefined {
    return this.whereis(key as K);
  }

  /** @internal */
  registerName(key: unknown, pid: Pid, value: unknown): boolean {
    this.#mustBeUnique('via');
    return this.register(pid as P, key as K, ...([value] as ValueOf<V>)).error === undefined;
  }

  /** @internal */
  describeName(key: unknown): string {
    return `${this.label}/${keyInWords(key)}`;
  }

  // ---- metadata ------------------------------------------------------------------------------------------------

  /** Something that was stored about the registry itself. */
  meta<T = unknown>(key: unknown): T | undefined {
    return this.#meta.get(key) as T | undefined;
  }

  putMeta(key: unknown, value: unknown): void {
    this.#meta.set(key, value);
  }

  deleteMeta(key: unknown): void {
    this.#meta.delete(key);
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #holderOf(key: K): P | undefined {
    const entry = this.#tables[this.#partitioner.partitionOf(key)]!.one(key);
    // One that ends together with others may still be there for a moment.
    return entry !== undefined && this.#runtime.isAlive(entry.pid) ? entry.pid : undefined;
  }

  #add(process: Process<never>, pid: P, key: K, value: V): void {
    const table = this.#tableOf(key, pid);
    const entry = new Entry<K, V, P>(key, pid, value);
    if (this.keysAre === 'unique') {
      const stale = table.one(key);
      if (stale !== undefined) this.#forget(stale, table);
    }
    table.add(entry);
    this.#holders.add(entry, process);
    for (const listener of this.#listeners) this.#tell(listener, new RegisterMessage(this, key, pid, value));
  }

  #removeWhere(pid: P, key: K, matches: (value: V) => boolean): boolean {
    let removed = false;
    let kept: Entry<K, V, P> | null = null;
    let last: Entry<K, V, P> | null = null;
    const table = this.#tableOf(key, pid);
    for (let entry = this.#holders.headOf(pid, key); entry !== null; entry = entry.nextOfKey) {
      if (matches(entry.value)) {
        table.remove(entry);
        removed = true;
      } else {
        if (last === null) kept = entry;
        else last.nextOfKey = entry;
        last = entry;
      }
    }
    if (!removed) return false;
    if (last !== null) last.nextOfKey = null;
    this.#holders.setHead(pid, key, kept);
    for (const listener of this.#listeners) this.#tell(listener, new UnregisterMessage(this, key, pid));
    return true;
  }

  /** A unique key of a process that has ended and was not worked off yet. */
  #forget(entry: Entry<K, V, P>, table: KeyTable<K, V, P>): void {
    table.remove(entry);
    this.#holders.setHead(entry.pid, entry.key, null);
  }

  #collect(
    table: KeyTable<K, V, P>,
    key: K,
    matches: (value: V, pid: P) => boolean,
    found: Registered<V, P>[],
  ): void {
    for (const { pid, value } of table.all(key)) {
      if (this.#runtime.isAlive(pid) && matches(value, pid)) found.push({ pid, value });
    }
  }

  #tableOf(key: K, pid: Pid): KeyTable<K, V, P> {
    const unique = this.keysAre === 'unique';
    return this.#tables[unique ? this.#partitioner.partitionOf(key) : pid.id % this.partitions]!;
  }

  #tablesOf(key: K): readonly KeyTable<K, V, P>[] {
    if (this.partitions === 1 || this.keysAre === 'duplicate') return this.#tables;
    return [this.#tables[this.#partitioner.partitionOf(key)]!];
  }

  #tell(listener: Name, message: RegisterMessage<K, V, P> | UnregisterMessage<K, V, P>): void {
    const pid = this.#runtime.whereis(listener);
    if (pid !== undefined) this.#runtime.send(pid, message);
  }

  #mustBeUnique(what: string): void {
    if (this.keysAre !== 'unique')
      throw new BadArgument(`${what} is for unique keys: ${this.label} has duplicate ones`);
  }
}

function keyInWords(key: unknown): string {
  // An object may be one that cannot be made a string.
  return typeof key === 'object' && key !== null && typeof key.toString !== 'function'
    ? 'object'
    : String(key);
}
