import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, ConfigError, loadConfig } from './config.js';

const DEFAULT_NAME = 'rookery.toml';

/**
 * Finds the file (`--config`, else ROOKERY_CONFIG, else ./rookery.toml when it is there) and loads the
 * configuration. A file that was named must be readable.
 *
 * @param flags by setting name, as commander gives them, and `config`.
 * @throws ConfigError
 */
export function loadConfigWithFile(
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Config {
  const { config: named, ...settings } = flags;
  return loadConfig({ flags: settings, env, file: findFile(named, env['ROOKERY_CONFIG'], folder) });
}

function findFile(
  flag: unknown,
  variable: string | undefined,
  folder: string,
): { path: string; text: string } | null {
  const [source, path] = flag !== undefined ? ['--config', String(flag)] : ['ROOKERY_CONFIG', variable ?? ''];
  if (path !== '') {
    try {
      return { path, text: readFileSync(resolve(folder, path), 'utf8') };
    } catch (error) {
      throw new ConfigError([
        { setting: 'config', source, value: JSON.stringify(path), expected: (error as Error).message },
      ]);
    }
  }
  try {
    return { path: DEFAULT_NAME, text: readFileSync(join(folder, DEFAULT_NAME), 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new ConfigError([
      { setting: 'config', source: DEFAULT_NAME, value: '', expected: (error as Error).message },
    ]);
  }
}
