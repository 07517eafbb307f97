import { existsSync } from 'node:fs';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { SHARED_SCHEME } from '../../app/import-module.js';
import { type Bundle, BundleFailed, bundle } from '../../hot-code/bundle.js';
import type { BuiltModule } from '../../ops/actions/code-actions.js';

/** The leaves: what they import of each other is built in, all other sources of the server are shared. */
const LEAVES = join('chat', 'handlers');

export interface Built extends BuiltModule {
  readonly hash: string;
  readonly warnings: readonly string[];
  /** Where the file is, in full. */
  readonly path: string;
}

/** A module's name is that of its file: src/chat/handlers/block-add.ts is `block-add`. */
export function moduleName(file: string): string {
  return basename(file, extname(file));
}

/** The folder `src` of the server's sources in which a file lies; null if it lies elsewhere. */
export function sourcesOf(file: string): string | null {
  for (let folder = dirname(resolve(file)); folder !== dirname(folder); folder = dirname(folder)) {
    if (basename(folder) === 'src' && existsSync(join(folder, LEAVES))) return folder;
  }
  return null;
}

/**
 * Builds a file for the running server.
 *
 * @throws BundleFailed with file, line and column
 */
export async function buildModule(file: string, suspend = false): Promise<Built> {
  const path = resolve(file);
  if (!existsSync(path)) throw new BundleFailed(`${file}: there is no such file`);
  if (!['.ts', '.js', '.mts', '.mjs'].includes(extname(path)))
    throw new BundleFailed(`${file}: a module is written in TypeScript or JavaScript (.ts, .js)`);
  const folder = sourcesOf(path);
  const built: Bundle = await bundle(
    path,
    folder === null ? {} : { shared: { folder, scheme: SHARED_SCHEME, except: join(folder, LEAVES) + sep } },
  );
  return { module: moduleName(path), file, path, suspend, ...built };
}
