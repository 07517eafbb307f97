import type { ModuleTable } from './module-table.js';
import type { CodeNode } from './release.js';

/** A table of this thread, for a code server of this thread: all that a program with one scheduler needs. */
export function localNode(name: string, table: ModuleTable): CodeNode {
  return {
    name,
    prepare: (operation) => table.prepare(operation),
    abort: (number) => table.abort(number),
    restore: async (state) => {
      await table.restore(state);
      return true;
    },
    report: async () => table.report(),
    holders: (module) => table.holders(module),
  };
}
