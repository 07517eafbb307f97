import { Command, InvalidArgumentError } from 'commander';
import { duration, short } from '../metrics/alerts/words.js';
import type {
  ProcessOutcome,
  ProcessPage,
  ProcessRates,
  ProcessReport,
  ProcessRow,
  Rates,
  Some,
} from '../ops/processes.js';
import { safeLine } from './chat/safe-text.js';
import { askAction, type OperatorFlags, operatorOptions, toldPlainly } from './operator-client.js';
import { textTable } from './text-table.js';

const PID =
  'a pid as logs and alerts print it (<2.17.0> in quotes, or 2.17.0), a registered name, or a label';

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @throws InvalidArgumentError */
export function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function withOperator(command: Command): Command {
  for (const option of operatorOptions()) command.addOption(option);
  return command;
}

interface PsFlags extends OperatorFlags {
  readonly label?: string;
  readonly name?: string;
  readonly thread?: string;
  readonly mailbox?: number;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

/** `rookery ps`: the processes of a running server. */
export function psCommand(): Command {
  return withOperator(new Command('ps'))
    .summary('list the processes of a running server')
    .description(
      'Lists processes in the order of their slots, page by page. What is busiest: rookery top. The counters wrap at 2^32.',
    )
    .option('--label <label>', 'only with this label, with * for any characters')
    .option('--name <name>', 'only with this registered name, with * for any characters')
    .option('--thread <thread>', 'only of this thread: main, scheduler-1, …')
    .option('--mailbox <count>', 'only with at least so many messages waiting', wholeNumber)
    .option('--limit <count>', 'so many at most', wholeNumber, 50)
    .option('--after <position>', 'go on behind the page before')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  rookery ps --label 'partition-*'
  rookery ps --thread scheduler-2 --mailbox 1000
  rookery ps --label session --limit 1000 --json | jq -r '.processes[].pid'`,
    )
    .action((flags: PsFlags) =>
      toldPlainly(async () => {
        const { label, name, thread, mailbox, limit, after } = flags;
        const page = await askAction<ProcessPage>(flags, 'processes', {
          label,
          name,
          thread,
          mailboxMin: mailbox,
          limit,
          after,
        });
        if (flags.json === true) print(JSON.stringify(page));
        else print(inTable(page.processes));
        if (flags.json !== true && page.next !== null) print(`more: --after ${page.next}`);
        for (const silent of page.silent) process.stderr.write(`${silent} does not answer\n`);
        if (page.silent.length > 0) process.exitCode = 1;
      }),
    );
}

function inTable(rows: readonly ProcessRow[]): string {
  return textTable(
    [
      { title: 'pid' },
      { title: 'label' },
      { title: 'name' },
      { title: 'thread' },
      { title: 'mailbox', align: 'right' },
      { title: 'longest', align: 'right' },
      { title: 'handled', align: 'right' },
      { title: 'sent', align: 'right' },
      { title: 'state' },
    ],
    rows.map(({ pid, label, name, thread, mailbox, longest, handled, sent, suspended }) => [
      pid,
      safeLine(label),
      safeLine(name ?? ''),
      thread,
      mailbox,
      longest,
      handled,
      sent,
      suspended ? 'suspended' : '',
    ]),
  );
}

interface InspectFlags extends OperatorFlags {
  readonly messages: number;
  readonly json?: boolean;
}

/** `rookery inspect`: everything about one process. */
export function inspectCommand(): Command {
  return withOperator(new Command('inspect'))
    .summary('show everything about one process')
    .description(
      'Shows links, monitors, counters, an outline of the oldest messages that wait, and of the state of a behaviour. What people have written is not shown: of texts and bytes the sizes only. If its thread does not answer: where that thread is.',
    )
    .argument('<process>', PID)
    .option('--messages <count>', 'so many of the oldest messages', wholeNumber, 10)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  rookery inspect '<2.17.0>'
  rookery inspect partition-17 --messages 100
  rookery inspect sessions-1 --json`,
    )
    .action((pid: string, flags: InspectFlags) =>
      toldPlainly(async () => {
        const report = await askAction<ProcessReport>(flags, 'inspect', { pid, messages: flags.messages });
        print(flags.json === true ? JSON.stringify(report) : reportText(report));
      }),
    );
}

/** For people. */
export function reportText(report: ProcessReport): string {
  const some = ({ count, first }: Some<string>) => {
    if (count === 0) return 'none';
    const list = first.map(safeLine).join(', ');
    return `${count}: ${list}${count > first.length ? ', …' : ''}`;
  };
  const lines: [string, string][] = [
    ['process', `${safeLine(report.label)}${report.pid}`],
    ['name', safeLine(report.name ?? '–')],
    ['thread', report.thread],
    [
      'kind',
      `${report.kind}${report.waits ? ', waits inside of it' : ''}${report.suspended ? ', SUSPENDED' : ''}`,
    ],
    ['path', [...report.path, report.label].map(safeLine).join(' / ')],
    ['parent', safeLine(report.parent ?? '–')],
    ['priority', `${report.priority}${report.trapExit ? ', traps exits' : ''}`],
    ['mailbox', `${report.mailbox} messages, the most that ever waited ${report.longest}${waitText(report)}`],
    ...(report.handler === '' ? [] : [['handler', safeLine(report.handler)] as [string, string]]),
    ['messages', `${report.received} received, ${report.handled} handled, ${report.sent} sent`],
    ['rates', ratesText(report.rates)],
    ['timers', String(report.timers)],
    ['links', some(report.links)],
    ['monitors', some(report.monitoring)],
    ['monitored by', some(report.monitoredBy)],
  ];
  if (report.state !== null) lines.push(['state', safeLine(report.state)]);
  if (report.stateMissing !== null) lines.push(['state', safeLine(report.stateMissing)]);
  for (const [at, { outline, bytes }] of report.messages.entries()) {
    lines.push([at === 0 ? 'waiting' : '', `${safeLine(outline)}${bytes > 0 ? `  (${bytes} bytes)` : ''}`]);
  }
  return lines.map(([title, text]) => `${title.padEnd(14)}${text}`).join('\n');
}

