/**
 * The package as somebody else gets it: packed, put into an empty project without any other package, and used as
 * docs/tutorial.md says. Its programs compile under strict rules and print what the page says.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ROOT } from '../support/test-server.js';

interface Program {
  readonly file: string;
  readonly code: string;
  /** What it prints; null if it is only imported by others. */
  readonly output: string | null;
}

/** `file.ts`:, its code, and the output if there is one. */
function programsOf(page: string): Program[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = text.matchAll(/^`([\w-]+\.ts)`:\n\n```ts\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?/gms);
  return [...blocks].map(([, file, code, output]) => ({ file: file!, code: code!, output: output ?? null }));
}

/** The package as npm would install it. Packed once, without its scripts: the build is there, the test runs from it. */
const packed = mkdtempSync(join(tmpdir(), 'rookery-package-'));
before(() => {
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', packed], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  const file = readdirSync(packed).find((name) => name.endsWith('.tgz'));
  assert.ok(file !== undefined, 'npm pack made no file');
  execFileSync('tar', ['xzf', file], { cwd: packed });
});
after(() => rmSync(packed, { recursive: true, force: true }));

/** An empty project with the package in it, and nothing else. */
function project(t: TestContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'node_modules'));
  cpSync(join(packed, 'package'), join(folder, 'node_modules/rookery'), { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'hello', private: true, type: 'module' }),
  );
  return folder;
}

function compile(folder: string, files: readonly string[], flags: readonly string[]): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), ...flags, ...files],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  return stdout + stderr;
}

const STRICT = ['--strict', '--target', 'es2023', '--module', 'nodenext'];

test('the tutorial compiles and prints what it says, with nothing but the package', (t) => {
  const programs = programsOf('docs/tutorial.md');
  const files = programs.map(({ file }) => file);
  assert.deepEqual(files, ['hello.ts', 'counter.ts', 'count.ts', 'supervised.ts', 'pages.ts', 'later.ts']);
  const folder = project(t);
  for (const { file, code } of programs) writeFileSync(join(folder, file), code);
  // Without skipLibCheck: the declarations of the package are checked too, and need no other types.
  assert.equal(compile(folder, files, [...STRICT, '--types', '']), '');
  for (const { file, output } of programs) {
    if (output === null) continue;
    const run = spawnSync(process.execPath, [file.replace('.ts', '.js')], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(run.stdout, output, `${file}: ${run.stderr}`);
    assert.equal(run.status, 0);
  }
});

test('what does not fit does not compile', (t) => {
  const folder = project(t);
  writeFileSync(
    join(folder, 'wrong.ts'),
    `import { defaultRuntime, GenServer, Registry, send, type ServerPid, spawn } from 'rookery';
const pid = spawn<string>(() => ({ receive() {} }));
send(pid, 42);
const pages = new Registry<string, undefined, ServerPid<readonly ['get', number]>>(defaultRuntime());
GenServer.call(defaultRuntime(), pages.via('x'), 'put');
pages.whereis(7);
`,
  );
  const errors = compile(folder, ['wrong.ts'], [...STRICT, '--noEmit', '--types', '']);
  const lines = [...errors.matchAll(/^wrong\.ts\((\d+),/gm)].map(([, line]) => Number(line));
  assert.deepEqual(lines, [3, 5, 6], errors);
});

test('the command runs without the packages of the server, and says which the server needs', (t) => {
  const folder = project(t);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    assert.equal(manifest.peerDependencies[name], undefined);
    if (name.includes('/')) mkdirSync(join(folder, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  // A folder above may have them all the same.
  writeFileSync(
    join(folder, 'without.cjs'),
    `const Module = require('node:module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (!['better-sqlite3', 'uWebSockets.js'].includes(name)) return resolve.call(this, name, ...rest);
  throw Object.assign(new Error('not here: ' + name), { code: 'MODULE_NOT_FOUND' });
};
`,
  );
  const rookery = (...words: string[]) =>
    spawnSync(
      process.execPath,
      ['--require', './without.cjs', 'node_modules/rookery/dist/src/cli/rookery.js', ...words],
      { cwd: folder, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' },
    );
  const help = rookery('--help');
  assert.equal(help.status, 0, help.stderr);
  assert.match(help.stdout, /rookery start/);
  // The second command of the package, linked and made executable as npm does it.
  const bin = (
    JSON.parse(readFileSync(join(folder, 'node_modules/rookery/package.json'), 'utf8')) as {
      bin: Record<string, string>;
    }
  ).bin;
  mkdirSync(join(folder, 'node_modules/.bin'));
  chmodSync(join(folder, 'node_modules/rookery', bin['wsar']!), 0o755);
  symlinkSync(join('../rookery', bin['wsar']!), join(folder, 'node_modules/.bin/wsar'));
  const wsar = spawnSync('npx', ['--no-install', 'wsar', '0.1', '1', '--local', '--json', '-g', 'os,disk'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, NODE_OPTIONS: '--require ./without.cjs' },
  });
  assert.equal(wsar.status, 0, wsar.stderr);
  assert.match(wsar.stdout, /^\{"type":"begin".*\n\{"type":"interval".*"groups":\{"os":/);
  const start = rookery('start', '--port', '0', '--operator-port', '0');
  assert.equal(start.status, 1, start.stderr);
  assert.match(start.stderr, /npm install better-sqlite3@\S+ uWebSockets\.js@npm:uws-pack@\S+/);
});
