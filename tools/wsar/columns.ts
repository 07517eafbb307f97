import type { Column, GroupDescription } from '../../src/metrics/reading.js';
import { countsTime } from './intervals.js';
import { WsarError } from './wsar-error.js';

/** A group with those of its columns that are shown, in the group's own order. */
export interface View {
  readonly group: GroupDescription;
  /** Places in the group's columns. */
  readonly columns: readonly number[];
}

export interface Wanted {
  /** null: not chosen. */
  readonly groups: readonly string[] | null;
  /** `column` or `group.column`; null: all. */
  readonly columns: readonly string[] | null;
}

/**
 * What is shown when nobody has chosen: what fits on a screen and says most. Names that are not there are passed over, so this is
 * taste and no knowledge that anything depends on.
 */
const AT_A_GLANCE: Readonly<Record<string, readonly string[]>> = {
  os: ['user', 'nice', 'system', 'iowait', 'irq', 'softirq', 'steal', 'idle', 'cswch'],
  sched: ['handlers_ms', 'io_ms', 'gc_ms', 'timers_ms', 'idle_ms', 'run_queue', 'slices'],
  msgq: ['total', 'longest', 'non_empty', 'received', 'handled'],
  chat: ['sends', 'deliveries', 'receipts', 'entries_offline', 'deliveries_pushed'],
  conn: ['open', 'accepts', 'frames_in', 'frames_out'],
};

/**
 * The views of these groups, in the order in which they were named.
 *
 * @throws WsarError for a name that there is not, with those that there are.
 */
export function viewsOf(groups: readonly GroupDescription[], wanted: Wanted): readonly View[] {
  const chosen = chosenGroups(groups, wanted);
  const words = wanted.columns;
  if (words === null) {
    const isGlance = wanted.groups === null;
    const views = chosen.map((group) => ({ group, columns: isGlance ? glance(group) : all(group) }));
    return views.filter(({ columns }) => columns.length > 0);
  }
  for (const word of words) {
    if (!chosen.some((group) => group.columns.some((column) => isNamed(group, column, word)))) {
      const known = chosen.map(({ name, columns }) => `${name}: ${columns.map((one) => one.name).join(' ')}`);
      throw new WsarError(`there is no column ${word}; there are\n  ${known.join('\n  ')}`, 2);
    }
  }
  const views = chosen.map((group) => ({
    group,
    columns: all(group).filter((index) => words.some((word) => isNamed(group, group.columns[index]!, word))),
  }));
  return views.filter(({ columns }) => columns.length > 0);
}

function chosenGroups(groups: readonly GroupDescription[], { groups: names, columns }: Wanted) {
  if (names === null) {
    return columns === null ? groups.filter(({ name }) => Object.hasOwn(AT_A_GLANCE, name)) : groups;
  }
  if (names.includes('all')) return groups;
  return [...new Set(names)].map((name) => {
    const group = groups.find((one) => one.name === name);
    if (group === undefined) {
      const known = groups.map((one) => one.name).join(', ');
      throw new WsarError(`there is no group ${name}; there are ${known}, and all`, 2);
    }
    return group;
  });
}

function all({ columns }: GroupDescription): readonly number[] {
  return columns.map((_, index) => index);
}

function glance(group: GroupDescription): readonly number[] {
  const names = AT_A_GLANCE[group.name] ?? [];
  const found = all(group).filter((index) => names.includes(group.columns[index]!.name));
  return found.length === 0 ? all(group).slice(0, 8) : found;
}

function isNamed(group: GroupDescription, column: Column, word: string): boolean {
  return word === column.name || word === `${group.name}.${column.name}`;
}

/** How a column is shown to people: a share as per cent, bytes in KiB. */
export interface Shown {
  readonly header: string;
  /** What a value is multiplied with. */
  readonly scale: number;
}

export function shown(column: Column): Shown {
  const { name, kind, unit } = column;
  if (countsTime(column) || unit === '1')
    return { header: `%${name.replace(/_(s|ms|us|ns)$/, '')}`, scale: 100 };
  const perSecond = kind === 'counter' ? '/s' : '';
  if (unit === 'By') {
    const named = /bytes/.test(name) ? name.replace('bytes', 'kB') : `${name}_kB`;
    return { header: `${named}${perSecond}`, scale: 1 / 1024 };
  }
  const isTime = /^(s|ms|us|ns)$/.test(unit);
  return {
    header: isTime && !name.split('_').includes(unit) ? `${name}_${unit}` : `${name}${perSecond}`,
    scale: 1,
  };
}

/** What a value of JSON and CSV is counted in. */
export function valueUnit(column: Column): string {
  if (countsTime(column)) return '1';
  return column.kind === 'counter' ? `${column.unit}/s` : column.unit;
}

/** Splits views whose lines would be wider than this into several. */
export function fitted(
  views: readonly View[],
  width: number,
  lead: number,
  cell: (column: Column) => number,
): readonly View[] {
  return views.flatMap(({ group, columns }) => {
    const parts: number[][] = [];
    let room = 0;
    for (const index of columns) {
      const taken = cell(group.columns[index]!);
      if (parts.length === 0 || room < taken) {
        parts.push([]);
        room = width - lead;
      }
      parts.at(-1)!.push(index);
      room -= taken;
    }
    return parts.map((part) => ({ group, columns: part }));
  });
}
