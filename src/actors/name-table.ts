import { BadArgument } from './bad-argument.js';

/** Where a name leads: a process, as its two numbers. */
export interface NameHolder {
  readonly scheduler: number;
  readonly id: number;
}

/**
 * The names of all schedulers of a node, seen from one of them. Owned by the core, implemented by whoever connects
 * schedulers. All of it takes effect at once, for everybody: a name is given once, and one that was given back can be
 * taken.
 */
export interface NameTable {
  /**
   * Gives a name to a process of this scheduler. False if somebody has it.
   *
   * @throws BadArgument if the table cannot hold such a name
   * @throws NameTableFull
   */
  register(name: string, id: number): boolean;
  /** Takes the name away, if it is that process's. */
  unregister(name: string, id: number): void;
  whereis(name: string): NameHolder | undefined;
}

/** The name belongs to somebody. */
export class NameTaken extends BadArgument {
  constructor(readonly taken: string) {
    super(`the name ${taken} is taken`);
  }
}

/** There are as many names as the table holds. */
export class NameTableFull extends Error {
  override readonly name = 'NameTableFull';

  constructor(
    readonly wanted: string,
    readonly capacity: number,
  ) {
    super(`${wanted} cannot be registered: the node has ${capacity} names already`);
  }
}
