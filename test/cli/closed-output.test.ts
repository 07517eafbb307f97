/** Commands whose output nobody reads any more end quietly; a server goes on. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/temporary-folder.js';
import { ROOT, spawnRookery, TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

/** What a command said on standard error, and how it ended, when its output was closed: at once, or after its first words. */
async function closed(t: TestContext, child: ChildProcess, afterWords = false) {
  t.after(() => child.kill('SIGKILL'));
  child.stdin?.end();
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  if (afterWords) await within('its first words', once(child.stdout!, 'data'));
  child.stdout!.destroy();
  const [code, signal] = await within('its end', ended);
  return { code, signal, errors };
}

const QUIETLY = { code: 0, signal: null, errors: '' };

for (const args of [['--help'], ['start', '--help'], ['wsar', '--help']]) {
  test(`rookery ${args.join(' ')} into a closed pipe`, async (t) => {
    assert.deepEqual(await closed(t, spawnRookery(args)), QUIETLY);
  });
}

test('wsar --help into a closed pipe', async (t) => {
  const child = spawn(process.execPath, [join(ROOT, 'dist/tools/wsar/wsar.js'), '--help']);
  assert.deepEqual(await closed(t, child), QUIETLY);
});

test('a command line that is wrong has failed, whoever hears it', async (t) => {
  const child = spawnRookery(['no-such-command']);
  child.stderr!.destroy();
  child.stderr!.setEncoding = () => child.stderr!;
  assert.equal((await closed(t, child)).code, 2);
});

test('live commands end with their reader', async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 1 } });
  const env = {
    ROOKERY_OPERATOR: `http://127.0.0.1:${server.operatorPort}/`,
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  };
  for (const args of [
    ['top', '--times', '100000', '--interval', '0.1'],
    ['wsar', '0.1'],
    ['wsar', '0.1', '--json'],
  ]) {
    const result = await closed(t, spawnRookery(args, env), true);
    assert.deepEqual(result, QUIETLY, args.join(' '));
  }
  for (const args of [['ps'], ['inspect', 'rookery'], ['profile', 'handlers', '--for', '100']]) {
    const result = await closed(t, spawnRookery(args, env));
    assert.deepEqual({ ...result, errors: '' }, QUIETLY, `${args.join(' ')}: ${result.errors}`);
    assert.doesNotMatch(result.errors, /EPIPE|^\s+at /m, args.join(' '));
  }
});

test('a server goes on without a reader of its log', async (t) => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as { port: number };
  await new Promise((done) => free.close(done));
  const folder = temporaryFolder(t);
  const child = spawnRookery(
    [
      'start',
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--operator-port',
      String(port),
      '--data-folder',
      folder,
    ].concat(['--schedulers', '1', '--log-format', 'pretty']),
  );
  t.after(() => child.kill('SIGKILL'));
  child.stdout!.destroy();
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close');
  await until('it is up', async () => {
    assert.equal(child.exitCode, null, errors);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    return answer?.ok === true;
  });
  child.kill('SIGTERM');
  assert.deepEqual(await within('its end', ended), [0, null]);
  assert.equal(errors, '');
});
