import { Command, InvalidArgumentError, Option } from 'commander';
import type { GroupDescription } from '../../src/metrics/reading.js';
import { BACKLOG_GROUP, BacklogJson, BacklogText, backlogGroup } from './backlog.js';
import { fitted, type View, viewsOf } from './columns.js';
import { CsvOutput } from './csv-output.js';
import { JsonOutput } from './json-output.js';
import { listText } from './list.js';
import { openLive } from './open-live.js';
import { addCommonOptions, type CommonFlags, wantedOf } from './options.js';
import type { Output, Write } from './output.js';
import { recordCommand } from './record-command.js';
import { type Range, Replay } from './replay.js';
import { said } from './said.js';
import { cellWidth, LEAD_WIDTH, TextOutput } from './text-output.js';
import { parseDay, parseDuration, parseTime } from './times.js';
import { type Watched, watch } from './watch.js';
import { replay } from './watch-replay.js';
import { WsarError } from './wsar-error.js';

interface Flags extends CommonFlags {
  readonly list?: true;
  readonly json?: true;
  readonly csv?: true;
  readonly width?: number;
  readonly file?: string;
  readonly start?: string;
  readonly end?: string;
  readonly interval?: string;
  readonly day?: string;
  readonly follow?: true;
  readonly backlog?: true;
  readonly rows: number;
}

/** Lines between headers where there is no screen. */
const LINES_WITHOUT_SCREEN = 40;

/** `wsar`: what the system does, now or when it was recorded. */
export function wsarCommand(): Command {
  const command = new Command('wsar')
    .summary('report what the system does, live or from a recording')
    .description(
      'A system activity reporter in the manner of sar: figures of a running server and its machine, once an interval, or from a recording. A server records by itself into <data-folder>/wsar.',
    )
    .argument('[interval]', 'seconds between two reports (1)')
    .argument('[count]', 'reports, and then the averages; without it until Ctrl-C');
  addCommonOptions(command)
    .option('--list', 'all groups and columns with their units')
    .option('--json', 'a line of JSON for each report')
    .option('--csv', 'as CSV')
    .option('--width <characters>', 'of a line of text; wider groups are shown in parts', wholeNumber)
    .option('-f, --file <path>', 'from a recording: a file, or a folder of files')
    .option('-s, --start <time>', 'from then on: 10:00, 2026-11-22T10:00, or -10m before the end')
    .option('-e, --end <time>', 'until then')
    .option('-i, --interval <time>', 'of a replay: 60, 10s, 5m; without it each sample')
    .option('--day <day>', 'that times of -s and -e are of: 2026-11-22, yesterday, -2')
    .option('--follow', 'a recording to its end, and then as it grows')
    .option('--backlog', 'which processes have messages waiting, and until when')
    .addOption(new Option('-n, --rows <count>', 'of the backlog').default(20).argParser(wholeNumber))
    .addHelpText('after', EXAMPLES)
    .action((interval: string | undefined, count: string | undefined, flags: Flags) =>
      said(async () => {
        const isNamed = command.getOptionValueSource('operator') !== 'default';
        await run(flags, interval, count, isNamed);
      }),
    );
  return command.addCommand(recordCommand());
}

const EXAMPLES = `
Examples:
  wsar 1 10                                        ten reports, then the averages
  wsar -g sched,msgq                               these groups, all columns
  wsar -c os.user,os.system,msgq.total --csv       these columns
  wsar -f data/wsar -s 10:00 -e 11:30 -i 60        from a recording
  wsar -f data/wsar --day yesterday --backlog -i 10
  wsar record --folder /var/log/wsar --background  record a server from elsewhere`;

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on is wanted');
  return Number(text);
}

