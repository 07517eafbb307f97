import { Command } from 'commander';
import type { KnobEntry, KnobOutcome, KnobReport } from '../ops/knobs.js';
import { safeLine } from './chat/safe-text.js';
import { askAction, type OperatorFlags, operatorOptions, toldPlainly } from './operator-client.js';
import { wholeNumber } from './processes.js';
import { textTable } from './text-table.js';

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Subcommands take the options of the operator's port before or behind their own name. */
function flagsOf<T>(command: Command): T & OperatorFlags {
  return command.optsWithGlobals<T & OperatorFlags>();
}

/** `rookery knob`: settings that are changed while the server runs. */
export function knobCommand(): Command {
  const command = new Command('knob')
    .summary('read and change settings of a running server')
    .description(
      'Settings that can be changed while the server runs. A change is in effect at once on all threads, is kept over restarts (there it wins over flags, environment and file) and stands in the history with its author.',
    )
    .addHelpText(
      'after',
      `
Examples:
  rookery knob list --group Sessions
  rookery knob get slice-messages
  rookery knob set longScheduleMs 250ms --message 'too many lines in the log'
  rookery knob set inbox-count-max 20000 inbox-bytes-max 128MiB
  rookery knob history log-level
  rookery knob revert log-level           what the configuration says holds again
  rookery knob revert --to 12             all knobs as they were after entry 12 of the history`,
    );
  for (const option of operatorOptions()) command.addOption(option);
  return command
    .addCommand(listCommand())
    .addCommand(getCommand())
    .addCommand(setCommand())
    .addCommand(historyCommand())
    .addCommand(revertCommand());
}

function listCommand(): Command {
  const list = new Command('list')
    .summary('all knobs and their values')
    .description('All knobs by groups: value, default, what is allowed, and where the value comes from.')
    .option('--group <group>', 'only this group, such as Sessions')
    .option('--changed', 'only those that do not have their default')
    .option('--json', 'as JSON')
    .action(() =>
      toldPlainly(async () => {
        const flags = flagsOf<{ group?: string; changed?: boolean; json?: boolean }>(list);
        const { knobs } = await askAction<{ knobs: readonly KnobReport[] }>(flags, 'knob-list');
        const wanted = knobs.filter(
          ({ group, value, default: otherwise }) =>
            (flags.group === undefined || group.toLowerCase() === flags.group.toLowerCase()) &&
            (flags.changed !== true || value !== otherwise),
        );
        print(flags.json === true ? JSON.stringify(wanted) : knobTable(wanted));
      }),
    );
  return list;
}

/** For people. */
export function knobTable(knobs: readonly KnobReport[]): string {
  const groups = [...new Set(knobs.map(({ group }) => group))];
  const rows = groups.flatMap((group, index) => [
    ...(index === 0 ? [] : [[]]),
    [`— ${group}`],
    ...knobs
      .filter((knob) => knob.group === group)
      .map(({ name, value, default: otherwise, range, source }) => [
        name,
        value,
        otherwise,
        range,
        safeLine(source),
      ]),
  ]);
  return textTable(
    ['knob', 'value', 'default', 'allowed', 'from'].map((title) => ({ title })),
    rows,
  );
}

function getCommand(): Command {
  const get = new Command('get')
    .summary('one knob, with all that is known of it')
    .argument('<name>', 'as slice-messages or sliceMessages')
    .option('--json', 'as JSON')
    .action((name: string) =>
      toldPlainly(async () => {
        const flags = flagsOf<{ json?: boolean }>(get);
        const knob = await askAction<KnobReport>(flags, 'knob-get', { name });
        print(flags.json === true ? JSON.stringify(knob) : knobText(knob));
      }),
    );
  return get;
}

function knobText(knob: KnobReport): string {
  const since = knob.changedAt === null ? '' : `, ${timeText(knob.changedAt)}`;
  return [
    `${knob.name} = ${knob.value}`,
    `  ${knob.description}`,
    `  from     ${safeLine(knob.source)}${since}`,
    `  default  ${knob.default}`,
    `  start    ${knob.configured}`,
    `  allowed  ${knob.range}`,
    `  heeded   ${knob.threads.length === 0 ? 'by nobody' : `by ${knob.threads.join(', ')}`}`,
  ].join('\n');
}

