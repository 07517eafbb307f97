/**
 * Builds the native guard for this Node (`npm ci` runs it, or by hand: `node native/install.js`). Never fails: where it
 * cannot be built everything else works, and this says so in one line. Does nothing when it is built already.
 * `ROOKERY_NO_NATIVE=1` leaves it out.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const sources = ['binding.gyp', 'slice-guard.cc'];
/** src/schedulers/native-guard.ts looks here. */
const folder = join(here, 'bin', `${process.platform}-${process.arch}-${process.versions.modules}`);
const BUILD_MS_MAX = 180_000;

/** What the built file belongs to: the sources, and the ABI. */
function fingerprint() {
  const hash = createHash('sha256').update(process.versions.modules);
  for (const name of sources) hash.update(readFileSync(join(here, name)));
  return hash.digest('hex');
}

/** npm says where its node-gyp is; without npm it is looked for where npm lies beside Node. */
function findNodeGyp() {
  const prefix = dirname(dirname(process.execPath));
  const candidates = [
    process.env.npm_config_node_gyp,
    join(prefix, 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
    join(dirname(process.execPath), 'node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
    '/usr/share/nodejs/node-gyp/bin/node-gyp.js',
  ];
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null;
}

/** Node's own headers when they lie beside it; else node-gyp has to fetch them. */
function findHeaders() {
  for (const prefix of [process.env.npm_config_nodedir, dirname(dirname(process.execPath))]) {
    if (prefix === undefined || prefix === '') continue;
    const header = join(prefix, 'include/node/node_version.h');
    if (!existsSync(header)) continue;
    const text = readFileSync(header, 'utf8');
    const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
    if (`${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.versions.node) return prefix;
  }
  return null;
}

/** Null when it was built, or why not. */
function build(stamp) {
  const nodeGyp = findNodeGyp();
  if (nodeGyp === null) return 'node-gyp was not found';
  const work = mkdtempSync(join(tmpdir(), 'rookery-native-'));
  try {
    for (const name of sources) cpSync(join(here, name), join(work, name));
    const headers = findHeaders();
    const options = headers === null ? [] : [`--nodedir=${headers}`];
    const done = spawnSync(process.execPath, [nodeGyp, 'rebuild', ...options], {
      cwd: work,
      encoding: 'utf8',
      timeout: BUILD_MS_MAX,
      maxBuffer: 2 ** 26,
    });
    if (done.error !== undefined) return done.error.message;
    const output = `${done.stdout}\n${done.stderr}`;
    if (done.status !== 0) return firstError(output) ?? `node-gyp ended with ${done.status ?? done.signal}`;
    mkdirSync(folder, { recursive: true });
    // A server that runs has the old file mapped: it must not change under it.
    cpSync(join(work, 'build/Release/slice_guard.node'), join(folder, 'new.node'));
    renameSync(join(folder, 'new.node'), join(folder, 'slice-guard.node'));
    writeFileSync(join(folder, 'fingerprint'), stamp);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function firstError(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const found =
    lines.find((line) => /(fatal )?error: /.test(line)) ??
    lines.find((line) => /^gyp ERR! stack Error: (?!`make`)/.test(line)) ??
    lines.find((line) => /^gyp ERR! stack Error: /.test(line));
  return found?.replace(/^gyp ERR! stack Error: /, '');
}

function main() {
  if (process.env.ROOKERY_NO_NATIVE === '1') return 'ROOKERY_NO_NATIVE is set';
  const stamp = fingerprint();
  const file = join(folder, 'fingerprint');
  if (existsSync(file) && readFileSync(file, 'utf8') === stamp) return null;
  return build(stamp);
}

let why;
try {
  why = main();
} catch (error) {
  why = error instanceof Error ? error.message : String(error);
}
if (why !== null) {
  console.log(
    `rookery: the native guard was not built (${why}). Everything works without it, but a process that never returns holds up its scheduler.`,
  );
}