async function run(flags: Flags, interval: string | undefined, count: string | undefined, isNamed: boolean) {
  const write: Write = (text) => void process.stdout.write(text);
  const note = (text: string) => void process.stderr.write(`wsar: ${text}\n`);
  if (count !== undefined && !/^[1-9]\d*$/.test(count))
    throw new WsarError(`the count must be a whole number from 1 on, not ${count}`, 2);
  if (flags.json === true && flags.csv === true) throw new WsarError('either --json or --csv', 2);
  const watched: Watched = {
    intervalMs: interval === undefined ? null : parseDuration(interval, 'the interval'),
    count: count === undefined ? null : Number(count),
    note,
    outputOf: (views) => outputOf(flags, views, write),
    isText: flags.json !== true && flags.csv !== true && flags.backlog !== true,
    viewsOf: (groups) => viewsFor(flags, groups),
    isBacklog: flags.backlog === true,
  };
  if (flags.file !== undefined) {
    const recording = new Replay(flags.file);
    const range = rangeOf(flags, recording);
    if (flags.list === true) write(`${listed(flags, recording.groups(range))}\n`);
    else {
      const every = flags.interval ?? interval;
      const intervalMs = every === undefined ? 0 : parseDuration(every, '-i');
      await replay(recording, range, { ...watched, intervalMs }, flags.follow === true);
    }
    return;
  }
  for (const name of ['start', 'end', 'interval', 'day', 'follow'] as const) {
    if (flags[name] !== undefined) throw new WsarError(`--${name} is of recordings: which one? (-f)`, 2);
  }
  const live = await openLive(flags, isNamed, note);
  if (flags.list === true) write(`${listed(flags, await live.describe())}\n`);
  else await watch(live, watched);
}

/** Times of the day are of the recording's last day, unless a day is named. */
function rangeOf({ start, end, day, follow }: Flags, recording: Replay): Range {
  const span = recording.span();
  const meant = day === undefined ? span.to : parseDay(day, Date.now());
  const dayStart = new Date(meant).setHours(0, 0, 0, 0);
  const from =
    start !== undefined ? parseTime(start, '-s', meant, span.to) : day === undefined ? span.from : dayStart;
  const endless = follow === true ? Number.POSITIVE_INFINITY : span.to;
  const to =
    end !== undefined
      ? parseTime(end, '-e', meant, span.to)
      : day === undefined
        ? endless
        : new Date(dayStart).setHours(24);
  if (from > to)
    throw new WsarError(
      `-s (${new Date(from).toISOString()}) is behind -e (${new Date(to).toISOString()})`,
      2,
    );
  return { from, to };
}

/** All groups, or those that were named. */
function listed(flags: Flags, groups: readonly GroupDescription[]): string {
  const { groups: names, columns } = wantedOf(flags);
  const isChosen = names !== null || columns !== null;
  return listText(isChosen ? viewsOf(groups, { groups: names, columns }).map(({ group }) => group) : groups);
}

function viewsFor(flags: Flags, groups: readonly GroupDescription[]): readonly View[] {
  if (flags.backlog === true) {
    const group = backlogGroup(groups);
    return [{ group, columns: group.columns.map((_, index) => index) }];
  }
  // A backlog's rows change all the time: it has a report of its own.
  const isNamed = flags.groups?.includes(BACKLOG_GROUP) ?? false;
  const views = viewsOf(
    isNamed ? groups : groups.filter(({ name }) => name !== BACKLOG_GROUP),
    wantedOf(flags),
  );
  if (views.length === 0) throw new WsarError('there is nothing to show: --list says what there is');
  if (flags.json === true || flags.csv === true) return views;
  const width = flags.width ?? (process.stdout.isTTY ? process.stdout.columns : undefined);
  return width === undefined ? views : fitted(views, width, LEAD_WIDTH, cellWidth);
}

function outputOf(flags: Flags, views: readonly View[], write: Write): Output {
  if (flags.backlog === true) {
    if (flags.csv === true) return new CsvOutput(views, write);
    return flags.json === true ? new BacklogJson(flags.rows, write) : new BacklogText(flags.rows, write);
  }
  if (flags.json === true) return new JsonOutput(views, write);
  if (flags.csv === true) return new CsvOutput(views, write);
  const lines = process.stdout.isTTY ? Math.max(5, process.stdout.rows - 3) : LINES_WITHOUT_SCREEN;
  return new TextOutput(views, lines, write);
}