function setCommand(): Command {
  const set = new Command('set')
    .summary('turn a knob, or several at once')
    .description(
      'Turns knobs, all of them or none. Times as 1500, 30s, 10m; sizes as 4096, 64KiB, 1MiB; on and off.',
    )
    .argument('<name>', 'as slice-messages or sliceMessages')
    .argument('<value>', 'its value')
    .argument('[more...]', 'more knobs, each with its value behind it')
    .option('--message <text>', 'why; it stands in the history')
    .action((first: string, firstValue: string, more: readonly string[]) =>
      toldPlainly(async () => {
        const flags = flagsOf<{ message?: string }>(set);
        const values: Record<string, string> = { [first]: firstValue };
        for (let at = 0; at < more.length; at += 2) {
          const [name = '', value = ''] = more.slice(at, at + 2);
          if (at + 1 === more.length) set.error(`error: ${name} has no value`, { exitCode: 2 });
          if (Object.hasOwn(values, name)) set.error(`error: ${name} stands twice`, { exitCode: 2 });
          values[name] = value;
        }
        const { message } = flags;
        told(await askAction<KnobOutcome>(flags, 'knob-set', { values, message }));
      }),
    );
  return set;
}

function historyCommand(): Command {
  const history = new Command('history')
    .summary('who turned which knob when')
    .description(
      'Changes of knobs, newest first. The number in front is what rookery knob revert --to takes.',
    )
    .argument('[name]', 'only of this knob')
    .option('--limit <count>', 'so many at most', wholeNumber, 50)
    .option('--json', 'as JSON')
    .action((name: string | undefined) =>
      toldPlainly(async () => {
        const flags = flagsOf<{ limit: number; json?: boolean }>(history);
        const { entries } = await askAction<{ entries: readonly KnobEntry[] }>(flags, 'knob-history', {
          name,
          limit: flags.limit,
        });
        if (flags.json === true) print(JSON.stringify(entries));
        else print(entries.length === 0 ? 'nobody has turned one' : entries.map(entryText).join('\n'));
      }),
    );
  return history;
}

function revertCommand(): Command {
  const revert = new Command('revert')
    .summary('take changes of knobs back')
    .description(
      'Without --to: what the configuration says holds again for this knob. With --to: all knobs are what they were after that entry of the history (0: before the first). The history keeps what was taken back.',
    )
    .argument('[name]', 'a knob')
    .option('--to <entry>', 'a number of the history', wholeNumber)
    .option('--message <text>', 'why; it stands in the history')
    .action((name: string | undefined) =>
      toldPlainly(async () => {
        const flags = flagsOf<{ to?: number; message?: string }>(revert);
        if ((name === undefined) === (flags.to === undefined))
          revert.error('error: either a knob or --to is wanted', { exitCode: 2 });
        const { to, message } = flags;
        told(await askAction<KnobOutcome>(flags, 'knob-revert', { name, to, message }));
      }),
    );
  return revert;
}

function told({ entry, effective, late }: KnobOutcome): void {
  if (entry === null) {
    print('nothing to change: it is so already');
    return;
  }
  print(entryText(entry));
  print(`in effect on ${effective.join(', ')}`);
  if (late.length === 0) return;
  process.stderr.write(
    `${late.join(', ')} has not said so yet: it takes effect there when it comes back to its loop\n`,
  );
  process.exitCode = 1;
}

function entryText({ number, at, author, from, message, changes }: KnobEntry): string {
  const head = `${number}  ${timeText(at)}  ${safeLine(author)} from ${safeLine(from)}${message === '' ? '' : `: ${safeLine(message)}`}`;
  const lines = changes.map(
    ({ name, before, after }) =>
      `     ${safeLine(name)}: ${safeLine(before ?? '(as configured)')} → ${safeLine(after ?? '(as configured)')}`,
  );
  return [head, ...lines].join('\n');
}

function timeText(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').slice(0, 19);
}
