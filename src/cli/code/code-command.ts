import { existsSync, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { BundleFailed } from '../../hot-code/bundle.js';
import type {
  Held,
  ModuleReport,
  Prepared,
  Purge,
  Release,
  ReleaseRecord,
  VersionFigures,
} from '../../hot-code/index.js';
import type { ModuleText } from '../../ops/actions/code-actions.js';
import {
  askAction,
  type OperatorFlags,
  OperatorRefused,
  operatorOptions,
  toldPlainly,
} from '../operator-client.js';
import { type Built, buildModule, moduleName } from './build-module.js';
import { type ReleaseScript, readReleaseScript } from './release-script.js';
import { textDiff } from './text-diff.js';
import { compiled, typeCheck } from './type-check.js';

/** Loading waits for every scheduler to compile and try. */
const LOAD_MS_MAX = 30_000;
/** Editors write a file in several steps. */
const SAVE_MS = 100;

interface LoadFlags {
  readonly message?: string;
  readonly script?: string;
  readonly canary?: number;
  readonly promote?: boolean;
  readonly automatic: boolean;
  readonly suspend?: boolean | string[];
  readonly types: boolean;
  readonly extra?: unknown;
}

/** `rookery code`: the modules of a running server, and how to change them. */
export function codeCommand(): Command {
  const code = new Command('code')
    .summary('change the code of a running server')
    .description(
      `Changes modules of a running server while messages flow: no connection is closed, and a rollback takes as long as a message.
Modules are the files of src/chat/handlers; the name of a file is the name of its module.`,
    )
    .addHelpText(
      'after',
      `
Examples:
  rookery code list                                       what runs, and who runs it
  rookery code check src/chat/handlers/server-info.ts     types, build, exports and a dry run; nothing is changed
  rookery code load src/chat/handlers/server-info.ts -m "greets by name"
  rookery code load session.ts partition.ts --suspend     several modules as one release
  rookery code load session.ts --canary 5%                for a twentieth of the users; worse than before: it goes by itself
  rookery code rollback                                   the newest release is taken back
  rookery code rollback 3                                 all stands as it did behind release 3
  rookery code watch src/chat/handlers                    development: load whatever is saved`,
    );
  const flagsOf = (command: Command) => command.optsWithGlobals<OperatorFlags & { json?: boolean }>();
  const told =
    (body: (flags: OperatorFlags & { json?: boolean }, command: Command) => Promise<void>) =>
    (...args: unknown[]) => {
      const command = args.at(-1) as Command;
      return toldPlainly(async () => {
        try {
          await body(flagsOf(command), command);
        } catch (error) {
          if (!(error instanceof BundleFailed)) throw error;
          throw new OperatorRefused(error.message);
        }
      });
    };

  code
    .command('list')
    .summary('modules, versions, hashes, ages, and the processes on each version')
    .option('--json', 'as JSON')
    .action(
      told(async (flags) => {
        const list = await askAction<CodeList>(flags, 'code-list');
        print(flags.json === true ? JSON.stringify(list) : listInWords(list, Date.now()));
      }),
    );

  code
    .command('check')
    .summary('types, build, exports and a dry run on live states; nothing is changed')
    .argument('<file...>', 'files of modules')
    .option('--no-types', 'do not check types')
    .action(
      told(async (flags, command) => {
        const files = command.args;
        const built = await build(files, command.opts<LoadFlags>());
        const prepared = await askAction<Prepared>(
          flags,
          'code-check',
          { modules: sent(built) },
          LOAD_MS_MAX,
        );
        for (const { module, hash, text } of built) print(`${module} ${hash}, ${text.length} bytes`);
        print(`can be loaded${triedInWords(prepared)}`);
      }),
    );

  code
    .command('load')
    .summary('load modules as one release')
    .argument('[file...]', 'files of modules, in the order in which they become effective')
    .option('--script <file>', 'a release script (JSON): modules, suspend, message, extra; instead of files')
    .option('-m, --message <text>', 'what it is for, for the history')
    .option('--canary <share>', 'for this share of the users only, such as 5% or 0.05', shareIn)
    .option('--promote', 'a canary that has proved good becomes the current version by itself')
    .option('--no-automatic', 'a version that is worse than the one before stays all the same')
    .option(
      '--suspend [module...]',
      'change the state of all processes of these modules (or of all) before any of them goes on',
    )
    .option('--extra <json>', 'for the codeChange of the modules', jsonIn)
    .option('--no-types', 'do not check types')
    .option('--json', 'as JSON')
    .action(
      told(async (flags, command) => {
        const options = command.opts<LoadFlags>();
        if ((options.script === undefined) === (command.args.length === 0))
          throw new OperatorRefused('either files of modules (before --suspend) or a --script is wanted');
        if (options.script !== undefined && options.suspend !== undefined)
          throw new OperatorRefused('which modules are suspended stands in the --script');
        if (options.promote === true && (options.canary === undefined || !options.automatic))
          throw new OperatorRefused(
            '--promote is for a --canary that is looked at (not with --no-automatic)',
          );
        const script = options.script === undefined ? null : readReleaseScript(options.script);
        const built =
          script === null ? await build(command.args, options) : await buildScript(script, options);
        const release = await load(flags, built, script === null ? options : withScript(options, script));
        print(flags.json === true ? JSON.stringify(release) : releaseInWords(release));
      }),
    );

  code
    .command('rollback')
    .summary(
      'take the newest release back, or go to how all stood behind a release, or these modules one version back',
    )
    .argument(
      '[target...]',
      'the number of a release (0: the program as it was started), or names of modules',
    )
    .option('-m, --message <text>', 'why, for the history')
    .action(
      told(async (flags, command) => {
        const { message } = command.opts<{ message?: string }>();
        const params = { ...targetIn(command.args), ...(message === undefined ? {} : { message }) };
        print(releaseInWords(await askAction<Release>(flags, 'code-rollback', params, LOAD_MS_MAX)));
      }),
    );

  for (const [name, summary] of [
    ['promote', 'the canary becomes the current version'],
    ['withdraw', 'the canary is given up'],
  ] as const) {
    code
      .command(name)
      .summary(summary)
      .option('-m, --message <text>', 'why, for the history')
      .action(
        told(async (flags, command) => {
          const { message } = command.opts<{ message?: string }>();
          print(
            releaseInWords(
              await askAction<Release>(
                flags,
                `code-${name}`,
                message === undefined ? {} : { message },
                LOAD_MS_MAX,
              ),
            ),
          );
        }),
      );
  }

  code
    .command('purge')
    .summary('let go of previous versions that nobody runs any more')
    .argument('[module...]', 'names of modules; all, if none is named')
    .option('--hard', 'end the processes that still run them')
    .option('-m, --message <text>', 'why, for the history')
    .action(
      told(async (flags, command) => {
        const { hard = false, message } = command.opts<{ hard?: boolean; message?: string }>();
        const params = {
          ...(command.args.length === 0 ? {} : { modules: command.args.map(moduleName) }),
          ...(message === undefined ? {} : { message }),
          kill: hard,
        };
        const { purged, left, ended } = await askAction<Purge>(flags, 'code-purge', params, LOAD_MS_MAX);
        for (const module of purged) print(`${module}: the previous version is gone`);
        for (const held of ended) print(`${held.module}: ended ${holdersInWords(held)}`);
        for (const held of left) print(leftInWords(held));
        if (purged.length + left.length === 0) print('there is no previous version');
        if (left.length > 0) process.exitCode = 1;
      }),
    );

  code
    .command('history')
    .summary('releases and rollbacks: who, when, what and why')
    .option('--json', 'as JSON')
    .action(
      told(async (flags) => {
        const history = await askAction<readonly ReleaseRecord[]>(flags, 'code-history');
        if (flags.json === true) print(JSON.stringify(history));
        else print(history.length === 0 ? 'nothing was ever loaded' : history.map(recordInWords).join('\n'));
      }),
    );

  code
    .command('diff')
    .summary('what a file would change of what runs')
    .argument('<file>', 'file of a module')
    .option('--version <number>', 'of this version, not the current one', versionIn)
    .action(
      told(async (flags, command) => {
        const [file] = command.args as [string];
        const { version } = command.opts<{ version?: number }>();
        const built = await buildModule(file);
        const params = { module: built.module, ...(version === undefined ? {} : { version }) };
        const runs = await askAction<ModuleText>(flags, 'code-text', params);
        const name = `${built.module}, version ${runs.version}`;
        // What the program was started with was compiled, not built.
        const diff =
          runs.text === null
            ? textDiff(await compiled(runs.file), await compiled(built.path), name, file)
            : textDiff(runs.text, built.text, name, file);
        print(diff === '' ? 'no difference' : diff);
      }),
    );

  code
    .command('watch')
    .summary('development: load whatever is saved in a folder')
    .argument('<folder>', 'such as src/chat/handlers')
    .option('--no-types', 'do not check types')
    .action(
      told(async (flags, command) => {
        const [folder] = command.args as [string];
        await watchFolder(flags, resolve(folder), command.opts<LoadFlags>());
      }),
    );

  for (const command of code.commands) for (const option of operatorOptions()) command.addOption(option);
  return code;
}

interface CodeList {
  readonly modules: readonly ModuleReport[];
  readonly probations: readonly { readonly number: number; readonly ageMs: number }[];
  /** Schedulers that did not answer. */
  readonly silent: readonly string[];
}

/** What a rollback leads to: a number is a release, anything else the name of a module. @throws OperatorRefused */
function targetIn(args: readonly string[]): {
  readonly release?: number;
  readonly modules?: readonly string[];
} {
  if (args.length === 0) return {};
  const [first] = args as [string];
  if (!args.some((arg) => /^\d+$/.test(arg))) return { modules: args.map(moduleName) };
  if (args.length > 1) throw new OperatorRefused('either one release, by its number, or names of modules');
  return { release: Number(first) };
}

/** @throws BundleFailed */
async function build(files: readonly string[], { types, suspend }: Partial<LoadFlags>): Promise<Built[]> {
  const names = files.map(moduleName);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new OperatorRefused(`${twice} stands twice in the release`);
  const strange = (Array.isArray(suspend) ? suspend : []).filter((name) => !names.includes(moduleName(name)));
  if (strange.length > 0) {
    const them = strange.join(', ');
    throw new OperatorRefused(
      `--suspend ${them}: not in the release (files come before --suspend, or behind --)`,
    );
  }
  const suspended = (file: string) =>
    suspend === true || (Array.isArray(suspend) && suspend.map(moduleName).includes(moduleName(file)));
  const built: Built[] = [];
  for (const file of files) built.push(await buildModule(file, suspended(file)));
  for (const { file, warnings } of built) for (const warning of warnings) complain(`${file}: ${warning}`);
  if (types === false) return built;
  const { ok, output } = await typeCheck(built.map(({ path }) => path));
  if (ok === false) throw new BundleFailed(output);
  if (ok === null) complain(output);
  return built;
}

/** @throws BundleFailed */
async function buildScript({ modules }: ReleaseScript, { types }: Partial<LoadFlags>): Promise<Built[]> {
  const suspend = modules.filter((module) => module.suspend).map(({ file }) => file);
  return await build(
    modules.map(({ file }) => file),
    { suspend, ...(types === undefined ? {} : { types }) },
  );
}

/** What the command line says comes first. */
function withScript(options: LoadFlags, { message, extra }: ReleaseScript): LoadFlags {
  return { ...(message === '' ? {} : { message }), ...(extra === undefined ? {} : { extra }), ...options };
}

async function load(
  flags: OperatorFlags,
  built: readonly Built[],
  options: Partial<LoadFlags>,
): Promise<Release> {
  const { message, canary, promote = false, automatic = true, extra } = options;
  const params = {
    modules: sent(built),
    ...(message === undefined ? {} : { message }),
    promote,
    automatic,
    ...(canary === undefined ? {} : { canary }),
    ...(extra === undefined ? {} : { extra }),
  };
  return await askAction<Release>(flags, 'code-load', params, LOAD_MS_MAX);
}

function sent(built: readonly Built[]): readonly object[] {
  return built.map(({ module, text, imports, path, suspend }) => ({
    module,
    text,
    imports,
    file: path,
    suspend,
  }));
}

async function watchFolder(flags: OperatorFlags, folder: string, options: LoadFlags): Promise<void> {
  const known = new Set((await askAction<CodeList>(flags, 'code-list')).modules.map(({ module }) => module));
  const isModule = (name: string) => known.has(moduleName(name)) && /\.[jt]s$/.test(name);
  let names: string[];
  try {
    names = (await readdir(folder)).filter(isModule);
  } catch (error) {
    throw new OperatorRefused(`${folder} cannot be watched: ${(error as Error).message}`);
  }
  if (names.length === 0)
    throw new OperatorRefused(`${folder} has no modules: they are called ${[...known].join(', ')}`);
  const due = new Map<string, NodeJS.Timeout>();
  const loaded = new Map<string, string>();
  let busy: Promise<void> = Promise.resolve();
  const watcher = watch(folder, (_event, name) => {
    if (name === null || !isModule(name)) return;
    clearTimeout(due.get(name));
    due.set(
      name,
      setTimeout(() => {
        busy = busy.then(() => loadSaved(flags, join(folder, name), options, loaded));
      }, SAVE_MS),
    );
  });
  print(`watching ${names.length} modules in ${folder}: what is saved is loaded (end with Ctrl-C)`);
  await new Promise<never>((_, reject) => {
    watcher.on('error', (error) =>
      reject(new OperatorRefused(`${folder} cannot be watched any more: ${error.message}`)),
    );
  });
}

/** @param loaded the hashes of what was loaded last, by file: an editor that saves twice makes one release */
async function loadSaved(
  flags: OperatorFlags,
  file: string,
  options: LoadFlags,
  loaded: Map<string, string>,
): Promise<void> {
  // It is being replaced, or was removed: what is loaded stays.
  if (!existsSync(file)) return;
  try {
    const built = await build([file], { types: options.types });
    const [{ hash }] = built as [Built];
    if (loaded.get(file) === hash) return;
    print(releaseInWords(await load(flags, built, { ...options, message: 'saved' })));
    loaded.set(file, hash);
  } catch (error) {
    if (!(error instanceof BundleFailed || error instanceof OperatorRefused)) throw error;
    complain(error.message);
  }
}

// ---- words -------------------------------------------------------------------------------------------------------

function listInWords({ modules, probations, silent }: CodeList, now: number): string {
  const rows = [['module', 'version', 'hash', 'age', 'processes', 'calls', 'failed', '']];
  const row = (module: string, version: VersionFigures, what: string) => {
    const { number, hash, loadedAt, users, calls, failures } = version;
    rows.push([
      module,
      String(number),
      hash,
      ageInWords(now - loadedAt),
      String(users),
      String(calls),
      String(failures),
      what,
    ]);
  };
  for (const { module, current, previous, canary, canaryShare, differs } of modules) {
    row(module, current, differs === true ? 'not in all schedulers' : '');
    if (canary !== null) row('', canary, `canary, ${(canaryShare * 100).toFixed(1)} %`);
    if (previous !== null) row('', previous, 'previous');
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const table = rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  if (probations.length + silent.length > 0) table.push('');
  if (silent.length > 0) table.push(`without ${silent.join(', ')}: no answer`);
  for (const { number, ageMs } of probations)
    table.push(`release ${number} is on probation since ${ageInWords(ageMs)}`);
  return table.join('\n');
}

function releaseInWords({ record, preparedMs, effectiveMs, late, ...tried }: Release): string {
  const modules = record.modules.map(({ module, version }) => `${module} is version ${version}`).join(', ');
  const times = `ready after ${preparedMs.toFixed(0)} ms, effective ${effectiveMs.toFixed(1)} ms later`;
  const without =
    late.length === 0 ? '' : `; ${late.join(', ')} did not answer, and will follow as soon as it can`;
  return `release ${record.number} (${record.kind}): ${modules}; ${times}${triedInWords(tried)}${without}`;
}

function triedInWords({ tried, notTried }: { readonly tried: number; readonly notTried: number }): string {
  if (tried + notTried === 0) return '';
  return `; tried on ${tried} live states${notTried === 0 ? '' : `, ${notTried} could not be copied`}`;
}

function leftInWords(held: Held): string {
  if (held.users > 0)
    return `${held.module}: ${holdersInWords(held)} still ${held.users === 1 ? 'runs' : 'run'} the previous version; --hard would end ${held.users === 1 ? 'it' : 'them'}`;
  return `${held.module}: release ${held.probation} is on probation, and would go back to the previous version; --hard lets go of it`;
}

function holdersInWords({ users, processes }: Held): string {
  if (processes.length === 0) return `${users} ${users === 1 ? 'request' : 'requests'} under way`;
  const more = users > processes.length ? `, and ${users - processes.length} more` : '';
  return `${users} (${processes.join(', ')}${more})`;
}

function recordInWords({ number, kind, modules, author, message, at, evidence }: ReleaseRecord): string {
  const what = modules
    .map(({ module, version, hash }) => `${module}@${version}${hash === '' ? '' : ` ${hash}`}`)
    .join(', ');
  const why = [message, evidence].filter((text) => text !== undefined && text !== '').join(': ');
  return `${number}  ${new Date(at).toISOString()}  ${kind}  ${what}  by ${author}${why === '' ? '' : `  ${why}`}`;
}

function ageInWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

function shareIn(text: string): number {
  const share = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (!(share > 0 && share < 1))
    throw new InvalidArgumentError('a share is more than 0 % and less than 100 %, such as 5% or 0.05.');
  return share;
}

function versionIn(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a version is a number such as 3.');
  return Number(text);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`not JSON: ${(error as Error).message}.`);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}
