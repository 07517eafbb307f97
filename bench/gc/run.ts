/** Long mailboxes outside of the heap and on it, in turns: `npm run bench -- gc`. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nativeCollector } from '../../src/schedulers/index.js';
import { fixed, markdownTable, whole } from '../measure/markdown-table.js';
import { median } from '../measure/statistics.js';
import type { Mode, Order, Report } from './backlog.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    messages: { type: 'string', default: 'entry,plain,text,number' },
    modes: { type: 'string', default: 'off,spill,spill+defer' },
    /** As root, where other programs would hold this one up in the middle of a pause. */
    realtime: { type: 'boolean', default: false },
  },
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 1 : 5));
const scale = quick ? 0.1 : 1;
const modes = values.modes.split(',') as Mode[];
const script = fileURLToPath(new URL('./backlog.js', import.meta.url));

function run(order: Order): Report {
  const output = execFileSync(
    process.execPath,
    ['--max-old-space-size=4096', script, JSON.stringify(order)],
    {
      encoding: 'utf8',
      timeout: 600_000,
    },
  );
  return JSON.parse(output) as Report;
}

const collectionMs = ({ gc }: Report) => gc.minorMs + gc.majorMs + gc.incrementalMs + gc.weakMs;
/** Millions a second. */
const rate = ({ buildMs, drainMs }: Report, messages: number) => messages / (buildMs + drainMs) / 1000;

function least(of: (report: Report) => number, among: readonly Report[]): number {
  return Math.min(...among.map(of));
}

function cells(reports: readonly Report[], messages: number, base: readonly Report[]): string[] {
  const middle = (of: (report: Report) => number, among = reports) => median(among.map(of));
  const gcMs = middle(collectionMs);
  const perSecond = (report: Report) => rate(report, messages);
  const perCpu = ({ cpuMs }: Report) => messages / cpuMs / 1000;
  return [
    `${whole(gcMs)} (${whole(least(collectionMs, reports))})`,
    `${fixed(gcMs / middle(collectionMs, base), 2)} (${fixed(least(collectionMs, reports) / least(collectionMs, base), 2)})`,
    `${fixed(middle(({ gc }) => gc.longestMs))} (${fixed(least(({ gc }) => gc.longestMs, reports))})`,
    whole(middle(({ gc }) => gc.minorRuns)),
    whole(middle(({ gc }) => gc.majorRuns)),
    whole(middle(({ gc }) => gc.deferredMs)),
    fixed(middle(({ gapMs }) => gapMs)),
    fixed(middle(perSecond), 2),
    fixed(middle(perSecond) / middle(perSecond, base), 2),
    fixed(middle(perCpu) / middle(perCpu, base), 2),
    whole(middle(({ heapMiB }) => heapMiB)),
    whole(middle(({ peakMiB }) => peakMiB)),
  ];
}

const HEAD = [
  'messages, mode',
  'GC ms',
  '× off',
  'longest ms',
  'minor',
  'full',
  'deferred ms',
  'longest gap ms',
  'M msg/s',
  '× off',
  '× off (CPU)',
  'live MiB',
  'peak MiB',
];

const messages = 3_000_000 * scale;
const sessions = 400_000 * scale;
console.log(
  `A backlog of ${whole(messages)} messages in one process beside ${whole(sessions)} others, built and drained; medians of ${rounds} rounds, the modes in turns; in brackets the best round.${nativeCollector() === null ? ' Without the native add-on: nothing is deferred.' : ''}\n`,
);
const rows: string[][] = [];
for (const message of values.messages.split(',') as Order['message'][]) {
  const reports = new Map<Mode, Report[]>(modes.map((mode) => [mode, []]));
  for (let round = 0; round < rounds; round++) {
    for (const mode of modes) {
      const report = run({ mode, message, sessions, messages, realtime: values.realtime });
      reports.get(mode)!.push(report);
      process.stderr.write(
        `${message} ${mode}: ${whole(collectionMs(report))} ms of collections, longest ${fixed(report.gc.longestMs)}, ${fixed(rate(report, messages), 2)} M/s, spilled ${whole(report.gc.spilledMessagesTotal)}\n`,
      );
    }
  }
  const base = reports.get(modes[0]!)!;
  for (const mode of modes) rows.push([`${message}, ${mode}`, ...cells(reports.get(mode)!, messages, base)]);
}
console.log(markdownTable(HEAD, rows));
