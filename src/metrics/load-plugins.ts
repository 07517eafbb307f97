import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { GroupSource } from './reading.js';

/** A file that was named as a plug-in gives no groups. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
}

/**
 * Groups from JavaScript modules. Each exports `groups`: a GroupSource, a list of them, or a function that gives either, with or
 * without a promise. Whether the descriptions make sense is for `Groups.add` to say.
 *
 * @param files paths from the present folder.
 * @throws PluginError naming the file
 */
export async function loadPlugins(files: readonly string[]): Promise<readonly GroupSource[]> {
  const sources: GroupSource[] = [];
  for (const file of files) {
    let exported: unknown;
    try {
      const module = (await import(pathToFileURL(resolve(file)).href)) as { readonly groups?: unknown };
      exported =
        typeof module.groups === 'function' ? await (module.groups as () => unknown)() : module.groups;
    } catch (error) {
      throw new PluginError(`the plug-in ${file} cannot be loaded: ${(error as Error).message}`);
    }
    const list = Array.isArray(exported) ? (exported as unknown[]) : [exported];
    for (const source of list) {
      if (!isSource(source))
        throw new PluginError(`the plug-in ${file} must export groups: one GroupSource, or several`);
      sources.push(source);
    }
  }
  return sources;
}

function isSource(value: unknown): value is GroupSource {
  const source = value as Partial<GroupSource> | null | undefined;
  return (
    typeof source === 'object' &&
    source !== null &&
    typeof source.read === 'function' &&
    typeof source.description === 'object' &&
    Array.isArray(source.description?.columns)
  );
}
