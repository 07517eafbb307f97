import { Command, InvalidArgumentError } from 'commander';
import type { HandlerTable, ProfileStarted } from '../../ops/profiles.js';
import { safeLine } from '../chat/safe-text.js';
import { askAction, type OperatorFlags, OperatorRefused, toldPlainly } from '../operator-client.js';
import { textTable } from '../text-table.js';
import { forOption, intervalOption } from './times.js';
import { untilDone } from './wait-for-profile.js';

interface HandlersFlags extends OperatorFlags {
  readonly for: number;
  readonly interval: number;
  readonly top: number;
  readonly json?: boolean;
}

/** `rookery profile handlers`: which handlers take the time. */
export function handlersCommand(): Command {
  const command = new Command('handlers')
    .summary('which handlers take the time, all schedulers together')
    .description(
      'Samples all schedulers for a while, and shows which handler (module.function) in which kind of process took how much of their time. A sample counts for the handler nearest to where the thread was, so what a handler calls is in its time; in parentheses stands what no handler has asked for.',
    )
    .addOption(forOption())
    .addOption(intervalOption(2000, '2ms'))
    .option('--top <count>', 'so many rows', wholeNumber, 30)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  rookery profile handlers
  rookery profile handlers --for 1m --json | jq '.rows[0]'`,
    )
    .action(() =>
      toldPlainly(async () => {
        const flags = command.optsWithGlobals<HandlersFlags>();
        const params = { ms: flags.for, intervalUs: flags.interval };
        const done = await untilDone(
          flags,
          await askAction<ProfileStarted>(flags, 'profile-handlers', params),
        );
        if (done.kind !== 'handlers')
          throw new OperatorRefused(`the server answers with a profile of ${done.kind}`);
        process.stdout.write(
          flags.json === true
            ? `${JSON.stringify(done.table)}\n`
            : `${handlersText(done.table, flags.top)}\n`,
        );
      }),
    );
  return command;
}

/** For people. Shares are of the time in which the schedulers did something; ms/s is of each second, of all schedulers together. */
export function handlersText({ threads, rows }: HandlerTable, top: number): string {
  const busyMs = rows.reduce((sum, { ms }) => sum + ms, 0);
  const seconds = Math.max(0.001, ...threads.map(({ ms }) => ms / 1000));
  const shown = rows.slice(0, top);
  const table = textTable(
    [
      { title: 'process' },
      { title: 'handler' },
      { title: '% of busy', align: 'right' },
      { title: 'ms/s', align: 'right' },
      { title: 'samples', align: 'right' },
    ],
    shown.map(({ process, handler, ms, samples }) => [
      process === '' ? '–' : safeLine(process),
      safeLine(handler),
      ((ms / Math.max(busyMs, 0.001)) * 100).toFixed(1),
      (ms / seconds).toFixed(1),
      samples,
    ]),
  );
  const loads = threads.map(({ thread, ms, idleMs, ownMs, samples }) => {
    const busy = ms === 0 ? 0 : ((ms - idleMs) / ms) * 100;
    return `${thread}: ${busy.toFixed(0)} % busy over ${(ms / 1000).toFixed(1)} s, ${samples} samples; beginning took ${ownMs.toFixed(0)} ms`;
  });
  const rest = rows.length - shown.length;
  return [table, ...(rest > 0 ? [`… and ${rest} more (--top)`] : []), '', ...loads].join('\n');
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.');
  return Number(text);
}
