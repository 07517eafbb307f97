import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BundleFailed } from '../../hot-code/bundle.js';

/** What an appup is in OTP: the modules of a release in their order, and how each is changed. */
export interface ReleaseScript {
  readonly message: string;
  readonly modules: readonly { readonly file: string; readonly suspend: boolean }[];
  readonly extra: unknown;
}

/**
 * Reads a release script: JSON such as
 *
 * ```json
 * { "message": "typing is shown longer",
 *   "modules": [{ "file": "partition.ts", "suspend": true }, { "file": "session.ts" }],
 *   "extra": { "ms": 7000 } }
 * ```
 *
 * Files are relative to the script.
 *
 * @throws BundleFailed
 */
export function readReleaseScript(path: string): ReleaseScript {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new BundleFailed(`${path}: ${(error as Error).message}`);
  }
  const { message = '', modules, extra, ...others } = (given ?? {}) as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new BundleFailed(`${path}: there is no ${unknown} in a release script`);
  if (typeof message !== 'string') throw new BundleFailed(`${path}: message must be a text`);
  if (!Array.isArray(modules) || modules.length === 0)
    throw new BundleFailed(`${path}: modules must be a list of {"file": …, "suspend": …}, and not empty`);
  return {
    message,
    extra,
    modules: modules.map((module: unknown, index) => {
      const { file, suspend = false, ...rest } = (module ?? {}) as Record<string, unknown>;
      if (typeof file !== 'string' || typeof suspend !== 'boolean' || Object.keys(rest).length > 0)
        throw new BundleFailed(`${path}: modules[${index}] must be {"file": …, "suspend": true or false}`);
      return { file: resolve(dirname(path), file), suspend };
    }),
  };
}
