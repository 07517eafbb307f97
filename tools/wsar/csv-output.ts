import type { View } from './columns.js';
import type { Interval } from './intervals.js';
import { type Output, plain, type Write } from './output.js';

/**
 * One table whatever is shown: a line for each row of each group, and a column `group.column` for each figure; those of other
 * groups are empty, and so is what is n/a. Lines end with CRLF, as RFC 4180 has it.
 */
export class CsvOutput implements Output {
  readonly #views: readonly View[];
  readonly #write: Write;
  readonly #width: number;

  constructor(views: readonly View[], write: Write) {
    this.#views = views;
    this.#write = write;
    this.#width = views.reduce((sum, { columns }) => sum + columns.length, 0);
  }

  begin(): void {
    const names = this.#views.flatMap(({ group, columns }) =>
      columns.map((index) => `${group.name}.${group.columns[index]!.name}`),
    );
    this.#line(['time', 'seconds', 'group', 'instance', ...names]);
  }

  interval({ at, seconds, tables }: Interval): void {
    const time = new Date(at).toISOString();
    let before = 0;
    for (const { group, columns } of this.#views) {
      for (const { instance, values } of tables.get(group.name)?.rows ?? []) {
        const figures = columns.map((index) => plain(values[index]!));
        const cells = [
          ...Array<null>(before).fill(null),
          ...figures,
          ...Array<null>(this.#width - before - columns.length).fill(null),
        ];
        this.#line([time, plain(seconds), group.name, instance, ...cells]);
      }
      before += columns.length;
    }
  }

  restart(at: number, program: string): void {
    this.#line([new Date(at).toISOString(), 0, 'RESTART', program, ...Array<null>(this.#width).fill(null)]);
  }

  average(): void {}

  #line(cells: readonly (string | number | null)[]): void {
    this.#write(`${cells.map(cellText).join(',')}\r\n`);
  }
}

function cellText(cell: string | number | null): string {
  if (cell === null) return '';
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
