import { type Concrete, type Reference, systemMap } from './nact-internals.js';

/** Name of the system to which all addresses belong, as far as nact is concerned. */
const SYSTEM = 'rookery-processes';

/** Something of ours that nact's functions take for a reference: `dispatch`, `query` and `stop` reach what stands behind it. */
export class Address implements Reference {
  readonly type = 'process';
  readonly system = { name: SYSTEM };
  readonly path: { readonly parts: readonly string[]; readonly system: string; toString(): string };
  readonly name: string;
  readonly #concrete: Concrete;

  constructor(name: string, concrete: Concrete) {
    this.name = name;
    this.path = { parts: [name], system: SYSTEM, toString: () => `${SYSTEM}://${name}` };
    this.#concrete = concrete;
  }

  static find(reference: Reference): Concrete | undefined {
    return reference instanceof Address ? reference.#concrete : undefined;
  }
}

systemMap.add({ name: SYSTEM, find: Address.find });
