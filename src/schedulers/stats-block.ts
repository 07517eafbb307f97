/**
 * Counters under names in shared memory: one thread counts, any other reads them at any time, and nobody sends a
 * message for it. Each is a double in a cell of its own, so it counts to 2^53 and costs a plain increment. What a
 * reader sees is a glance: each counter for itself is right, several together are not of one moment.
 */
export interface StatsMemory<Name extends string = string> {
  readonly names: readonly Name[];
  readonly memory: SharedArrayBuffer;
}

/** Memory for these counters, all 0. It can be handed to threads as it is. */
export function createStats<Name extends string>(names: readonly Name[]): StatsMemory<Name> {
  if (new Set(names).size !== names.length)
    throw new RangeError(`a counter's name stands twice: ${names.join(', ')}`);
  return { names, memory: new SharedArrayBuffer(Math.max(8, names.length * 8)) };
}

export class StatsBlock<Name extends string = string> {
  static readonly #known = new WeakMap<StatsMemory, StatsBlock>();

  readonly names: readonly Name[];
  /** The counters, in the order of the names. Only one thread may write. */
  readonly values: Float64Array;

  constructor(stats: StatsMemory<Name>) {
    this.names = stats.names;
    this.values = new Float64Array(stats.memory, 0, stats.names.length);
  }

  /** Always the same one for the same memory, for whoever reads it again and again. */
  static of<Name extends string>(stats: StatsMemory<Name>): StatsBlock<Name> {
    let block = StatsBlock.#known.get(stats) as StatsBlock<Name> | undefined;
    if (block === undefined) {
      block = new StatsBlock(stats);
      StatsBlock.#known.set(stats, block as unknown as StatsBlock);
    }
    return block;
  }

  /** The value of one counter. Throws a RangeError for a name that it does not have. */
  read(name: Name): number {
    const index = this.names.indexOf(name);
    if (index < 0) throw new RangeError(`there is no counter ${name}`);
    return this.values[index]!;
  }

  /** All counters by name. */
  snapshot(): Record<Name, number> {
    const all = {} as Record<Name, number>;
    for (let index = 0; index < this.names.length; index++) all[this.names[index]!] = this.values[index]!;
    return all;
  }
}
