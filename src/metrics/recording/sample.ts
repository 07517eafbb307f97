import type { GroupDescription, Reading, Row } from '../reading.js';

/** The rows of one group in a form for arithmetic. */
export interface Table {
  readonly description: GroupDescription;
  readonly instances: readonly string[];
  /** Row by row, in the order of the columns. NaN: n/a. */
  readonly figures: Float64Array;
}

/** A {@link Reading} in a form for arithmetic. */
export interface Sample {
  /** Wall-clock ms. */
  readonly at: number;
  /** Monotonic ms since the start of what was read. */
  readonly uptimeMs: number;
  /** By the names of the groups, in the order of their descriptions. */
  readonly tables: ReadonlyMap<string, Table>;
}

/** @param descriptions groups without one are left out, and so are rows of another length. */
export function sampleOf(reading: Reading, descriptions: readonly GroupDescription[]): Sample {
  const tables = new Map<string, Table>();
  for (const description of descriptions) {
    const rows = reading.groups[description.name];
    if (rows !== undefined) tables.set(description.name, tableOf(description, rows));
  }
  return { at: reading.at, uptimeMs: reading.uptimeMs, tables };
}

/** Rows of another length are left out. */
export function tableOf(description: GroupDescription, all: readonly Row[]): Table {
  const width = description.columns.length;
  const rows = all.filter(({ figures }) => figures.length === width);
  const figures = new Float64Array(rows.length * width);
  let at = 0;
  // Counted, here and below in the recording: iterators would be most of what a reading leaves behind.
  for (const row of rows)
    for (let column = 0; column < width; column++) figures[at++] = row.figures[column] ?? Number.NaN;
  return { description, instances: rows.map(({ instance }) => instance), figures };
}

export function readingOf({ at, uptimeMs, tables }: Sample): Reading {
  const groups: Record<string, readonly Row[]> = {};
  for (const [name, table] of tables) groups[name] = rowsOf(table);
  return { version: 1, at, uptimeMs, groups };
}

function rowsOf({ description, instances, figures }: Table): readonly Row[] {
  const width = description.columns.length;
  return instances.map((instance, row) => ({
    instance,
    figures: Array.from(figures.subarray(row * width, (row + 1) * width), (figure) =>
      Number.isNaN(figure) ? null : figure,
    ),
  }));
}
