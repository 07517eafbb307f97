import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { BundleFailed } from '../../hot-code/bundle.js';
import type { Prepared, Purge, Release, ReleaseRecord } from '../../hot-code/index.js';
import type { ModuleText } from '../../ops/actions/code-actions.js';
import {
  askAction,
  type OperatorFlags,
  OperatorRefused,
  operatorOptions,
  toldPlainly,
} from '../operator-client.js';
import { type Built, buildModule, moduleName } from './build-module.js';
import {
  type CodeList,
  holdersInWords,
  leftInWords,
  listInWords,
  print,
  recordInWords,
  releaseInWords,
  triedInWords,
} from './code-words.js';
import { build, LOAD_MS_MAX, type LoadFlags, load, sent } from './load-modules.js';
import { type ReleaseScript, readReleaseScript } from './release-script.js';
import { textDiff } from './text-diff.js';
import { compiled } from './type-check.js';
import { watchFolder } from './watch-folder.js';

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
    .option('--of <version>', 'what it would change of this version, not of the current one', versionIn)
    .action(
      told(async (flags, command) => {
        const [file] = command.args as [string];
        const { of: version } = command.opts<{ of?: number }>();
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
