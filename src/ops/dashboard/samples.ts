import type { ColumnKind, GroupDescription, Reading } from '../../metrics/reading.js';

/** Which figures a line of a plot shows. */
export interface Selector {
  readonly group: string;
  readonly column: string;
  /** One row; without it all rows together: the sum of counters and gauges, the most of peaks. */
  readonly instance?: string;
  /** Of all rows together, where it is not that of the kind. */
  readonly over?: 'sum' | 'max';
}

/** A point of a line; null: not known then. */
export type Point = number | null;

/** One reading, as it is kept: rows by instance, NaN for a figure that is not to be had. */
interface Sample {
  readonly at: number;
  readonly uptimeMs: number;
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, Float64Array>>;
}

interface Place {
  readonly kind: ColumnKind;
  readonly index: number;
}

/** Longer without a reading than this many times the usual: the line is broken there. */
const GAP_FACTOR = 4;

/**
 * The readings of the last minutes, so many and no more: a page that is left open does not grow. Rates come from the
 * differences of neighbouring readings. A server that was started anew begins a new history.
 */
export class Samples {
  readonly #capacity: number;
  readonly #intervalMs: number;
  readonly #samples: Sample[] = [];
  #columns: ReadonlyMap<string, ReadonlyMap<string, Place>> = new Map();
  /** Grows with each reading, so that who draws knows whether there is anything new. */
  version = 0;

  /** @param intervalMs the usual time between two readings */
  constructor(capacity: number, intervalMs: number) {
    if (!Number.isInteger(capacity) || capacity < 2)
      throw new RangeError(`room for ${capacity} samples makes no lines`);
    this.#capacity = capacity;
    this.#intervalMs = intervalMs;
  }

  get length(): number {
    return this.#samples.length;
  }

  describe(groups: readonly GroupDescription[]): void {
    this.#columns = new Map(
      groups.map(({ name, columns }) => [
        name,
        new Map(columns.map((column, index) => [column.name, { kind: column.kind, index }])),
      ]),
    );
  }

  /** Forgets everything but the columns. */
  clear(): void {
    this.#samples.length = 0;
    this.version++;
  }

  /** Is there such a column at all? */
  has({ group, column }: Selector): boolean {
    return this.#columns.get(group)?.has(column) ?? false;
  }

  /**
   * Is it of another server than those before? Its time runs backwards, or it began after the last of them: after a pause a
   * new server may have been up for longer than the old one had been.
   */
  isOfAnother({ at, uptimeMs }: Reading): boolean {
    const last = this.#samples.at(-1);
    return last !== undefined && (uptimeMs < last.uptimeMs || at - uptimeMs > last.at);
  }

  add(reading: Reading): void {
    if (this.isOfAnother(reading)) this.#samples.length = 0;
    // Two answers of the same moment.
    else if (reading.uptimeMs === this.#samples.at(-1)?.uptimeMs) return;
    if (this.#samples.length === this.#capacity) this.#samples.shift();
    const groups = new Map<string, ReadonlyMap<string, Float64Array>>();
    for (const [name, rows] of Object.entries(reading.groups)) {
      groups.set(
        name,
        new Map(
          rows.map(({ instance, figures }) => [
            instance,
            Float64Array.from(figures, (figure) => figure ?? Number.NaN),
          ]),
        ),
      );
    }
    this.#samples.push({ at: reading.at, uptimeMs: reading.uptimeMs, groups });
    this.version++;
  }

  /**
   * Of all samples, in seconds since 1970 by the clock of the latest one: when the server's clock is set the line does not
   * jump, and does not wait until the clock has caught up.
   */
  times(): number[] {
    const last = this.#samples.at(-1);
    if (last === undefined) return [];
    return this.#samples.map(({ uptimeMs }) => (last.at - (last.uptimeMs - uptimeMs)) / 1000);
  }

  /** The rows of a group in the latest reading. */
  instances(group: string): string[] {
    return [...(this.#samples.at(-1)?.groups.get(group)?.keys() ?? [])];
  }

  /** A line: rates a second of counters, figures of gauges and peaks. As long as {@link times}. */
  line(selector: Selector): Point[] {
    const line: Point[] = [];
    for (let index = 0; index < this.#samples.length; index++) line.push(this.#point(selector, index));
    return line;
  }

  /** The newest point of a line. */
  latest(selector: Selector): Point {
    return this.#samples.length === 0 ? null : this.#point(selector, this.#samples.length - 1);
  }

  /** The figure as it was read last: of a counter the total, not the rate. */
  figure(selector: Selector): Point {
    const sample = this.#samples.at(-1);
    const place = this.#place(selector);
    if (sample === undefined || place === undefined) return null;
    return this.#together(selector, sample, place, (row) => row[place.index]!);
  }

  #place({ group, column }: Selector): Place | undefined {
    return this.#columns.get(group)?.get(column);
  }

  #point(selector: Selector, index: number): Point {
    const place = this.#place(selector);
    const sample = this.#samples[index]!;
    if (place === undefined) return null;
    const before = index === 0 ? undefined : this.#samples[index - 1];
    const ms = before === undefined ? 0 : sample.uptimeMs - before.uptimeMs;
    if (place.kind !== 'counter') {
      if (ms > GAP_FACTOR * this.#intervalMs) return null;
      return this.#together(selector, sample, place, (row) => row[place.index]!);
    }
    if (before === undefined || ms <= 0 || ms > GAP_FACTOR * this.#intervalMs) return null;
    return this.#together(selector, sample, place, (row, instance) => {
      const now = row[place.index]!;
      const then = before.groups.get(selector.group)?.get(instance)?.[place.index] ?? 0;
      // It began anew, and has counted this much since.
      return ((now < then ? now : now - then) / ms) * 1000;
    });
  }

  #together(
    { group, instance, over }: Selector,
    sample: Sample,
    { kind }: Place,
    figure: (row: Float64Array, instance: string) => number,
  ): Point {
    const rows = sample.groups.get(group);
    if (rows === undefined) return null;
    if (instance !== undefined) {
      const row = rows.get(instance);
      return row === undefined ? null : pointOf(figure(row, instance));
    }
    const takesMost = (over ?? (kind === 'peak' ? 'max' : 'sum')) === 'max';
    let total: Point = null;
    for (const [name, row] of rows) {
      const value = figure(row, name);
      if (Number.isNaN(value)) continue;
      if (total === null) total = value;
      else total = takesMost ? Math.max(total, value) : total + value;
    }
    return total;
  }
}

function pointOf(value: number): Point {
  return Number.isNaN(value) ? null : value;
}
