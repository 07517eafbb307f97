import { BundleFailed } from '../../hot-code/bundle.js';
import type { Release } from '../../hot-code/index.js';
import { askAction, type OperatorFlags, OperatorRefused } from '../operator-client.js';
import { type Built, buildModule, moduleName } from './build-module.js';
import { complain } from './code-words.js';
import { typeCheck } from './type-check.js';

/** Loading waits for every scheduler to compile and try. */
export const LOAD_MS_MAX = 30_000;

export interface LoadFlags {
  readonly message?: string;
  readonly script?: string;
  readonly canary?: number;
  readonly promote?: boolean;
  readonly automatic: boolean;
  readonly suspend?: boolean | string[];
  readonly types: boolean;
  readonly extra?: unknown;
}

/** @throws BundleFailed */
export async function build(
  files: readonly string[],
  { types, suspend }: Partial<LoadFlags>,
): Promise<Built[]> {
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

export async function load(
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

export function sent(built: readonly Built[]): readonly object[] {
  return built.map(({ module, text, imports, path, suspend }) => ({
    module,
    text,
    imports,
    file: path,
    suspend,
  }));
}
