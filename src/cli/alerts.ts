import { Command } from 'commander';
import { parseDuration, spellings } from '../app/setting.js';
import type { AlertView } from '../metrics/alerts/alert.js';
import type { Silence } from '../metrics/alerts/silences.js';
import { duration } from '../metrics/alerts/words.js';
import type { AlertsReport } from '../ops/actions/alert-actions.js';
import {
  askAction,
  type OperatorFlags,
  OperatorRefused,
  operatorOptions,
  toldPlainly,
} from './operator-client.js';

/** Between two looks of `--watch`. */
const WATCH_MS = 1000;

/** `rookery alerts`: what is wrong with a running server; `ack`, `silence`, `unsilence` and `rules` below it. */
export function alertsCommand(): Command {
  const command = new Command('alerts')
    .summary('show what is wrong with a running server')
    .description(
      'Shows what is wrong with a running server, newest first, who looks after it, and what is silenced. docs/operations/alerts.md says what to do. Exit code 3 if an alert is active that is neither silenced nor acknowledged.',
    )
    .option('--all', 'also the alerts that are over')
    .option('--json', 'as JSON; with --watch a line for each change')
    .option('--watch', 'go on, and tell of each alert that comes or goes')
    .action((flags: OperatorFlags & { all?: boolean; json?: boolean; watch?: boolean }) =>
      toldPlainly(async () => {
        const report = await askAction<AlertsReport>(flags, 'alerts');
        if (flags.watch === true) await watch(flags, report, flags.json === true);
        else if (flags.json === true) print(JSON.stringify(report));
        else print(reportText(report, flags.all === true));
        if (report.active.some(({ silenced, acknowledged }) => !silenced && acknowledged === null))
          process.exitCode = 3;
      }),
    );
  for (const option of operatorOptions()) command.addOption(option);
  return command
    .addCommand(ackCommand())
    .addCommand(silenceCommand())
    .addCommand(unsilenceCommand())
    .addCommand(rulesCommand());
}

function ackCommand(): Command {
  const command = new Command('ack')
    .summary('say that you look after an alert')
    .argument('<id>', 'number of the alert')
    .option('--comment <text>', 'what you know')
    .action((id: string) =>
      toldPlainly(async () => {
        const flags = command.optsWithGlobals<OperatorFlags & { comment?: string }>();
        const alert = await askAction<AlertView>(flags, 'alert-ack', {
          id: wholeNumber('the number of the alert', id),
          ...(flags.comment === undefined ? {} : { comment: flags.comment }),
        });
        print(`${alert.acknowledged?.by ?? ''} looks after alert ${alert.id}: ${alert.line}`);
      }),
    );
  return command;
}

function silenceCommand(): Command {
  const command = new Command('silence')
    .summary('tell nobody of some alerts for a time')
    .description(
      'Alerts that all of --rule, --label and --subject fit which are given are seen and listed, and told to nobody. * stands for any letters.',
    )
    .option('--rule <pattern>', 'name of a rule, such as mailbox-* (rookery alerts rules)')
    .option('--label <pattern>', 'label of a process, such as partition-17')
    .option('--subject <pattern>', 'what it is about: a pid such as "<2.45>", scheduler-1, disk')
    .requiredOption('--for <time>', 'how long: 30m, 2h, 1d')
    .option('--comment <text>', 'why')
    .action(() =>
      toldPlainly(async () => {
        const flags = command.optsWithGlobals<
          OperatorFlags & { rule?: string; label?: string; subject?: string; for: string; comment?: string }
        >();
        const ms = parseDuration(flags.for);
        if (ms === undefined)
          throw new OperatorRefused(`--for must be a time such as 30m or 2h, not ${flags.for}`);
        const { rule, label, subject, comment } = flags;
        const params = Object.fromEntries(
          Object.entries({ rule, label, subject, comment, ms }).filter(([, value]) => value !== undefined),
        );
        const silence = await askAction<Silence>(flags, 'alert-silence', params);
        print(silenceText(silence, silence.from));
      }),
    );
  return command;
}

function unsilenceCommand(): Command {
  const command = new Command('unsilence')
    .summary('end a silence before its time')
    .argument('<id>', 'number of the silence')
    .action((id: string) =>
      toldPlainly(async () => {
        const flags = command.optsWithGlobals<OperatorFlags>();
        const params = { id: wholeNumber('the number of the silence', id) };
        const silence = await askAction<Silence>(flags, 'alert-unsilence', params);
        print(`silence ${silence.id} is over`);
      }),
    );
  return command;
}

function rulesCommand(): Command {
  const command = new Command('rules').summary('show the rules and their limits').action(() =>
    toldPlainly(async () => {
      const flags = command.optsWithGlobals<OperatorFlags & { json?: boolean }>();
      const { rules } = await askAction<AlertsReport>(flags, 'alerts');
      if (flags.json === true) {
        print(JSON.stringify(rules));
        return;
      }
      for (const { name, severity, limit, text, setting, isWatched } of rules) {
        const state = limit === null || isWatched ? text : 'n/a';
        print(`${name.padEnd(20)} ${severity.padEnd(9)} ${state.padEnd(10)} ${spellings(setting).fileKey}`);
      }
    }),
  );
  return command;
}

/** For people. */
export function reportText({ at, active, recent, silences }: AlertsReport, all: boolean): string {
  const lines = active.map((alert) => alertText(alert, at));
  if (active.length === 0) lines.push('nothing is wrong');
  if (all) for (const alert of recent) lines.push(alertText(alert, at));
  for (const silence of silences) lines.push(silenceText(silence, at));
  return lines.join('\n');
}

export function alertText(alert: AlertView, at: number): string {
  const { id, severity, silenced, acknowledged, clearedAt, raisedAt, line } = alert;
  const state = clearedAt !== null ? 'over' : silenced ? 'silenced' : severity;
  const when =
    clearedAt === null
      ? `for ${duration(at - raisedAt)}`
      : `${duration(at - clearedAt)} ago, after ${duration(clearedAt - raisedAt)}`;
  const comment = acknowledged === null || acknowledged.comment === '' ? '' : `: ${acknowledged.comment}`;
  const who = acknowledged === null ? '' : ` (${acknowledged.by} looks after it${comment})`;
  return `${String(id).padStart(4)}  ${state.padEnd(8)}  ${when}${who}  ${line}`;
}

function silenceText({ id, by, comment, until, rule, label, subject }: Silence, at: number): string {
  const parts = Object.entries({ rule, label, subject }).filter(([, pattern]) => pattern !== null);
  const what = parts.map(([name, pattern]) => `${name} ${pattern}`).join(', ');
  return `silence ${id}  ${what}  for ${duration(until - at)} more, by ${by}${comment === '' ? '' : `: ${comment}`}`;
}

/** Tells what changes, until it is interrupted or the server goes. */
async function watch(flags: OperatorFlags, first: AlertsReport, json: boolean): Promise<void> {
  let report = first;
  let known = new Set<number>();
  let over = new Set(first.recent.map(({ id }) => id));
  for (;;) {
    const { at, active, recent } = report;
    const news = [
      ...recent.filter(({ id }) => !over.has(id)),
      ...active.filter(({ id }) => !known.has(id)),
    ].reverse();
    for (const alert of news) print(json ? JSON.stringify(alert) : alertText(alert, at));
    known = new Set(active.map(({ id }) => id));
    over = new Set(recent.map(({ id }) => id));
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    report = await askAction<AlertsReport>(flags, 'alerts');
  }
}

function wholeNumber(what: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new OperatorRefused(`${what} must be a whole number, not ${text}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
