import { BadArgument, type Process } from '../actors/index.js';
import type { StartReturn } from '../supervisors/index.js';

/**
 * Starts a process, as the start function of a child specification does. `parent` stands in for whoever asked, on
 * another scheduler: link with it (`parent.spawnLink(…)`, `GenServer.startLink(parent, …)`). The arguments are copies.
 */
export type StartFunction = (parent: Process<never>, ...args: never[]) => StartReturn;

/**
 * The start functions of a node by name. A function cannot leave its thread, but its name can: the same table is given
 * to the routers of all schedulers, and what is placed on another one is said by name and arguments.
 *
 *     const starts = new StartTable({
 *       counter: (parent, from: number) => GenServer.startLink(parent, new Counter(from)),
 *     });
 */
export class StartTable {
  readonly #functions = new Map<string, StartFunction>();

  constructor(functions: Readonly<Record<string, StartFunction>> = {}) {
    for (const [name, start] of Object.entries(functions)) {
      if (typeof start !== 'function') throw new BadArgument(`bad start function ${name}: ${String(start)}`);
      this.#functions.set(name, start);
    }
  }

  get(name: string): StartFunction | undefined {
    return this.#functions.get(name);
  }
}
