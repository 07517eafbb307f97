import { setTimeout as after } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { TopAnswer, TopBy } from '../ops/actions/top-action.js';
import type { Snapshot } from '../ops/inspector.js';
import { safeLine } from './chat/safe-text.js';
import { Terminal } from './chat/terminal.js';
import {
  askAction,
  askOperator,
  type OperatorFlags,
  operatorOptions,
  toldPlainly,
} from './operator-client.js';
import { wholeNumber } from './processes.js';
import { textTable } from './text-table.js';

interface TopFlags extends OperatorFlags {
  readonly by: TopBy;
  readonly count: number;
  readonly interval: number;
  readonly times?: number;
  readonly json?: boolean;
}

/** What is on the screen at one time. */
export interface TopPicture {
  readonly snapshot: Snapshot;
  readonly top: TopAnswer;
}

/** `rookery top`: the busiest processes, live on a terminal and once otherwise. */
export function topCommand(): Command {
  const command = new Command('top')
    .summary('the busiest processes, live')
    .description(
      'Shows the processes with the longest mailboxes, the most messages a second or the oldest messages, and goes on on a terminal: l, r and d choose the order, q ends it. Without a terminal: once. It knows mailboxes from 64 messages on, and of busy or held processes all; rookery ps --mailbox 1 looks through all processes.',
    )
    .addOption(
      new Option('--by <order>', 'longest mailbox, most messages a second, oldest message')
        .choices(['length', 'rate', 'delay'])
        .default('length'),
    )
    .option('--count <count>', 'so many processes at most', wholeNumber, 20)
    .option('--interval <seconds>', 'between two looks', seconds, 2)
    .option('--times <count>', 'so many looks, as lines, on a terminal too', wholeNumber)
    .option('--json', 'as JSON, a line for each look')
    .addHelpText(
      'after',
      `
Examples:
  rookery top --by delay
  rookery top --times 5 --interval 1 > top.txt
  rookery top --json | jq '.mailboxes[0]'`,
    )
    .action((flags: TopFlags) =>
      toldPlainly(async () => {
        const isLive =
          flags.json !== true &&
          flags.times === undefined &&
          process.stdin.isTTY === true &&
          process.stdout.isTTY === true;
        if (isLive) await live(flags);
        else await lines(flags);
      }),
    );
  for (const option of operatorOptions()) command.addOption(option);
  return command;
}

/** @throws InvalidArgumentError */
function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 3600)) throw new InvalidArgumentError('It must be 0.1 to 3600 seconds.');
  return value;
}

async function look(flags: OperatorFlags, by: TopBy, count: number): Promise<TopPicture> {
  const [snapshot, top] = await Promise.all([
    askOperator<Snapshot>(flags, '/metrics.json'),
    askAction<TopAnswer>(flags, 'top', { by, count }),
  ]);
  return { snapshot, top };
}

async function lines(flags: TopFlags): Promise<void> {
  const { times = 1, by, count, interval } = flags;
  for (let done = 0; done < times; done++) {
    if (done > 0) await after(interval * 1000);
    if (flags.json === true) {
      const top = await askAction<TopAnswer>(flags, 'top', { by, count });
      process.stdout.write(`${JSON.stringify(top)}\n`);
    } else {
      const picture = await look(flags, by, count);
      process.stdout.write(`${done > 0 ? '\n' : ''}${topLines(picture, by).join('\n')}\n`);
    }
  }
}

const ORDERS: Readonly<Record<string, TopBy>> = { l: 'length', r: 'rate', d: 'delay' };

async function live(flags: TopFlags): Promise<void> {
  const terminal = new Terminal(process.stdin, process.stdout);
  let { by } = flags;
  let picture: TopPicture | null = null;
  let ended = false;
  let wake: () => void = () => {};
  const draw = () => {
    if (picture === null) return;
    const help = 'l longest  r rate  d delay  q quit';
    const rows = [...topLines(picture, by).slice(0, terminal.rows - 1)];
    while (rows.length < terminal.rows - 1) rows.push('');
    rows.push(help);
    const width = terminal.columns;
    terminal.draw({
      rows: rows.map((row) => row.slice(0, width)),
      cursor: { row: terminal.rows - 1, column: Math.min(width - 1, help.length) },
    });
  };
  terminal.start((event) => {
    const key = 'key' in event ? event.key : event.text;
    if (key === 'q' || key === 'ctrl-c' || key === 'ctrl-d') ended = true;
    else if (Object.hasOwn(ORDERS, key)) by = ORDERS[key]!;
    else return;
    wake();
  }, draw);
  try {
    while (!ended) {
      picture = await look(flags, by, Math.max(flags.count, terminal.rows));
      draw();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, flags.interval * 1000);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    terminal.restore();
  }
}

/** As lines: what the server does as a whole, and the processes below it. */
export function topLines({ snapshot, top }: TopPicture, by: TopBy): readonly string[] {
  const { server, threads, connections, sessions, mailboxes } = snapshot;
  const load = threads.map(({ name, state, utilization }) =>
    state === 'running' ? `${name} ${Math.round(utilization * 100)} %` : `${name} ${state.toUpperCase()}`,
  );
  const head = [
    `${server.name} ${server.version}, up ${duration(snapshot.uptimeMs)}; ${connections.open} connections, ${sessions.online} online; ${mailboxes.processes} processes, ${mailboxes.waiting} messages wait, the longest mailbox ${mailboxes.longest}`,
    load.join('  '),
    ...(top.silent.length === 0 ? [] : [`NO ANSWER from ${top.silent.join(', ')}`]),
    '',
  ];
  const table = textTable(
    [
      { title: 'pid' },
      { title: 'label' },
      { title: by === 'length' ? 'WAITING' : 'waiting', align: 'right' },
      { title: 'longest', align: 'right' },
      { title: 'in/s', align: 'right' },
      { title: by === 'rate' ? 'OUT/S' : 'out/s', align: 'right' },
      { title: by === 'delay' ? 'OLDEST' : 'oldest', align: 'right' },
      { title: 'delay', align: 'right' },
      { title: 'empty in', align: 'right' },
      { title: 'handler' },
    ],
    top.mailboxes.map((one) => [
      one.pid,
      safeLine(one.name ?? one.label),
      one.length,
      one.longest,
      rate(one.inRate.per10),
      rate(one.outRate.per10),
      one.length === 0 ? '–' : duration(one.oldestMs),
      one.length === 0 ? '–' : one.delayMs === null ? 'stalled' : duration(one.delayMs),
      one.length === 0 ? '–' : one.drainMs === null ? 'never' : duration(one.drainMs),
      `${one.suspended ? 'SUSPENDED ' : ''}${safeLine(one.handler)}`,
    ]),
  );
  return [...head, ...table.split('\n')];
}

/** `950`, `12.3K`, `1.2M`. */
function rate(perSecond: number): string {
  if (perSecond < 10) return perSecond.toFixed(1);
  if (perSecond < 10_000) return perSecond.toFixed(0);
  return perSecond < 1e6 ? `${(perSecond / 1000).toFixed(1)}K` : `${(perSecond / 1e6).toFixed(1)}M`;
}

/** `12 ms`, `3.4 s`, `5 m`, `2 h`, `3 d`. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} m`;
  return ms < 48 * 3_600_000 ? `${Math.floor(ms / 3_600_000)} h` : `${Math.floor(ms / 86_400_000)} d`;
}
