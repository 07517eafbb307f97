import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { BundleFailed } from '../../hot-code/bundle.js';

export interface TypeCheck {
  /** null: TypeScript is not installed here. */
  readonly ok: boolean | null;
  /** What the compiler says. */
  readonly output: string;
}

/** How long the compiler may take. */
const TIMEOUT_MS = 120_000;

/** Checks the types of files as the project does to which they belong: with the settings of the next tsconfig.json above them. */
export function typeCheck(files: readonly string[]): Promise<TypeCheck> {
  return inProject(files, () => ({ noEmit: true, skipLibCheck: true }));
}

/**
 * What the project's compiler makes of a file, whatever its types are: to be compared with what it has made before.
 *
 * @throws BundleFailed if it cannot be compiled here
 */
export async function compiled(file: string): Promise<string> {
  const path = resolve(file);
  if (/\.m?js$/.test(path)) return withoutMap(readFileSync(path, 'utf8'));
  let text: string | null = null;
  const { output } = await inProject(
    [path],
    (outDir) => ({ outDir, noCheck: true, noResolve: true, sourceMap: false, declaration: false }),
    (outDir) => {
      const out = join(outDir, path.replace(/ts$/, 'js'));
      if (existsSync(out)) text = withoutMap(readFileSync(out, 'utf8'));
    },
  );
  if (text === null) throw new BundleFailed(output);
  return text;
}

function withoutMap(text: string): string {
  return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
}

/** Runs the compiler over a project of these files alone. */
async function inProject(
  files: readonly string[],
  options: (outDir: string) => object,
  done: (outDir: string) => void = () => {},
): Promise<TypeCheck> {
  const paths = files.map((file) => resolve(file));
  const config = configAbove(dirname(paths[0] as string));
  const compiler = compilerFor(config ?? import.meta.url);
  if (compiler === null)
    return { ok: null, output: 'TypeScript is not installed here: types were not checked' };
  const folder = mkdtempSync(join(tmpdir(), 'rookery-check-'));
  try {
    const own = join(folder, 'tsconfig.json');
    const outDir = join(folder, 'out');
    const compilerOptions = {
      composite: false,
      incremental: false,
      ...options(outDir),
      rootDir: '/',
      ...(config === null
        ? { target: 'ES2023', module: 'NodeNext', strict: true }
        : { typeRoots: [join(dirname(config), 'node_modules', '@types')] }),
    };
    const settings = {
      ...(config === null ? {} : { extends: config }),
      compilerOptions,
      files: paths,
      include: [],
    };
    writeFileSync(own, JSON.stringify(settings));
    const checked = await run(compiler, ['-p', own, '--pretty', 'false']);
    done(outDir);
    return checked;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function configAbove(from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'tsconfig.json');
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) return null;
  }
}

function compilerFor(from: string): string | null {
  try {
    const manifest = createRequire(from).resolve('typescript/package.json');
    const path = join(dirname(manifest), 'bin', 'tsc');
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

function run(compiler: string, args: readonly string[]): Promise<TypeCheck> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [compiler, ...args], { timeout: TIMEOUT_MS });
    let output = '';
    child.stdout.on('data', (text) => {
      output += String(text);
    });
    child.stderr.on('data', (text) => {
      output += String(text);
    });
    child.on('error', (error) => done({ ok: false, output: error.message }));
    child.on('exit', (code) => done({ ok: code === 0, output: output.trim() }));
  });
}
