/** What a module must export to be taken for another one of its name. */
export interface Contract<Exports extends object = object> {
  /** Under which the table has it: lower case, parts joined with dots, such as `request.block.add`. */
  readonly name: string;
  /**
   * Takes what the module has exported for the table, or says what is wrong with it.
   *
   * @throws ContractBroken
   */
  take(exported: Readonly<Record<string, unknown>>): Exports;
  /**
   * Whether the state of its processes can be tried with new code: a copy that new code may do with as it likes. Without it
   * structuredClone is used; a state that cannot be cloned is left out of the dry run, and the report says so.
   */
  copyState?(state: unknown): unknown;
}

/** A module that does not export what its name promises. The message says what. */
export class ContractBroken extends Error {
  override readonly name = 'ContractBroken';
}

/**
 * The contract of a module whose exports are functions: `required` ones must be there, `optional` ones must be functions if
 * they are; other exports are none of the table's business.
 */
export function functions<Exports extends object>(
  name: string,
  required: readonly (keyof Exports & string)[],
  optional: readonly (keyof Exports & string)[] = [],
): Contract<Exports> {
  return {
    name,
    take(exported) {
      for (const wanted of required) {
        if (typeof exported[wanted] !== 'function') {
          throw new ContractBroken(
            `${name} must export a function ${wanted}, and ${described(exported, wanted)}`,
          );
        }
      }
      for (const wanted of optional) {
        const value = exported[wanted];
        if (value !== undefined && typeof value !== 'function')
          throw new ContractBroken(
            `${name} may export ${wanted} as a function only, and ${described(exported, wanted)}`,
          );
      }
      return exported as Exports;
    },
  };
}

function described(exported: Readonly<Record<string, unknown>>, name: string): string {
  if (exported[name] !== undefined) return `${name} is a ${typeof exported[name]}`;
  const there = Object.keys(exported);
  return there.length === 0 ? 'it exports nothing' : `it exports ${there.join(', ')}`;
}
