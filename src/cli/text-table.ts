/** How a column is written: numbers stand under each other by their last digit. */
export type Align = 'left' | 'right';

export interface TableColumn {
  readonly title: string;
  readonly align?: Align;
}

/** Rows under titles, in columns as wide as their widest cell. */
export function textTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells
    .map((row) =>
      columns
        .map(({ align }, at) => {
          const cell = row[at] ?? '';
          return align === 'right' ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
