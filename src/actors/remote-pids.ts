import { type Pid, RemotePid } from './pid.js';
import { RemoteRef } from './ref.js';

/** Pids looked up lately, so that a burst of messages from a few processes costs a comparison each: a power of two. */
const RECENT = 256;

/** Entries that are looked at for each new one: those whose pid was collected go. */
const SWEPT_FOR_EACH = 2;

/**
 * One object for each process of another scheduler that somebody here knows, so that pids can be compared with `===`.
 * Held weakly: what nobody here knows any more is forgotten, a little with each new one. (A FinalizationRegistry would
 * tell at once, and cost more than all the rest.)
 */
export class RemotePids {
  readonly #known = new Map<number, Map<number, WeakRef<RemotePid>>>();
  readonly #recent: (RemotePid | undefined)[] = new Array<RemotePid | undefined>(RECENT).fill(undefined);
  #sweep = this.#sweeping();

  /** Entries; some of them may be of pids that are not known any more. */
  get size(): number {
    let size = 0;
    for (const ofScheduler of this.#known.values()) size += ofScheduler.size;
    return size;
  }

  of(scheduler: number, id: number): RemotePid {
    const at = (id ^ (scheduler * 31)) & (RECENT - 1);
    const recent = this.#recent[at];
    if (recent !== undefined && recent.id === id && recent.scheduler === scheduler) return recent;
    let ofScheduler = this.#known.get(scheduler);
    if (ofScheduler === undefined) {
      ofScheduler = new Map();
      this.#known.set(scheduler, ofScheduler);
    }
    let pid = ofScheduler.get(id)?.deref();
    if (pid === undefined) {
      pid = new RemotePid(scheduler, id);
      ofScheduler.set(id, new WeakRef(pid));
      for (let looks = 0; looks < SWEPT_FOR_EACH; looks++) {
        if (this.#sweep.next().done === true) this.#sweep = this.#sweeping();
      }
    }
    this.#recent[at] = pid;
    return pid;
  }

  /** Goes over all entries, one at each step. New ones may come meanwhile. */
  *#sweeping(): Generator<undefined, void, undefined> {
    for (const [scheduler, ofScheduler] of this.#known) {
      for (const [id, ref] of ofScheduler) {
        if (ref.deref() === undefined) ofScheduler.delete(id);
        yield;
      }
      if (ofScheduler.size === 0) this.#known.delete(scheduler);
    }
  }
}

/** Likewise for monitors and aliases of other schedulers. They are rare. */
export class RemoteRefs {
  readonly #known = new Map<string, WeakRef<RemoteRef>>();
  readonly #registry = new FinalizationRegistry<string>((key) => {
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key);
  });

  of(owner: Pid, number: number): RemoteRef {
    const key = `${owner.scheduler} ${number}`;
    const known = number === 0 ? undefined : this.#known.get(key)?.deref();
    if (known !== undefined) return known;
    const ref = new RemoteRef(owner, number);
    if (number !== 0) {
      this.#known.set(key, new WeakRef(ref));
      this.#registry.register(ref, key);
    }
    return ref;
  }
}
