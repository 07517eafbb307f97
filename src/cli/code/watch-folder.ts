import { existsSync, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BundleFailed } from '../../hot-code/bundle.js';
import { askAction, type OperatorFlags, OperatorRefused } from '../operator-client.js';
import { type Built, moduleName } from './build-module.js';
import { type CodeList, complain, print, releaseInWords } from './code-words.js';
import { build, type LoadFlags, load } from './load-modules.js';

/** Editors write a file in several steps. */
const SAVE_MS = 100;

/** Loads whatever module is saved in a folder, until it is ended. @throws OperatorRefused */
export async function watchFolder(flags: OperatorFlags, folder: string, options: LoadFlags): Promise<void> {
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
