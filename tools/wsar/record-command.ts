import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { GroupDescription } from '../../src/metrics/reading.js';
import { rounded } from '../../src/metrics/recording/figure-codec.js';
import { RecordingWriter } from '../../src/metrics/recording/recording-writer.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { viewsOf } from './columns.js';
import { type Live, observe } from './live.js';
import { openLive } from './open-live.js';
import type { CommonFlags } from './options.js';
import { said } from './said.js';
import { parseDuration, parseSize } from './times.js';
import { untilAskedToEnd } from './watch.js';
import { WsarError } from './wsar-error.js';

interface Flags extends CommonFlags {
  readonly interval?: string;
  readonly folder: string;
  readonly keep: string;
  readonly fileMax: string;
  readonly background?: true;
}

/** `wsar record`: what a server does by itself, for another machine's server, or for this machine without one. */
export function recordCommand(): Command {
  const command = new Command('record')
    .summary('record a server from elsewhere, or this machine')
    .description(
      'Records into files of a folder until it is ended (Ctrl-C, SIGTERM). A server records by itself already; this is for recording it from another machine, or a machine without a server.',
    )
    .option('--folder <folder>', 'where to', './wsar')
    .option('--keep <size>', 'of all files together; the oldest are removed', '1GiB')
    .option('--file-max <size>', 'of one file; a new one is begun each day in any case', '64MiB')
    .option('--background', 'go on in the background, and say its process id')
    .action(() =>
      said(async () => {
        const flags = command.optsWithGlobals<Flags>();
        const isNamed = command.parent?.getOptionValueSource('operator') !== 'default';
        if (flags.background === true) goToBackground(flags);
        else await record(flags, isNamed);
      }),
    );
  return command;
}

async function record(flags: Flags, isNamed: boolean): Promise<void> {
  const note = (text: string) => void process.stderr.write(`wsar: ${text}\n`);
  const intervalMs = parseDuration(flags.interval ?? '1', '--interval');
  const live = await openLive(flags, isNamed, note);
  const groups = wantedGroups(flags, await live.describe());
  const names = new Set(groups.map(({ name }) => name));
  await untilAskedToEnd((signal) => recordUntil(live, names, intervalMs, flags, signal, note));
}

/** All of them, unless some were chosen; hardware counters only then, since perf would run all the time. */
function wantedGroups(flags: Flags, groups: readonly GroupDescription[]): readonly GroupDescription[] {
  if (flags.groups === undefined) return groups.filter(({ name }) => name !== 'hw');
  return viewsOf(groups, { groups: flags.groups, columns: null }).map(({ group }) => group);
}

async function recordUntil(
  live: Live,
  names: ReadonlySet<string>,
  intervalMs: number,
  flags: Flags,
  signal: AbortSignal,
  note: (text: string) => void,
): Promise<void> {
  const clock = new SystemClock();
  const begin = () =>
    new RecordingWriter({
      folder: resolve(flags.folder),
      clock,
      origin: {
        ...live.origin,
        cpus: live.origin.cpus ?? 0,
        run: `${live.origin.host}-${clock.wall()}`,
        intervalMs,
      },
      fileBytesMax: parseSize(flags.fileMax, '--file-max'),
      keepBytes: parseSize(flags.keep, '--keep'),
      onProblem: (error) => note(error.message),
    });
  let writer = begin();
  let groups: readonly GroupDescription[] = [];
  try {
    for await (const seen of observe(live, ({ name }) => names.has(name), intervalMs, signal)) {
      if (seen.type === 'note') note(seen.text);
      if (seen.type === 'restart') {
        // A file is of one run only.
        await writer.close();
        writer = begin();
      }
      if (seen.type !== 'sample') continue;
      const { tables } = seen.sample;
      const now = [...tables.values()].map(({ description }) => description);
      // A group that is left out of one reading is described all the same.
      if (now.some((one) => !groups.includes(one)))
        groups = [...groups.filter((one) => !now.some(({ name }) => name === one.name)), ...now];
      for (const { figures } of tables.values())
        for (let at = 0; at < figures.length; at++) figures[at] = rounded(figures[at]!);
      writer.append(seen.sample, groups);
    }
  } finally {
    await writer.close();
  }
}

/** The same again without a terminal; what it says goes into a file beside the recording. */
function goToBackground(flags: Flags): void {
  const folder = resolve(flags.folder);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new WsarError(`${folder} cannot be made: ${(error as Error).message}`);
  }
  const log = openSync(join(folder, 'wsar.log'), 'a', 0o600);
  const args = ['record', '--folder', folder, '--keep', flags.keep, '--file-max', flags.fileMax];
  if (flags.interval !== undefined) args.push('--interval', flags.interval);
  if (flags.local === true) args.push('--local');
  if (flags.groups !== undefined) args.push('--groups', flags.groups.join(','));
  for (const file of flags.plugin ?? []) args.push('--plugin', resolve(file));
  // The token goes by the environment: arguments can be seen by everybody on the machine.
  const env = {
    ...process.env,
    ROOKERY_OPERATOR: flags.operator,
    ...(flags.token === undefined ? {} : { ROOKERY_OPERATOR_TOKEN: flags.token }),
  };
  const program = fileURLToPath(new URL('./wsar.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    detached: true,
    env,
    stdio: ['ignore', log, log],
  });
  if (child.pid === undefined) throw new WsarError('the process in the background could not be started');
  child.unref();
  process.stdout.write(`recording into ${folder} (process ${child.pid}; kill it to end the recording)\n`);
}
