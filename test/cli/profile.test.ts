/** `rookery profile` over a real server under load: what comes of it, what is refused, and what is left behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CpuProfile } from '../../src/metrics/profiles/cpu-profile.js';
import type { RingContention } from '../../src/metrics/profiles/ring-contention.js';
import { AUDIT_FILE } from '../../src/ops/audit-log.js';
import type { HandlerTable, HeapReport } from '../../src/ops/profiles.js';
import { underLoad } from '../support/load.js';
import { OutputLines } from '../support/output-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { runRookery, spawnRookery, TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

async function running(t: TestContext, schedulers = 2) {
  const folder = temporaryFolder(t);
  const server = await TestServer.start(t, { settings: { schedulers } });
  const env = {
    ROOKERY_OPERATOR: `http://127.0.0.1:${server.operatorPort}/`,
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  };
  const run = (...args: string[]) => runRookery(['profile', ...args], env);
  const done = async (...args: string[]) => {
    const { code, output } = await run(...args);
    assert.equal(code, 0, output);
    return output;
  };
  /** What stands on standard output is one line of JSON, and what is said beside it is none. */
  const json = async <T>(...args: string[]): Promise<T> => {
    const output = await done(...args, '--json');
    return JSON.parse(output.split('\n').find((line) => line.startsWith('{')) ?? '') as T;
  };
  return { server, env, folder, run, done, json };
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;

/** As speedscope and Chrome want it. */
function assertValid({ nodes, samples, timeDeltas, startTime, endTime }: CpuProfile): void {
  const ids = new Set(nodes.map(({ id }) => id));
  assert.equal(ids.size, nodes.length);
  for (const { children } of nodes) for (const child of children ?? []) assert.ok(ids.has(child));
  assert.ok(samples.length > 0 && samples.length === timeDeltas.length);
  for (const sample of samples) assert.ok(ids.has(sample));
  assert.ok(endTime > startTime);
}

function audited(server: TestServer): string[] {
  return readFileSync(join(server.dataFolder, AUDIT_FILE), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string; outcome: string })
    .map(({ action, outcome }) => `${action} ${outcome}`);
}

/** What runs seldom may not be among the samples of one look. */
async function sampledUntil(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let looks = 1; !(await look()); looks++) assert.ok(looks < 8, `${what} in none of ${looks} profiles`);
}

test('under load: a profile with the handlers in it, their table, the rings and the heap', async (t) => {
  const { server, folder, done, json } = await running(t);
  await underLoad(
    t,
    server,
    async (after) => {
      await after(200);
      const file = join(folder, 'one.cpuprofile');
      await sampledUntil('a function of a handler', async () => {
        await done('cpu', 'scheduler-1', '--for', '1s', '-o', file);
        const profile = read(file);
        assertValid(profile);
        return profile.nodes.some(
          ({ callFrame: { url, functionName } }) =>
            url.endsWith('/chat/handlers/session.js') && functionName !== '',
        );
      });
      assert.deepEqual(readdirSync(folder), ['one.cpuprofile'], 'nothing half done is left');

      await sampledUntil('sessions and partitions', async () => {
        const { threads, rows } = await json<HandlerTable>('handlers', '--for', '1s', '--interval', '1ms');
        assert.deepEqual(
          threads.map(({ thread }) => thread),
          ['scheduler-1', 'scheduler-2'],
        );
        const busy = threads.reduce((sum, { ms, idleMs }) => sum + ms - idleMs, 0);
        const told = rows.reduce((sum, { ms }) => sum + ms, 0);
        assert.ok(Math.abs(busy - told) < 1, `${told} ms of ${busy} in the rows`);
        return ['session', 'partition'].every((kind) =>
          rows.some(({ process, handler }) => process === kind && handler.startsWith(`${kind}.`)),
        );
      });

      const { rings } = await json<{ rings: RingContention[] }>('rings', '--for', '500ms');
      const toWriter = rings.find(({ ring }) => ring === 'scheduler-1>writer-1');
      assert.ok((toWriter?.publishes ?? 0) > 0);
      assert.ok(
        rings.some(({ ring, stalledMs }) => ring === 'scheduler-1>scheduler-2' && stalledMs !== null),
      );
    },
    4,
  );
  for (const thread of ['main', 'writer-1', 'scheduler-2']) {
    const heap = await json<HeapReport>('heap', thread);
    assert.equal(heap.thread, thread);
    assert.ok(heap.usedBytes > 1e6 && heap.usedBytes <= heap.limitBytes);
    assert.ok(heap.spaces.some(({ name, usedBytes }) => name === 'old_space' && usedBytes > 0));
  }
  const texts = await done('handlers', '--for', '100ms');
  assert.match(texts, /^process +handler +% of busy +ms\/s +samples$/m);
  assert.match(texts, /^scheduler-2: \d+ % busy over 0\.\d s, \d+ samples; beginning took \d+ ms$/m);
  assert.match(await done('heap', 'main'), /^old_space +\d/m);
  assert.match(await done('rings', '--for', '10ms'), /^writer-1>scheduler-2 +n\/a +\d/m);
});

