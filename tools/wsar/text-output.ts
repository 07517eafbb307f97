import type { Column } from '../../src/metrics/reading.js';
import { shown, type View } from './columns.js';
import type { Interval, RowOver } from './intervals.js';
import type { Origin } from './observed.js';
import { calendarDay, clockTime, type Output, type Write } from './output.js';

const TIME_WIDTH = 8;
const INSTANCE_WIDTH_MIN = 14;
const NAME_WIDTH_MIN = 6;
const CELL_WIDTH_MIN = 9;

/** Characters that a column takes, the gap before it included. */
export function cellWidth(column: Column): number {
  return Math.max(CELL_WIDTH_MIN, shown(column).header.length) + 1;
}

/** Before the first column. */
export const LEAD_WIDTH = TIME_WIDTH + 1 + INSTANCE_WIDTH_MIN;

/** Aligned columns for people, in sar's manner: headers again after every screenful. */
export class TextOutput implements Output {
  readonly #views: readonly View[];
  readonly #write: Write;
  readonly #screenLines: number;
  #lastDay = '';
  #headed: View | null = null;
  #linesLeft = 0;
  #leadWidth = 0;

  constructor(views: readonly View[], screenLines: number, write: Write) {
    this.#views = views;
    this.#screenLines = screenLines;
    this.#write = write;
  }

  begin({ program, system, host, cpus }: Origin, at: number): void {
    this.#lastDay = calendarDay(at);
    const parts = [program, system, `(${host})`, this.#lastDay, cpus === null ? '' : `(${cpus} CPU)`];
    this.#write(`${parts.filter((part) => part !== '').join('  ')}\n`);
  }

  interval(interval: Interval): void {
    const day = calendarDay(interval.at);
    if (this.#lastDay === '') this.#lastDay = day;
    if (day !== this.#lastDay) {
      this.#lastDay = day;
      this.#headed = null;
      this.#write(`\n${day}\n`);
    }
    this.#rows(interval, clockTime(interval.at));
  }

  restart(at: number, program: string): void {
    this.#write(`\n${clockTime(at)}  RESTART  ${program}\n`);
    this.#headed = null;
  }

  average(interval: Interval): void {
    this.#rows(interval, 'Average:');
  }

  #rows({ tables }: Interval, time: string): void {
    for (const view of this.#views) {
      const rows = tables.get(view.group.name)?.rows ?? [];
      if (rows.length === 0) continue;
      const width = leadWidth(view, rows);
      // The rows of one moment stay together.
      if (this.#headed !== view || this.#linesLeft < rows.length || width > this.#leadWidth) {
        this.#leadWidth = width;
        this.#header(view, time);
      }
      for (const row of rows) this.#row(view, row, time);
    }
  }

  #row(view: View, row: RowOver, time: string): void {
    this.#linesLeft--;
    const cells = view.columns.map((index) => {
      const { header, scale } = shown(view.group.columns[index]!);
      const text = figureText(row.values[index]!, header.startsWith('%'), scale);
      return text.padStart(Math.max(CELL_WIDTH_MIN, header.length) + 1);
    });
    const instance = view.group.instance === null ? '' : instanceText(row.instance);
    this.#write(`${this.#lead(time, instance)}${cells.join('')}\n`);
  }

  #header(view: View, time: string): void {
    const cells = view.columns.map((index) => {
      const { header } = shown(view.group.columns[index]!);
      return header.padStart(Math.max(CELL_WIDTH_MIN, header.length) + 1);
    });
    this.#write(`\n${this.#lead(time, view.group.instance ?? view.group.name)}${cells.join('')}\n`);
    this.#headed = view;
    this.#linesLeft = this.#screenLines;
  }

  #lead(time: string, what: string): string {
    return `${time.padEnd(TIME_WIDTH)} ${what.padEnd(this.#leadWidth)}`;
  }
}

/** Of what stands between the time and the first column. */
function leadWidth({ group }: View, rows: readonly RowOver[]): number {
  if (group.instance === null) return Math.max(NAME_WIDTH_MIN, group.name.length);
  return Math.max(INSTANCE_WIDTH_MIN, ...rows.map(({ instance }) => instance.length));
}

function instanceText(instance: string): string {
  return instance === '' ? '-' : instance.replaceAll('\t', ' ');
}

/** Per cent with two decimals; of others what the figure's size leaves worth saying. */
function figureText(value: number, isShare: boolean, scale: number): string {
  if (Number.isNaN(value)) return 'n/a';
  const scaled = value * scale;
  if (isShare) return scaled.toFixed(2);
  const size = Math.abs(scaled);
  if (Number.isInteger(scaled)) return String(scaled);
  return scaled.toFixed(size < 100 ? 2 : size < 10_000 ? 1 : 0);
}
