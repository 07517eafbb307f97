import type { Column, GroupDescription } from '../../src/metrics/reading.js';
import type { Sample } from '../../src/metrics/recording/sample.js';
import type { Interval, RowOver, TableOver } from './intervals.js';
import type { Origin } from './observed.js';
import { calendarDay, clockTime, type Output, plain, type Write } from './output.js';
import { WsarError } from './wsar-error.js';

/** The group that a server describes its longest mailboxes in: the one group that this program knows by name and column. */
export const BACKLOG_GROUP = 'backlog';

/** A process with a backlog, over an interval. null: n/a, of a time: never, as it goes now. */
export interface BacklogRow {
  readonly pid: string;
  readonly label: string;
  /** Empty: not known. */
  readonly handler: string;
  readonly messages: number | null;
  /** Messages a second. */
  readonly dequeueRate: number | null;
  readonly fillRate: number | null;
  /** How long a message that comes now will wait. */
  readonly delayMs: number | null;
  readonly oldestMs: number | null;
  /** Until the mailbox is empty. */
  readonly drainMs: number | null;
}

/** The longest first. */
export function backlogRows({ description, rows }: TableOver): readonly BacklogRow[] {
  const column = (name: string) => description.columns.findIndex((one: Column) => one.name === name);
  const places = ['messages', 'out_rate', 'in_rate', 'delay', 'oldest', 'drain'].map(column);
  return rows
    .map(({ instance, values }: RowOver): BacklogRow => {
      const [messages, dequeueRate, fillRate, delayMs, oldestMs, drainMs] = places.map((place) =>
        place < 0 ? null : plain(values[place]!),
      );
      const [pid = '', label = '', handler = ''] = instance.split('\t');
      return {
        pid,
        label,
        handler,
        messages: messages ?? null,
        dequeueRate: dequeueRate ?? null,
        fillRate: fillRate ?? null,
        delayMs: delayMs ?? null,
        oldestMs: oldestMs ?? null,
        drainMs: drainMs ?? null,
      };
    })
    .sort((a, b) => (b.messages ?? 0) - (a.messages ?? 0));
}

/** A sample as an interval of its own: gauges as they are. */
export function glanceOf({ at, tables }: Sample): Interval {
  const over = [...tables].map(([name, { description, instances, figures }]): [string, TableOver] => {
    const width = description.columns.length;
    const rows = instances.map((instance, row) => ({
      instance,
      values: figures.slice(row * width, (row + 1) * width),
    }));
    return [name, { description, rows }];
  });
  return { at, seconds: 0, tables: new Map(over) };
}

/** @throws WsarError if there is no such group. */
export function backlogGroup(groups: readonly GroupDescription[]): GroupDescription {
  const group = groups.find(({ name }) => name === BACKLOG_GROUP);
  if (group === undefined)
    throw new WsarError(`there is no group ${BACKLOG_GROUP}: only a server has mailboxes`);
  return group;
}

/** `650 ms`, `15.0 s`, `4.4 m`, `41 m`. */
function waitText(ms: number | null, none: string): string {
  if (ms === null) return none;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 600_000) return `${(ms / 60_000).toFixed(1)} m`;
  return ms < 6_000_000 ? `${Math.round(ms / 60_000)} m` : `${(ms / 3_600_000).toFixed(1)} h`;
}

function rateText(rate: number | null): string {
  if (rate === null) return 'n/a';
  return rate.toFixed(rate < 10 ? 1 : 0);
}

/** `wsar --backlog`: who has messages waiting, and what will become of it. */
export class BacklogText implements Output {
  readonly #write: Write;
  readonly #rowsMax: number;

  constructor(rowsMax: number, write: Write) {
    this.#rowsMax = rowsMax;
    this.#write = write;
  }

  begin({ program, host }: Origin, at: number): void {
    this.#write(`${program} (${host})  ${calendarDay(at)}\n`);
  }

  interval({ at, tables }: Interval): void {
    const table = tables.get(BACKLOG_GROUP);
    const rows = table === undefined ? [] : backlogRows(table).slice(0, this.#rowsMax);
    if (rows.length === 0) {
      this.#write(`\n${clockTime(at)}  nobody has messages waiting\n`);
      return;
    }
    const cells = [
      ['pid', 'label', 'messages', 'dequeued/s', 'filled/s', 'delay', 'oldest', 'drained in', 'handler'],
      ...rows.map((row) => [
        row.pid,
        row.label,
        row.messages === null ? 'n/a' : String(Math.round(row.messages)),
        rateText(row.dequeueRate),
        rateText(row.fillRate),
        waitText(row.delayMs, 'stalled'),
        waitText(row.oldestMs, 'n/a'),
        waitText(row.drainMs, 'never'),
        row.handler,
      ]),
    ];
    const widths = cells[0]!.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
    const isText = (column: number) => column < 2 || column === 8;
    const lines = cells.map((line) =>
      line
        .map((cell, column) =>
          isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    );
    this.#write(`\n${clockTime(at)}\n${lines.join('\n')}\n`);
  }

  restart(at: number, program: string): void {
    this.#write(`\n${clockTime(at)}  RESTART  ${program}\n`);
  }

  average(): void {}
}

/** The same for programs: a line of JSON for each interval. */
export class BacklogJson implements Output {
  readonly #write: Write;
  readonly #rowsMax: number;

  constructor(rowsMax: number, write: Write) {
    this.#rowsMax = rowsMax;
    this.#write = write;
  }

  begin(): void {}

  interval({ at, tables }: Interval): void {
    const table = tables.get(BACKLOG_GROUP);
    const backlog = table === undefined ? [] : backlogRows(table).slice(0, this.#rowsMax);
    this.#write(`${JSON.stringify({ type: 'backlog', time: new Date(at).toISOString(), backlog })}\n`);
  }

  restart(at: number, program: string): void {
    this.#write(`${JSON.stringify({ type: 'restart', time: new Date(at).toISOString(), program })}\n`);
  }

  average(): void {}
}
