import type { GroupDescription, Reading, Row } from '../reading.js';
import { rounded } from './figure-codec.js';
import { type Sample, type Table, tableOf } from './sample.js';

/**
 * Makes samples for a recording: rounded, and of a group that says that nothing has changed (`GroupSource.read`) the very same
 * table as before, so that nobody has to look for what has.
 */
export class RecordedTables {
  readonly #before = new Map<string, { readonly rows: readonly Row[]; readonly table: Table }>();

  /** Of the groups that are described. */
  sampleOf(reading: Reading, descriptions: readonly GroupDescription[]): Sample {
    const tables = new Map<string, Table>();
    for (const description of descriptions) {
      const rows = reading.groups[description.name];
      if (rows !== undefined) tables.set(description.name, this.#tableOf(description, rows));
    }
    return { at: reading.at, uptimeMs: reading.uptimeMs, tables };
  }

  #tableOf(description: GroupDescription, rows: readonly Row[]): Table {
    const before = this.#before.get(description.name);
    if (before?.rows === rows && before.table.description === description) return before.table;
    const table = tableOf(description, rows);
    const { figures } = table;
    for (let at = 0; at < figures.length; at++) figures[at] = rounded(figures[at]!);
    if (Object.isFrozen(rows)) this.#before.set(description.name, { rows, table });
    return table;
  }
}
