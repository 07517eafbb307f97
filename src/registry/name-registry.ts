import { BadArgument, type ExitHook, type Pid, type Runtime } from '../actors/index.js';

/**
 * Processes under keys of any primitive type: unique, looked up in O(1), gone with their process before anybody hears
 * of its end. Elixir's Registry with unique keys.
 *
 *     const sessions = new NameRegistry<UserId, SessionMessage>(runtime);
 *     if (!sessions.register(user, self)) …                       // somebody else has it
 *     const pid = sessions.lookup(user);
 *
 * A process may have any number of keys. The names of `runtime.register` are for the few well-known processes, one
 * each; this is for the many. Only processes of the registry's own scheduler can be registered.
 */
export class NameRegistry<K extends string | number | bigint, M = unknown> implements ExitHook {
  readonly #runtime: Runtime;
  readonly #pids = new Map<K, Pid<M>>();
  /** The keys of each process: most have one, so a set is made for the second only. */
  readonly #keys = new Map<Pid, K | Set<K>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Keys in use. */
  get size(): number {
    return this.#pids.size;
  }

  /** The process under a key. */
  lookup(key: K): Pid<M> | undefined {
    const pid = this.#pids.get(key);
    // One that ends together with others may still be there for a moment.
    return pid !== undefined && this.#runtime.isAlive(pid) ? pid : undefined;
  }

  /** The keys of a process, oldest first. */
  keysOf(pid: Pid): K[] {
    const keys = this.#keys.get(pid);
    if (keys === undefined) return [];
    return keys instanceof Set ? [...keys] : [keys];
  }

  /**
   * Puts a process under a key. False if another one is there; true also if it was there itself. Throws a
   * {@link BadArgument} if the process has ended or is elsewhere.
   */
  register(key: K, pid: Pid<M>): boolean {
    const process = this.#runtime.local(pid);
    if (process === null || !process.alive) {
      throw new BadArgument(`${String(pid)} cannot be registered under ${key}: it has ended or is elsewhere`);
    }
    const holder = this.lookup(key);
    if (holder !== undefined) return holder === pid;
    const stale = this.#pids.get(key);
    if (stale !== undefined) this.#forget(stale, key);
    this.#pids.set(key, pid);
    const keys = this.#keys.get(pid);
    if (keys === undefined) {
      this.#keys.set(pid, key);
      process.onExit(this);
    } else if (keys instanceof Set) {
      keys.add(key);
    } else {
      this.#keys.set(pid, new Set([keys, key]));
    }
    return true;
  }

  /** Takes a key away from a process. False if it did not have it. */
  unregister(key: K, pid: Pid): boolean {
    if (this.#pids.get(key) !== (pid as unknown)) return false;
    this.#pids.delete(key);
    this.#forget(pid, key);
    return true;
  }

  /** All keys and their processes, in the order of registration. */
  *[Symbol.iterator](): Generator<readonly [K, Pid<M>], void, undefined> {
    for (const entry of this.#pids) if (this.#runtime.isAlive(entry[1])) yield entry;
  }

  /** @internal */
  processExited(process: Pid): void {
    const keys = this.#keys.get(process);
    if (keys === undefined) return;
    this.#keys.delete(process);
    for (const key of keys instanceof Set ? keys : [keys]) {
      if (this.#pids.get(key) === (process as unknown)) this.#pids.delete(key);
    }
  }

  /** Of the keys of a process one goes. The process stays known while it lives, so that it is hooked once. */
  #forget(pid: Pid, key: K): void {
    const keys = this.#keys.get(pid);
    if (keys instanceof Set) keys.delete(key);
    else if (keys === key) this.#keys.set(pid, new Set());
  }
}
