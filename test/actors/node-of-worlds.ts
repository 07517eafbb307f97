import {
  CallMessage,
  type Pid,
  RemotePid,
  type Router,
  type SchedulerWatcher,
} from '../../src/actors/index.js';
import { Process } from '../../src/actors/process.js';
import { Fifo } from '../../src/structures/fifo.js';
import { World } from './world.js';

class WiredCall {
  constructor(
    readonly caller: Pid,
    readonly ref: number,
    readonly request: unknown,
  ) {}
}

/** What came and goes between two schedulers, in order. */
interface Wire {
  readonly from: number;
  readonly to: number;
  readonly queue: Fifo<() => void>;
}

/**
 * Schedulers of one node in one thread, joined by a router that keeps the order of each wire, copies plain objects and makes
 * pids again, as the rings between threads do. Which wire is served next is the test's choice.
 */
export class NodeOfWorlds {
  readonly worlds: World[] = [];
  readonly #wires: Wire[] = [];
  readonly #watchers = new Map<number, Set<SchedulerWatcher>>();
  readonly #gone = new Set<number>();

  constructor(count: number) {
    for (let number = 0; number < count; number++) this.add();
  }

  /** One more scheduler; the others hear of it. */
  add(): World {
    const number = this.worlds.length;
    this.#watchers.set(number, new Set());
    const world = new World({ scheduler: number, router: this.#routerOf(number) });
    this.worlds.push(world);
    for (const other of this.others(number)) {
      this.#wires.push({ from: number, to: other, queue: new Fifo() });
      this.#wires.push({ from: other, to: number, queue: new Fifo() });
      for (const watcher of this.#watchers.get(other)!) watcher.schedulerUp?.(number);
    }
    return world;
  }

  /** A scheduler is lost: what is on its wires already arrives, and then the others hear of it. */
  lose(number: number): void {
    this.#gone.add(number);
    for (const other of this.others(number)) {
      const wire = this.#wires.find(({ from, to }) => from === number && to === other)!;
      wire.queue.push(() => {
        this.worlds[other]!.runtime.schedulerDown(number);
        for (const watcher of this.#watchers.get(other)!) watcher.schedulerDown?.(number);
      });
    }
  }

  others(number: number): number[] {
    return [...this.worlds.keys()].filter((other) => other !== number && !this.#gone.has(other));
  }

  /** Delivers one thing from a wire that has something; false if none has. */
  deliver(choose: (wires: number) => number = () => 0): boolean {
    const waiting = this.#wires.filter(({ queue, to }) => queue.length > 0 && !this.#gone.has(to));
    if (waiting.length === 0) return false;
    waiting[choose(waiting.length)]!.queue.shift()!();
    this.#flush();
    return true;
  }

  /** Until nothing runs and nothing is on a wire. */
  settle(choose?: (wires: number) => number): void {
    this.#flush();
    while (this.deliver(choose));
  }

  /** A pid as a scheduler knows it. */
  seen(pid: Pid, by: number): Pid<unknown> {
    return this.worlds[by]!.runtime.pid(pid.scheduler, pid.id);
  }

  #flush(): void {
    for (const [number, { runtime }] of this.worlds.entries()) if (!this.#gone.has(number)) runtime.flush();
  }

  #routerOf(here: number): Router {
    const node = this;
    const put = (target: Pid, arrive: (there: number) => void): boolean => {
      const wire = this.#wires.find(({ from, to }) => from === here && to === target.scheduler);
      if (wire === undefined || this.#gone.has(wire.to) || this.#gone.has(here)) return false;
      wire.queue.push(() => arrive(wire.to));
      return true;
    };
    return {
      message: (target, message) => {
        const wired = this.#wired(message, here);
        return put(target, (there) => {
          this.worlds[there]!.runtime.deliver(target.id, this.#arrived(wired, there));
        });
      },
      signal: (target, signal) =>
        put(target, (there) => {
          const arrived = 'from' in signal ? { ...signal, from: this.seen(signal.from, there) } : signal;
          this.worlds[there]!.runtime.deliverSignal(target.id, arrived);
        }),
      get schedulers() {
        return node.others(here);
      },
      watch: (watcher) => void this.#watchers.get(here)!.add(watcher),
      unwatch: (watcher) => void this.#watchers.get(here)!.delete(watcher),
    };
  }

  #wired(message: unknown, here: number): unknown {
    if (!(message instanceof CallMessage)) return message;
    const { from, request } = message;
    return new WiredCall(from.caller, this.worlds[here]!.runtime.exportFrom(from), request);
  }

  #arrived(value: unknown, there: number): unknown {
    if (value instanceof Process || value instanceof RemotePid) return this.seen(value, there);
    if (value instanceof WiredCall) {
      const { runtime } = this.worlds[there]!;
      const from = runtime.importFrom(this.seen(value.caller, there), value.ref);
      return new CallMessage(from, this.#arrived(value.request, there));
    }
    if (Array.isArray(value)) return value.map((item) => this.#arrived(item, there));
    if (typeof value !== 'object' || value === null) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype)
      throw new Error(`${String(value)} cannot leave its scheduler`);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#arrived(item, there)]));
  }
}
