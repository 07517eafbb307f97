/**
 * Runs the compiled tests: `node dist/test/run.js [fast|slow|e2e] [name…]`.
 *
 * fast: everything that mirrors src. slow: faults over real processes.
 * e2e: a real browser. Names narrow the run to files whose path contains one of them. Node 20's runner has no
 * globs, so the files are listed here; the runner's own closing lines and exit code are passed on.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const slowFolders: Record<string, readonly string[]> = {
  slow: ['fault', 'erlang'],
  e2e: ['e2e'],
};

function tierOf(file: string): string {
  const top = relative(root, file).split('/')[0] ?? '';
  for (const [tier, folders] of Object.entries(slowFolders)) if (folders.includes(top)) return tier;
  return 'fast';
}

const [tier = 'fast', ...names] = process.argv.slice(2);
if (!['fast', 'slow', 'e2e'].includes(tier)) {
  console.error(`unknown tier "${tier}": fast, slow or e2e`);
  process.exit(2);
}
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => join(root, name))
  .filter((file) => tierOf(file) === tier)
  .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
  .sort();
if (files.length === 0) {
  console.error(`no test files in tier "${tier}"${names.length > 0 ? ` match ${names.join(', ')}` : ''}`);
  process.exit(1);
}
const result = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--test-reporter=spec',
    '--test',
    '--test-concurrency',
    tier === 'fast' ? '2' : '1',
    ...files,
  ],
  { stdio: 'inherit' },
);
process.exit(result.status ?? 1);
