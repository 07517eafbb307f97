import { type Action, ActionRefused, type Asker } from '../action.js';
import { booleanParam, onlyParams, optionalText, textParam } from '../params.js';

type Params = Readonly<Record<string, unknown>>;

/** A module as `rookery code` has built it. */
export interface BuiltModule {
  /** Its name in the table: that of its file. */
  readonly module: string;
  /** CommonJS that stands for itself. */
  readonly text: string;
  readonly imports: readonly string[];
  /** Where it came from, for stack traces. */
  readonly file: string;
  /** All its processes are changed before any of them goes on. */
  readonly suspend: boolean;
}

export interface LoadRequest {
  readonly modules: readonly BuiltModule[];
  readonly message: string;
  /** Between 0 and 1: of the users so many; null: all. */
  readonly canary: number | null;
  readonly promote: boolean;
  readonly automatic: boolean;
  /** JSON, for `codeChange`. */
  readonly extra: unknown;
}

export interface ModuleText {
  readonly version: number;
  /** null: it is the program's own, which was not loaded. */
  readonly text: string | null;
  /** Where it came from. */
  readonly file: string;
}

/** What the server can do with its code; refusals are errors with a message for people. */
export interface Code {
  list(): Promise<unknown>;
  history(): unknown;
  text(module: string, version: number | null): Promise<ModuleText>;
  check(modules: readonly BuiltModule[]): Promise<unknown>;
  load(request: LoadRequest, asker: Asker): Promise<unknown>;
  /** Without a target the newest release; otherwise these modules, or to a release by its number. */
  rollback(target: readonly string[] | number | null, message: string, asker: Asker): Promise<unknown>;
  promote(message: string, asker: Asker): Promise<unknown>;
  withdraw(message: string, asker: Asker): Promise<unknown>;
  purge(modules: readonly string[] | null, kill: boolean, message: string, asker: Asker): Promise<unknown>;
}

/** Whether an error is a refusal, and in which words. */
export type RefusalOf = (error: unknown) => string | null;

/** `code-list`, `code-check`, `code-load`, … : what `rookery code` and the page ask for. */
export function codeActions(code: Code, refusalOf: RefusalOf): readonly Action[] {
  const action = (
    name: string,
    description: string,
    changes: boolean,
    run: (params: Params, asker: Asker) => unknown,
  ): Action => ({
    name,
    description,
    changes,
    async run(params, asker) {
      try {
        return await run(params, asker);
      } catch (error) {
        const refusal = refusalOf(error);
        throw refusal === null ? error : new ActionRefused(409, refusal);
      }
    },
  });
  return [
    action(
      'code-list',
      'The modules that can be changed, their versions, and who runs them.',
      false,
      (params) => {
        onlyParams(params);
        return code.list();
      },
    ),
    action('code-history', 'Releases and rollbacks, oldest first.', false, (params) => {
      onlyParams(params);
      return code.history();
    }),
    action('code-text', 'The text of a version.', false, (params) => {
      onlyParams(params, 'module', 'version');
      return code.text(textParam(params, 'module'), numberIn(params, 'version'));
    }),
    action(
      'code-check',
      'Whether modules could be loaded: compiled, checked and tried, but not loaded.',
      false,
      (params) => {
        onlyParams(params, 'modules');
        return code.check(modulesIn(params));
      },
    ),
    action('code-load', 'Loads modules as one release.', true, (params, asker) => {
      onlyParams(params, 'modules', 'message', 'canary', 'promote', 'automatic', 'extra');
      const canary = params['canary'] ?? null;
      if (canary !== null && !(typeof canary === 'number' && canary > 0 && canary < 1))
        throw new ActionRefused(400, `canary must be a share between 0 and 1, not ${JSON.stringify(canary)}`);
      const request: LoadRequest = {
        modules: modulesIn(params),
        message: optionalText(params, 'message') ?? '',
        canary,
        promote: booleanParam(params, 'promote'),
        automatic: params['automatic'] === undefined || booleanParam(params, 'automatic'),
        extra: params['extra'],
      };
      return code.load(request, asker);
    }),
    action(
      'code-rollback',
      'Takes the newest release back, or these modules to their previous versions, or all to how it stood behind a release.',
      true,
      (params, asker) => {
        onlyParams(params, 'modules', 'release', 'message');
        const release = numberIn(params, 'release');
        const modules = namesIn(params);
        if (release !== null && modules !== null)
          throw new ActionRefused(400, 'either modules or a release can be gone back to');
        return code.rollback(release ?? modules, optionalText(params, 'message') ?? '', asker);
      },
    ),
    action('code-promote', 'Canaries become the current versions.', true, (params, asker) => {
      onlyParams(params, 'message');
      return code.promote(optionalText(params, 'message') ?? '', asker);
    }),
    action('code-withdraw', 'Canaries are given up.', true, (params, asker) => {
      onlyParams(params, 'message');
      return code.withdraw(optionalText(params, 'message') ?? '', asker);
    }),
    action(
      'code-purge',
      'Lets go of previous versions that nobody runs, or, with kill, ends who runs them.',
      true,
      (params, asker) => {
        onlyParams(params, 'modules', 'kill', 'message');
        const message = optionalText(params, 'message') ?? '';
        return code.purge(namesIn(params), booleanParam(params, 'kill'), message, asker);
      },
    ),
  ];
}

/** null: it is not there. */
function numberIn(params: Params, name: string): number | null {
  const { [name]: number } = params;
  if (number === undefined || number === null) return null;
  if (!Number.isSafeInteger(number) || (number as number) < 0)
    throw new ActionRefused(400, `${name} must be a number such as 3, not ${JSON.stringify(number)}`);
  return number as number;
}

function namesIn(params: Params): readonly string[] | null {
  const { modules } = params;
  if (modules === undefined || modules === null) return null;
  if (!Array.isArray(modules) || modules.length === 0 || !modules.every((name) => typeof name === 'string'))
    throw new ActionRefused(
      400,
      `modules must be a list of names, not ${JSON.stringify(modules).slice(0, 100)}`,
    );
  return modules;
}

function modulesIn(params: Params): readonly BuiltModule[] {
  const { modules } = params;
  if (!Array.isArray(modules) || modules.length === 0)
    throw new ActionRefused(400, 'modules must be a list of modules, and not empty');
  const names = new Set<string>();
  return modules.map((given: unknown): BuiltModule => {
    const { module, text, imports, file, suspend = false } = (given ?? {}) as Record<string, unknown>;
    if (typeof module !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(module))
      throw new ActionRefused(400, `module must be a name such as block-add, not ${JSON.stringify(module)}`);
    if (names.has(module)) throw new ActionRefused(400, `${module} stands twice in the release`);
    names.add(module);
    if (typeof text !== 'string' || text === '') throw new ActionRefused(400, `${module} has no text`);
    if (!Array.isArray(imports) || !imports.every((one) => typeof one === 'string'))
      throw new ActionRefused(400, `imports of ${module} must be a list of names`);
    if (typeof suspend !== 'boolean')
      throw new ActionRefused(400, `suspend of ${module} must be true or false`);
    return { module, text, imports, file: typeof file === 'string' ? file : module, suspend };
  });
}
