import { compileFunction } from 'node:vm';
import type { CodeText } from './operation.js';

/** Loads what code requires by `import()`: Node's modules, packages, and what the program itself has loaded. */
export type ImportModule = (specifier: string) => Promise<object>;

/** A step on the way from a text to its exports that failed: `compile` or `run`. */
export class CompileFailed extends Error {
  override readonly name = 'CompileFailed';
  constructor(
    readonly step: 'compile' | 'run',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Runs a text once and returns what it exports. Nothing but what is returned keeps the code in memory: neither Node nor V8 has a
 * table of what `vm.compileFunction` has compiled, unlike `import`, `require` and `vm.SourceTextModule`, which never let go.
 *
 * @throws CompileFailed
 */
export async function compile(
  code: CodeText,
  importModule: ImportModule,
): Promise<Readonly<Record<string, unknown>>> {
  const required = new Map<string, object>();
  for (const specifier of code.imports) {
    try {
      required.set(specifier, await importModule(specifier));
    } catch (error) {
      throw new CompileFailed('compile', `${specifier} cannot be loaded: ${(error as Error).message}`);
    }
  }
  const filename = `${code.file}@${code.number}`;
  let run: (module: object, exports: object, require: (specifier: string) => object) => void;
  try {
    run = compileFunction(code.text, ['module', 'exports', 'require'], { filename }) as typeof run;
  } catch (error) {
    throw new CompileFailed('compile', (error as Error).stack?.split('\n    at ')[0] ?? String(error));
  }
  const module = { exports: {} as Record<string, unknown> };
  try {
    run(module, module.exports, (specifier) => {
      const found = required.get(specifier);
      if (found === undefined) throw new Error(`${specifier} was not announced as an import`);
      return found;
    });
  } catch (error) {
    throw new CompileFailed('run', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return module.exports;
}
