import { BadArgument } from './bad-argument.js';
import type { Process } from './process.js';

/** The registered names of one runtime. A process has at most one, a name at most one process. */
export class Names {
  readonly #processes = new Map<string, Process<never>>();

  get size(): number {
    return this.#processes.size;
  }

  register(name: string, process: Process<never>): void {
    if (!process.alive) throw new BadArgument(`${process} cannot be registered as ${name}: it has ended`);
    if (process.registeredName !== null) {
      throw new BadArgument(`${process} cannot be registered as ${name}: it is ${process.registeredName}`);
    }
    if (this.whereis(name) !== undefined) throw new BadArgument(`the name ${name} is taken`);
    this.#processes.set(name, process);
    process.registeredName = name;
  }

  unregister(name: string): void {
    const process = this.whereis(name);
    if (process === undefined) throw new BadArgument(`nobody is registered as ${name}`);
    this.release(process);
  }

  whereis(name: string): Process<never> | undefined {
    const process = this.#processes.get(name);
    // Among processes that end together a dead one may still hold its name for a moment.
    return process?.alive ? process : undefined;
  }

  /** Takes the name away from a process that has one. */
  release(process: Process<never>): void {
    const name = process.registeredName;
    if (name === null) return;
    if (this.#processes.get(name) === process) this.#processes.delete(name);
    process.registeredName = null;
  }

  /** All names, in the order of registration. */
  *[Symbol.iterator](): Generator<readonly [string, Process<never>], void, undefined> {
    for (const entry of this.#processes) if (entry[1].alive) yield entry;
  }
}
