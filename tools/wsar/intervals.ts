import type { Column, GroupDescription } from '../../src/metrics/reading.js';
import type { Sample, Table } from '../../src/metrics/recording/sample.js';

/** What became of one row over an interval, in the order of the columns. NaN: n/a. */
export interface RowOver {
  readonly instance: string;
  /**
   * Of counters the growth for each second, of counters of time the share of the time; of gauges the mean; of peaks the
   * most.
   */
  readonly values: Float64Array;
}

export interface TableOver {
  readonly description: GroupDescription;
  readonly rows: readonly RowOver[];
}

export interface Interval {
  /** Its end, wall-clock ms. */
  readonly at: number;
  /** How long it really was. */
  readonly seconds: number;
  readonly tables: ReadonlyMap<string, TableOver>;
}

/** By a counter's unit, what it counts in a ms when it counts all the time. Others count things. */
const TIME_UNITS: Readonly<Record<string, number>> = { s: 0.001, ms: 1, us: 1000, ns: 1_000_000 };

/** Whether a column counts time: it is shown as a share. */
export function countsTime({ kind, unit }: Column): boolean {
  return kind === 'counter' && Object.hasOwn(TIME_UNITS, unit);
}

/** Rows of one group that are remembered although they come no more: a backlog names other processes every second. */
const ABSENT_ROWS_MAX = 4096;

/** Readings come a little early at times. */
const EARLY_MS_MAX = 100;

class RowSum {
  /** The figures that came last. */
  readonly last: Float64Array;
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
  /** Over which the counters' growth is known. */
  elapsedMs = 0;
  lastUptimeMs = Number.NaN;
  isPresent = false;

  constructor(width: number) {
    this.last = new Float64Array(width).fill(Number.NaN);
    this.sums = new Float64Array(width);
    this.counts = new Uint32Array(width);
  }

  clear(): void {
    this.sums.fill(0);
    this.counts.fill(0);
    this.elapsedMs = 0;
    this.isPresent = false;
  }
}

class TableSum {
  readonly rows = new Map<string, RowSum>();
  /** The rows of the sample before, for as long as the same ones come. */
  instances: readonly string[] = [];
  inOrder: readonly RowSum[] = [];

  constructor(readonly description: GroupDescription) {}

  clear(): void {
    const isTooMany = this.rows.size > ABSENT_ROWS_MAX;
    for (const [instance, row] of this.rows) {
      if (isTooMany && !row.isPresent) this.rows.delete(instance);
      row.clear();
    }
  }
}

/**
 * Makes intervals of samples. A counter's growth is taken over the time that really passed, and one that is smaller than
 * before has begun anew: it has grown by what it shows, and never by less than nothing.
 */
export class Intervals {
  readonly #intervalMs: number;
  readonly #tables = new Map<string, TableSum>();
  #beganAt = Number.NaN;
  #beganUptimeMs = 0;
  #lastAt = 0;
  #lastUptimeMs = 0;
  #nextAt = Number.NaN;

  /**
   * @param intervalMs 0: from each sample to the next. Infinity: everything until {@link Intervals.end}.
   * @param firstAt wall-clock ms from which the intervals are counted; NaN: the first sample.
   */
  constructor(intervalMs: number, firstAt = Number.NaN) {
    this.#intervalMs = intervalMs;
    this.#nextAt = firstAt;
  }

