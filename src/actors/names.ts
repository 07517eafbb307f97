import { RecurringMap } from '../structures/recurring-map.js';
import { BadArgument } from './bad-argument.js';
import { type NameHolder, type NameTable, NameTaken } from './name-table.js';
import type { Process } from './process.js';

/**
 * The registered names of one runtime. A process has at most one, a name at most one process. With a table they are
 * those of the node: the processes of this scheduler stand here too, so that nobody has to look further for them.
 */
export class Names {
  readonly #processes = new RecurringMap<string, Process<never>>();
  readonly #table: NameTable | null;
  readonly #scheduler: number;

  constructor(table: NameTable | null, scheduler: number) {
    this.#table = table;
    this.#scheduler = scheduler;
  }

  /** Names of processes of this scheduler. */
  get size(): number {
    return this.#processes.size;
  }

  /**
   * `process` must have its id; `local`: the name is this scheduler's own, and may be another one's too. Throws a
   * {@link BadArgument}, {@link NameTaken} if it is that, or NameTableFull.
   */
  register(name: string, process: Process<never>, local = false): void {
    if (!process.alive) throw new BadArgument(`${process} cannot be registered as ${name}: it has ended`);
    if (process.registeredName !== null) {
      throw new BadArgument(`${process} cannot be registered as ${name}: it is ${process.registeredName}`);
    }
    const holder = this.#processes.get(name);
    if (holder?.alive) throw new NameTaken(name);
    // One that ends just now and has not given its name back.
    if (holder !== undefined) this.release(holder);
    if (!local && this.#table !== null && !this.#table.register(name, process.id)) throw new NameTaken(name);
    this.#processes.set(name, process);
    process.registeredName = name;
  }

  unregister(name: string): void {
    const process = this.local(name);
    if (process === undefined) {
      const elsewhere = this.remote(name) !== undefined;
      throw new BadArgument(
        elsewhere ? `${name} is a process of another scheduler` : `nobody is registered as ${name}`,
      );
    }
    this.release(process);
  }

  /** The process of this scheduler that has the name. */
  local(name: string): Process<never> | undefined {
    const process = this.#processes.get(name);
    // Among processes that end together a dead one may still hold its name for a moment.
    return process?.alive ? process : undefined;
  }

  /** The process of another scheduler that has the name. */
  remote(name: string): NameHolder | undefined {
    const holder = this.#table?.whereis(name);
    return holder === undefined || holder.scheduler === this.#scheduler ? undefined : holder;
  }

  /** Takes the name away from a process that has one. */
  release(process: Process<never>): void {
    const name = process.registeredName;
    if (name === null) return;
    process.registeredName = null;
    if (this.#processes.get(name) !== process) return;
    // The name of a server comes back with its next incarnation.
    this.#processes.vacate(name);
    this.#table?.unregister(name, process.id);
  }

  /** The names of processes of this scheduler. */
  *[Symbol.iterator](): Generator<readonly [string, Process<never>], void, undefined> {
    for (const entry of this.#processes) if (entry[1].alive) yield entry;
  }
}
