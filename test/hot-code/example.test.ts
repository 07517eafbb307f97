/** The example of the hot-code manual, as a program of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('a counter is changed twice and rolled back while it is being called', () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['examples/hot-code/main.js'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.match(lines.pop() ?? '', /^\d+ calls, \d+ answers, none lost and none twice$/);
  assert.deepEqual(lines, [
    'version 1 answers',
    '1: load: counter-2.ts',
    '1 live states were tried',
    'version 2 answers',
    '2: load: counter-3.ts',
    '0 live states were tried',
    'version 3 answers',
    '3: rollback: back to counter-2.ts',
    'version 2 answers',
  ]);
});
