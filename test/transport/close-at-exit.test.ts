import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('a worker thread that ends with open sockets does not take the process with it', () => {
  const host = fileURLToPath(new URL('./host-of-workers.js', import.meta.url));
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [host], { encoding: 'utf8' });
  assert.deepEqual(
    { status, signal, lines: stdout.trim().split('\n') },
    {
      status: 0,
      signal: null,
      lines: [
        'exit: exit 7',
        'error: error: a bug',
        'error: exit 1',
        'rejection: error: a rejected promise',
        'rejection: exit 1',
        'normal: exit 0',
        'close and exit: exit 7',
        'exit in a callback: exit 7',
        'error in a callback: error: a bug in a callback',
        'error in a callback: exit 1',
        'survived',
      ],
    },
    stderr,
  );
});