/** What is known of what waits; of one without a backlog nothing. */
function waitText({ mailbox, oldestMs, stalledMs, delayMs, drainMs }: ProcessReport): string {
  if (mailbox === 0 || (oldestMs === 0 && delayMs === 0)) return '';
  const delay =
    delayMs === null
      ? `nothing was handled for ${duration(stalledMs)}`
      : `one that comes now waits ${duration(delayMs)}`;
  const drain = drainMs === null ? 'it does not get shorter' : `empty in about ${duration(drainMs)}`;
  return `; the oldest for ${duration(oldestMs)}, ${delay}, ${drain}`;
}

function ratesText(rates: ProcessRates | null): string {
  if (rates === null) return 'nobody has looked before: they are known from now on';
  const text = (of: Rates) => of.map((perSecond) => short(perSecond)).join(' ');
  return `${text(rates.in)} come, ${text(rates.handled)} handled, ${text(rates.sent)} sent a second, over 1, 10 and 100 s`;
}

interface Operation {
  readonly name: string;
  readonly action?: string;
  readonly summary: string;
  readonly description: string;
  readonly example: string;
}

function operationCommand({ name, summary, description, example }: Operation): Command {
  return withOperator(new Command(name))
    .summary(summary)
    .description(description)
    .argument('<process>', PID)
    .addHelpText('after', `\nExample:\n  ${example}`);
}

async function perform(
  flags: OperatorFlags,
  action: string,
  params: Readonly<Record<string, unknown>>,
): Promise<void> {
  await toldPlainly(async () => {
    const { pid, label, outcome } = await askAction<ProcessOutcome>(flags, action, params);
    print(`${safeLine(label)}${pid}: ${safeLine(outcome)}`);
  });
}

/** `rookery send`, `flush`, `kill`, `suspend`, `resume`: what an operator does to one process. */
export function processCommands(): Command[] {
  const send = operationCommand({
    name: 'send',
    summary: 'send a process a message',
    description:
      'Sends a message, which is written as JSON. With --first it is handled before all that waits. It stands in the audit log with its size and not its text.',
    example: `rookery send ledger '{"type":"flush"}' --first`,
  })
    .argument('<message>', 'JSON')
    .option('--first', 'before all messages that wait')
    .option('--cast', 'as a cast: for a behaviour (handleCast); otherwise it is a plain message')
    .action((pid: string, text: string, flags: OperatorFlags & { first?: boolean; cast?: boolean }) => {
      let message: unknown;
      try {
        message = JSON.parse(text);
      } catch (error) {
        send.error(`error: the message is not JSON: ${(error as Error).message}`, { exitCode: 2 });
      }
      const { first = false, cast = false } = flags;
      return perform(flags, 'send', { pid, message, first, cast });
    });
  const flush = operationCommand({
    name: 'flush',
    summary: 'throw away the messages in a mailbox',
    description:
      'Throws away the oldest messages that wait: whoever waits for an answer to one of them waits in vain. Ends of other processes (EXIT, DOWN) stay.',
    example: "rookery flush '<2.17.0>' --max 100000",
  })
    .option('--max <count>', 'so many at most', wholeNumber)
    .action((pid: string, flags: OperatorFlags & { max?: number }) =>
      perform(flags, 'flush', { pid, max: flags.max }),
    );
  const kill = operationCommand({
    name: 'kill',
    summary: 'end a process',
    description:
      'Ends a process with the reason killed, whatever it does; its supervisor decides what then. A supervisor only with --force.',
    example: "rookery kill 'session<2.17.0>'",
  })
    .option('--force', 'a supervisor, too')
    .action((pid: string, flags: OperatorFlags & { force?: boolean }) =>
      perform(flags, 'kill', { pid, force: flags.force ?? false }),
    );
  const suspend = operationCommand({
    name: 'suspend',
    summary: 'hold a process until it is resumed',
    description:
      'Holds a process: what comes waits in its mailbox. A behaviour is asked to suspend itself and still takes system messages; anything else, or with --hard, gets no more slices.',
    example: 'rookery suspend partition-17',
  })
    .option('--hard', 'by the run queue, at once, even if it is a behaviour')
    .option('--force', 'a supervisor, too')
    .action((pid: string, flags: OperatorFlags & { hard?: boolean; force?: boolean }) =>
      perform(flags, 'suspend', { pid, hard: flags.hard ?? false, force: flags.force ?? false }),
    );
  const resume = operationCommand({
    name: 'resume',
    summary: 'let a suspended process go on',
    description: 'Lets a process that was suspended go on.',
    example: 'rookery resume partition-17',
  }).action((pid: string, flags: OperatorFlags) => perform(flags, 'resume', { pid }));
  return [send, flush, kill, suspend, resume];
}