  /** @returns the interval that this sample ends, if it does. */
  add(sample: Sample): Interval | null {
    const isFirst = Number.isNaN(this.#beganAt);
    for (const table of sample.tables.values()) this.#addTable(table, sample.uptimeMs, isFirst);
    this.#lastAt = sample.at;
    this.#lastUptimeMs = sample.uptimeMs;
    if (isFirst) {
      this.#begin(sample.at, sample.uptimeMs);
      return null;
    }
    const isOver = sample.at >= this.#nextAt - EARLY_MS_MAX;
    // A clock that was set back: the end would not come for as long.
    const isFar = this.#nextAt > sample.at + this.#intervalMs + EARLY_MS_MAX;
    return isOver || isFar ? this.end() : null;
  }

  /** Ends the interval before its time; null if nothing has passed in it. */
  end(): Interval | null {
    const elapsedMs = this.#lastUptimeMs - this.#beganUptimeMs;
    if (Number.isNaN(this.#beganAt) || elapsedMs <= 0) return null;
    const tables = new Map<string, TableOver>();
    for (const [name, table] of this.#tables) {
      const over = tableOver(table);
      if (over.rows.length > 0) tables.set(name, over);
    }
    const interval = { at: this.#lastAt, seconds: elapsedMs / 1000, tables };
    this.#begin(this.#lastAt, this.#lastUptimeMs);
    return interval;
  }

  /** What is looked at has been started anew: nothing before is compared with anything after. */
  restart(): Interval | null {
    const rest = this.end();
    this.#tables.clear();
    this.#beganAt = Number.NaN;
    return rest;
  }

  #begin(at: number, uptimeMs: number): void {
    this.#beganAt = at;
    this.#beganUptimeMs = uptimeMs;
    for (const table of this.#tables.values()) table.clear();
    if (Number.isNaN(this.#nextAt)) this.#nextAt = at;
    if (this.#intervalMs === 0) this.#nextAt = at;
    else if (!Number.isFinite(this.#intervalMs)) this.#nextAt = Number.POSITIVE_INFINITY;
    else {
      const behind = Math.max(0, Math.floor((at + EARLY_MS_MAX - this.#nextAt) / this.#intervalMs));
      this.#nextAt += (behind + (at + EARLY_MS_MAX >= this.#nextAt ? 1 : 0)) * this.#intervalMs;
      if (this.#nextAt > at + this.#intervalMs + EARLY_MS_MAX) this.#nextAt = at + this.#intervalMs;
    }
  }

  #addTable({ description, instances, figures }: Table, uptimeMs: number, isFirst: boolean): void {
    let table = this.#tables.get(description.name);
    // Another version of the group, in a later file: its columns are others.
    if (
      table === undefined ||
      table.description.version !== description.version ||
      table.description.columns.length !== description.columns.length
    ) {
      table = new TableSum(description);
      this.#tables.set(description.name, table);
    }
    const { columns } = description;
    if (table.instances !== instances) {
      table.instances = instances;
      table.inOrder = instances.map((instance) => rowOf(table, instance, columns.length));
    }
    let at = 0;
    for (const row of table.inOrder) {
      addRow(row, columns, figures, at, uptimeMs, isFirst);
      at += columns.length;
    }
  }
}

function rowOf({ rows }: TableSum, instance: string, width: number): RowSum {
  let row = rows.get(instance);
  if (row === undefined) {
    row = new RowSum(width);
    rows.set(instance, row);
  }
  return row;
}

/** @param isFirst the sample from which everything is counted: its gauges and peaks are of the time before. */
function addRow(
  row: RowSum,
  columns: readonly Column[],
  figures: Float64Array,
  from: number,
  uptimeMs: number,
  isFirst: boolean,
): void {
  const { last, sums, counts } = row;
  if (!isFirst) row.isPresent = true;
  if (uptimeMs > row.lastUptimeMs) row.elapsedMs += uptimeMs - row.lastUptimeMs;
  row.lastUptimeMs = uptimeMs;
  for (let column = 0; column < columns.length; column++) {
    const figure = figures[from + column]!;
    if (Number.isNaN(figure)) continue;
    switch (columns[column]!.kind) {
      case 'counter': {
        const before = last[column]!;
        if (!Number.isNaN(before)) {
          sums[column]! += figure >= before ? figure - before : figure;
          counts[column]!++;
        }
        last[column] = figure;
        break;
      }
      case 'gauge':
        sums[column]! += figure;
        counts[column]!++;
        break;
      case 'peak':
        if (counts[column] === 0 || figure > sums[column]!) sums[column] = figure;
        counts[column]!++;
        break;
    }
  }
}

function tableOver({ description, rows }: TableSum): TableOver {
  const over: RowOver[] = [];
  for (const [instance, row] of rows) {
    if (!row.isPresent) continue;
    const values = new Float64Array(description.columns.length);
    for (const [index, column] of description.columns.entries())
      values[index] = valueOver(column, row, index);
    over.push({ instance, values });
  }
  return { description, rows: over };
}

function valueOver({ kind, unit }: Column, { sums, counts, elapsedMs }: RowSum, index: number): number {
  const count = counts[index]!;
  if (count === 0) return Number.NaN;
  const sum = sums[index]!;
  switch (kind) {
    case 'gauge':
      return sum / count;
    case 'peak':
      return sum;
    case 'counter': {
      if (elapsedMs <= 0) return Number.NaN;
      const inMs = TIME_UNITS[unit];
      return inMs === undefined ? (sum / elapsedMs) * 1000 : sum / inMs / elapsedMs;
    }
  }
}
