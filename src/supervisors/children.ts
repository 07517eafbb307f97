import type { ExitHook, Pid, Runtime } from '../actors/index.js';
import type { CheckedSpec } from './child-spec.js';

/** One child of a supervisor: its specification, and its process while there is one. */
export class Child {
  pid: Pid | null = null;
  /** A restart failed, and a message to try again is under way. */
  restarting = false;
  /** @internal Its neighbours in the order of starting. */
  previous: Child | null = null;
  /** @internal */
  next: Child | null = null;

  constructor(public spec: CheckedSpec) {}

  /** Whether it runs, or is about to be started again. */
  get isThere(): boolean {
    return this.pid !== null || this.restarting;
  }
}

/** How many processes of children live: it hangs at each of them, so that nobody has to go through them. */
class Living implements ExitHook {
  count = 0;

  constructor(private readonly runtime: Runtime) {}

  processExited(): void {
    this.count--;
  }

  add(pid: Pid): void {
    const process = this.runtime.local(pid);
    if (process !== null && !process.alive) return;
    process?.onExit(this);
    this.count++;
  }

  remove(pid: Pid): void {
    const process = this.runtime.local(pid);
    if (process !== null && !process.alive) return;
    process?.offExit(this);
    this.count--;
  }
}

/**
 * The children of a supervisor in the order of starting: a doubly linked list, with tables of ids and pids. Everything
 * is O(1) but for going through them.
 */
export class Children {
  first: Child | null = null;
  last: Child | null = null;
  readonly #byId = new Map<string, Child>();
  readonly #byPid = new Map<Pid, Child>();
  readonly #living: Living;
  #supervisors = 0;
  #significant = 0;

  constructor(runtime: Runtime) {
    this.#living = new Living(runtime);
  }

  /** Children known. */
  get size(): number {
    return this.#byId.size;
  }

  /** Children whose process lives. */
  get active(): number {
    return this.#living.count;
  }

  /** Children that are supervisors. */
  get supervisors(): number {
    return this.#supervisors;
  }

  /** Significant children that run or are about to. */
  get significant(): number {
    return this.#significant;
  }

  get(id: string): Child | undefined {
    return this.#byId.get(id);
  }

  ofPid(pid: Pid): Child | undefined {
    return this.#byPid.get(pid);
  }

  /** Adds a child behind all others. */
  add(spec: CheckedSpec): Child {
    const child = new Child(spec);
    this.#byId.set(spec.id, child);
    this.#append(child);
    if (spec.type === 'supervisor') this.#supervisors++;
    return child;
  }

  /** The process of a child; null: it has none now. */
  setPid(child: Child, pid: Pid | null): void {
    this.#change(child, pid, false);
  }

  /** Its process has ended. Returns whether it is still known: temporary children are forgotten. */
  ended(child: Child): boolean {
    this.#change(child, null, false);
    if (child.spec.restart !== 'temporary') return true;
    this.remove(child);
    return false;
  }

  /** It could not be started again, and will be tried once more. */
  willBeTried(child: Child): void {
    this.#change(child, null, true);
  }

  remove(child: Child): void {
    this.#change(child, null, false);
    this.#byId.delete(child.spec.id);
    if (child.spec.type === 'supervisor') this.#supervisors--;
    if (child.previous === null) this.first = child.next;
    else child.previous.next = child.next;
    if (child.next === null) this.last = child.previous;
    else child.next.previous = child.previous;
    child.previous = null;
    child.next = null;
  }

  /** New specifications: what runs goes on. Their order is that of starting; what they do not name comes behind. */
  update(specs: readonly CheckedSpec[]): void {
    const old = [...this.from(this.first)];
    const named = new Set(specs.map(({ id }) => id));
    this.first = null;
    this.last = null;
    for (const spec of specs) {
      const child = this.#byId.get(spec.id);
      if (child === undefined) this.add(spec);
      else this.#respecify(child, spec);
    }
    for (const child of old) if (!named.has(child.spec.id)) this.#append(child);
  }

  /** From `child` on to the youngest. One that is removed meanwhile ends it: take an array of them before. */
  *from(child: Child | null): Generator<Child, void, undefined> {
    for (let at = child; at !== null; at = at.next) yield at;
  }

  /** All, the youngest first. */
  *youngestFirst(): Generator<Child, void, undefined> {
    for (let at = this.last; at !== null; at = at.previous) yield at;
  }

  #append(child: Child): void {
    child.previous = this.last;
    child.next = null;
    if (this.last === null) this.first = child;
    else this.last.next = child;
    this.last = child;
  }

  #respecify(child: Child, spec: CheckedSpec): void {
    if (child.spec.type === 'supervisor') this.#supervisors--;
    if (spec.type === 'supervisor') this.#supervisors++;
    if (child.isThere) this.#significant += Number(spec.significant) - Number(child.spec.significant);
    child.spec = spec;
    this.#append(child);
  }

  #change(child: Child, pid: Pid | null, restarting: boolean): void {
    const before = child.isThere;
    if (child.pid !== null) {
      if (this.#byPid.get(child.pid) === child) this.#byPid.delete(child.pid);
      this.#living.remove(child.pid);
    }
    child.pid = pid;
    child.restarting = restarting;
    if (pid !== null) {
      this.#byPid.set(pid, child);
      this.#living.add(pid);
    }
    if (child.spec.significant) this.#significant += Number(child.isThere) - Number(before);
  }
}