test('Ctrl-C ends it in the thread too, and what was found is written', async (t) => {
  const { server, env, folder, run } = await running(t, 1);
  const file = join(folder, 'cut.cpuprofile');
  const child = spawnRookery(['profile', 'cpu', 'scheduler-1', '--for', '2m', '-o', file], env);
  const lines = new OutputLines();
  lines.follow(child.stderr!);
  await within('the beginning', lines.find(/profiling scheduler-1 for 120 s/, 0));
  const refusal = await run('handlers', '--for', '100ms');
  assert.equal(refusal.code, 1);
  assert.match(
    refusal.output,
    /scheduler-1 is being profiled already by \S+ \(rookery profile cpu\), for 1\d\d s more/,
  );

  child.kill('SIGINT');
  const [code] = (await within('its end', once(child, 'close'))) as [number];
  assert.equal(code, 0, lines.text());
  assertValid(read(file));
  const free = await run('cpu', 'scheduler-1', '--for', '50ms', '-o', join(folder, 'again.cpuprofile'));
  assert.equal(free.code, 0, free.output);
  assert.deepEqual(audited(server), [
    'profile-cpu done',
    'profile-handlers refused',
    'profile-end done',
    'profile-cpu done',
  ]);
  server.signal('SIGTERM');
  assert.equal((await within('the end of the server', server.ended)).code, 0);
});

test('a server that ends, and a thread that dies, in the middle of a profile', async (t) => {
  const { server, env, folder } = await running(t);
  const profile = async (thread: string) => {
    const file = join(folder, `${thread}.cpuprofile`);
    const child = spawnRookery(['profile', 'cpu', thread, '--for', '2m', '-o', file], env);
    const lines = new OutputLines();
    lines.follow(child.stderr!);
    await within('the beginning', lines.find(/profiling/, 0));
    return async () => {
      const [code] = (await within('its end', once(child, 'close'))) as [number];
      assert.equal(code, 1);
      assert.equal(existsSync(file), false);
      return lines.text();
    };
  };
  const two = await profile('scheduler-2');
  await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-2' });
  assert.match(await two(), /scheduler-2 has ended, and its profile with it/);
  const one = await profile('scheduler-1');
  server.signal('SIGTERM');
  assert.match(await one(), /does not answer|has ended/);
  assert.equal((await within('the end of the server', server.ended)).code, 0);
  assert.deepEqual(readdirSync(folder), []);
});

test('a heap snapshot, and what is refused: one line each, with an exit code', async (t) => {
  const { server, folder, run, done } = await running(t, 1);
  const snapshot = ['heap', 'writer-1', '--snapshot', 'w.heapsnapshot'];
  const warned = await run(...snapshot);
  assert.equal(warned.code, 1);
  assert.match(warned.output, /writer-1 would stand still while it writes out \d+ MiB/);
  const path = join(server.dataFolder, 'profiles', 'w.heapsnapshot');
  assert.match(
    await done(...snapshot, '--yes'),
    /w\.heapsnapshot: [\d.]+ MiB; writer-1 stood still for \d+ ms/,
  );
  assert.ok('snapshot' in (JSON.parse(readFileSync(path, 'utf8')) as object));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(audited(server), ['profile-snapshot refused', 'profile-snapshot done']);

  const file = join(folder, 'x.cpuprofile');
  for (const [args, code, words] of [
    [
      ['cpu', 'scheduler-9', '-o', file],
      1,
      /no thread "scheduler-9"; there are: main, writer-1, scheduler-1/,
    ],
    [
      ['cpu', 'main', '--for', '3m', '-o', file],
      1,
      /ms must be a whole number from 10 to 120000, not 180000/,
    ],
    [
      ['cpu', 'main', '--for', '2m', '--interval', '100us', '-o', file],
      1,
      /1200000 samples, and may be 250000/,
    ],
    [['cpu', 'main', '-o', join(folder, 'no', 'x')], 1, /cannot be written: ENOENT/],
    [['cpu', 'main', '--for', 'soon'], 2, /It must be a time/],
  ] as const) {
    const ended = await run(...args);
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.output}`);
    assert.match(ended.output, words);
    assert.doesNotMatch(ended.output, /\n\s+at /);
  }
  assert.deepEqual(readdirSync(folder), [], 'nothing is left of what was refused');
  assert.match(await done('cpu', 'main', '--for', '50ms', '-o', '-'), /^\{"nodes":\[/m);
});
