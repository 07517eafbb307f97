import { setTimeout as after } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../app/setting.js';
import type { TraceLine, TracePart, TraceStarted } from '../ops/traces.js';
import { safeLine } from './chat/safe-text.js';
import { askAction, type OperatorFlags, operatorOptions, toldPlainly } from './operator-client.js';
import { wholeNumber } from './processes.js';

/** Between two looks at what a trace has seen. */
const LOOK_MS = 250;

interface TraceFlags extends OperatorFlags {
  readonly for: number;
  readonly max: number;
  readonly in?: boolean;
  readonly out?: boolean;
  readonly json?: boolean;
}

/** `rookery trace`: the messages of one process, while they come and go. */
export function traceCommand(): Command {
  const command = new Command('trace')
    .summary('show the messages of a process as they come and go')
    .description(
      'Shows each message that comes to a process and each that it sends, in outline: of texts and bytes the sizes only. It ends by itself, at the latest when the time or the number is reached.',
    )
    .argument('<process>', 'a pid as logs and alerts print it, a registered name, or a label')
    .option('--for <time>', 'so long at most, up to 10m', time, 10_000)
    .option('--max <count>', 'so many messages at most, up to 100000', wholeNumber, 1000)
    .option('--in', 'only what comes')
    .option('--out', 'only what it sends')
    .option('--json', 'as JSON, a line for each message')
    .addHelpText(
      'after',
      `
Examples:
  rookery trace partition-17 --for 30s --max 200
  rookery trace '<2.45.0>' --in --json | jq .message`,
    )
    .action((pid: string, flags: TraceFlags) => toldPlainly(() => trace(pid, flags)));
  for (const option of operatorOptions()) command.addOption(option);
  return command;
}

/** @throws InvalidArgumentError */
function time(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || !Number.isInteger(ms) || ms < 1)
    throw new InvalidArgumentError('It must be a time such as 1500 (ms), 30s or 5m.');
  return ms;
}

async function trace(pid: string, flags: TraceFlags): Promise<void> {
  const direction = flags.in === flags.out ? 'both' : flags.in === true ? 'in' : 'out';
  const begun = await askAction<TraceStarted>(flags, 'trace', {
    pid,
    forMs: flags.for,
    max: flags.max,
    direction,
  });
  process.stderr.write(`tracing ${safeLine(begun.label)}${begun.pid}\n`);
  let interrupted = false;
  const interrupt = new AbortController();
  process.once('SIGINT', () => {
    interrupted = true;
    interrupt.abort();
  });
  let seen = 0;
  let dropped = 0;
  for (;;) {
    const name = interrupted ? 'trace-stop' : 'trace-read';
    const part = await askAction<TracePart>(flags, name, { trace: begun.trace });
    for (const line of part.lines)
      process.stdout.write(`${flags.json === true ? JSON.stringify(line) : lineText(line)}\n`);
    seen += part.lines.length;
    dropped += part.dropped;
    if (part.ended !== null) {
      process.stderr.write(`${seen} messages${ENDS[part.ended]}\n`);
      if (dropped > 0)
        process.stderr.write(`${dropped} more came faster than they could be fetched: they are missing\n`);
      return;
    }
    await after(LOOK_MS, undefined, { signal: interrupt.signal }).catch(() => {});
  }
}

const ENDS: Readonly<Record<NonNullable<TracePart['ended']>, string>> = {
  time: '; the time is over',
  count: '; there may be more: the number was reached',
  process: '; the process has ended',
  stopped: '',
};

/** `    12.345  ← sessions-1<1.4.0>  { type: "leave" }`. */
export function lineText({ at, direction, peer, message, bytes }: TraceLine): string {
  const arrow = direction === 'in' ? '←' : '→';
  const size = bytes === 0 ? '' : `  (${bytes} bytes)`;
  return `${at.toFixed(3).padStart(11)}  ${arrow} ${safeLine(peer ?? '–')}  ${safeLine(message)}${size}`;
}
