/** The manuals show programs: each compiles as strictly as the rest, runs, and prints what it says that it prints. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../support/test-server.js';
import { type Example, examplesIn, examplesOf } from './examples.js';

/** Modules whose docstring is a manual: each has a program. */
const MANUALS = [
  'src/actors/behaviours/gen-server.ts',
  'src/actors/behaviours/gen-statem.ts',
  'src/actors/behaviours/sys.ts',
  'src/actors/behaviours/task.ts',
  'src/actors/proc-lib.ts',
  'src/applications/application.ts',
  'src/registry/process-groups.ts',
  'src/registry/registry.ts',
  'src/actors/request-id.ts',
  'src/supervisors/dynamic-supervisor.ts',
  'src/supervisors/partition-supervisor.ts',
  'src/supervisors/supervisor.ts',
  'src/supervisors/task-supervisor.ts',
];

const RUN_MS = 30_000;
const examples = examplesIn(ROOT, [
  'src/actors',
  'src/applications',
  'src/supervisors',
  'src/registry',
  'src/testing.ts',
]);

/** Compiles all of them at once, inside the package, so that they find `rookery` as a project that depends on it does. */
function compiled(programs: readonly Example[]): { readonly folder: string; readonly failure: string } {
  const folder = mkdtempSync(join(ROOT, 'dist/examples-'));
  programs.forEach((example, at) => {
    writeFileSync(join(folder, `${nameOf(example, at)}.ts`), example.code);
  });
  const options = { rootDir: '.', outDir: '.', declaration: false, sourceMap: false, noUnusedLocals: false };
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: options,
    include: ['*.ts'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  return { folder, failure: status === 0 ? '' : `${stdout}${stderr}` };
}

function nameOf({ file }: Example, at: number): string {
  return `${basename(file, '.ts')}-${at}`;
}

test('every manual has a program', () => {
  const files = new Set(examples.map(({ file }) => file));
  for (const manual of MANUALS) {
    assert.ok(files.has(manual), `${manual} has no program in its docstring`);
    assert.ok(readFileSync(join(ROOT, manual), 'utf8').includes('// → '), `${manual} prints nothing`);
  }
});

test('what a docstring shows is found with its place and what it prints', () => {
  const text = [
    '/**',
    ' * Text.',
    ' *',
    ' * ```ts',
    ' * console.log(1); // → 1',
    ' *',
    ' *   // → 2 3',
    ' * ```',
    ' */',
    'const x = "```ts";',
  ];
  assert.deepEqual(examplesOf('a.ts', text.join('\n')), [
    { file: 'a.ts', line: 4, code: 'console.log(1); // → 1\n\n  // → 2 3\n', output: ['1', '2 3'] },
  ]);
});

describe('programs in docstrings', () => {
  const { folder, failure } = compiled(examples);
  test('compile', () => assert.equal(failure, ''));
  examples.forEach((example, at) => {
    test(`${example.file}:${example.line}`, () => {
      const { status, stdout, stderr, error } = spawnSync(
        process.execPath,
        [join(folder, `${nameOf(example, at)}.js`)],
        { encoding: 'utf8', timeout: RUN_MS },
      );
      assert.deepEqual({ status, stderr, error }, { status: 0, stderr: '', error: undefined });
      assert.deepEqual(stdout.split('\n').slice(0, -1), example.output);
    });
  });
  test('the folder goes', () => rmSync(folder, { recursive: true }));
});
