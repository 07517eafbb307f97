import { RemotePid } from './pid.js';

/**
 * One object for each process of another scheduler that somebody here knows, so that pids can be compared with `===`.
 * Held weakly: what nobody here knows any more is forgotten.
 */
export class RemotePids {
  readonly #known = new Map<string, WeakRef<RemotePid>>();
  readonly #registry = new FinalizationRegistry<string>((key) => {
    // A new object may have taken the place of the one that was collected.
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key);
  });

  get size(): number {
    return this.#known.size;
  }

  of(scheduler: number, id: number): RemotePid {
    const key = `${scheduler} ${id}`;
    const known = this.#known.get(key)?.deref();
    if (known !== undefined) return known;
    const pid = new RemotePid(scheduler, id);
    this.#known.set(key, new WeakRef(pid));
    this.#registry.register(pid, key);
    return pid;
  }
}
