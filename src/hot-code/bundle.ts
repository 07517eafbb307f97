import { createHash } from 'node:crypto';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { BuildFailure, Plugin } from 'esbuild';

/** A file cannot be built. The message says where and why, as a compiler does. */
export class BundleFailed extends Error {
  override readonly name = 'BundleFailed';
}

/** A self-contained text in CommonJS. */
export interface Bundle {
  readonly text: string;
  /** SHA-256 of the text, the first 12 hexadecimal digits. */
  readonly hash: string;
  /** What it requires from outside of itself. */
  readonly imports: readonly string[];
  readonly warnings: readonly string[];
}

export interface BundleOptions {
  /**
   * The sources that the running program was built from: what lies in there is not built in but required, as `<scheme>:<path>.js`, so
   * that new code works with the classes and tables that are there. Everything else that is imported by a path is built in.
   */
  readonly shared?: {
    readonly folder: string;
    readonly scheme: string;
    /** A folder in there whose files are built in all the same. */
    readonly except?: string;
  };
}

/**
 * Builds a TypeScript or JavaScript file for the module table, with what it imports by relative paths; packages and Node's modules
 * are required. The same file gives the same text.
 *
 * @throws BundleFailed
 */
export async function bundle(file: string, options: BundleOptions = {}): Promise<Bundle> {
  const { build } = await esbuild();
  const entry = resolve(file);
  const imports = new Set<string>();
  try {
    const { outputFiles, warnings } = await build({
      entryPoints: [entry],
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      write: false,
      // An Error's stack names the line of this text; a source map would be kept by Node for as long as it runs.
      sourcemap: false,
      legalComments: 'none',
      charset: 'utf8',
      logLevel: 'silent',
      absWorkingDir: dirname(entry),
      plugins: [outside(entry, imports, options)],
    });
    const text = outputFiles[0]!.text;
    return {
      text,
      hash: hashOf(text),
      imports: [...imports].filter((specifier) => text.includes(JSON.stringify(specifier))).sort(),
      warnings: warnings.map(placed),
    };
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    throw new BundleFailed(errors.map(placed).join('\n'));
  }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** An optional peer: a server that loads nothing does without. */
async function esbuild(): Promise<typeof import('esbuild')> {
  try {
    return await import('esbuild');
  } catch (error) {
    throw new BundleFailed(
      `modules are built by esbuild, which is not installed here (npm install esbuild): ${(error as Error).message}`,
    );
  }
}

function placed({
  text,
  location,
}: {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}): string {
  return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

/** Keeps what is not built in out, under the name by which it will be required. */
function outside(entry: string, imports: Set<string>, { shared }: BundleOptions): Plugin {
  const external = (path: string) => {
    imports.add(path);
    return { path, external: true, sideEffects: false };
  };
  return {
    name: 'outside',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind, resolveDir }) => {
        if (kind === 'entry-point') return undefined;
        if (kind === 'dynamic-import')
          return {
            errors: [
              { text: `import(${JSON.stringify(path)}) cannot be changed later: import it at the top` },
            ],
          };
        if (!path.startsWith('.') && !isAbsolute(path)) return external(path);
        const target = resolve(resolveDir, path);
        if (shared === undefined || target === entry) return undefined;
        const within = relative(resolve(shared.folder), target);
        if (within.startsWith('..') || isAbsolute(within)) return undefined;
        if (shared.except !== undefined && target.startsWith(shared.except)) return undefined;
        return external(`${shared.scheme}:${within.split(sep).join('/').replace(/\.ts$/, '.js')}`);
      });
    },
  };
}
