import type { GroupDescription } from '../../src/metrics/reading.js';
import { shown, valueUnit } from './columns.js';

/** `--list`: all groups and columns with their units, what they are, and how they are shown. */
export function listText(groups: readonly GroupDescription[]): string {
  return groups
    .map(({ name, version, title, instance, columns }) => {
      const rows = instance === null ? 'one row' : `a row for each ${instance}`;
      const widths = [
        Math.max(...columns.map((column) => column.name.length)),
        Math.max(...columns.map((column) => shown(column).header.length)),
        Math.max(...columns.map((column) => valueUnit(column).length)),
      ] as const;
      const lines = columns.map((column) => {
        const cells = [
          column.name.padEnd(widths[0]),
          column.kind.padEnd(7),
          shown(column).header.padEnd(widths[1]),
          valueUnit(column).padEnd(widths[2]),
        ];
        return `  ${cells.join('  ')}  ${column.description}`;
      });
      return [`${name} (version ${version}): ${title}; ${rows}`, ...lines].join('\n');
    })
    .join('\n\n');
}
