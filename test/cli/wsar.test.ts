/** wsar over a real server: live, what the server has recorded, and both over a kill. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askAction } from '../../src/cli/operator-client.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { assertPlainly, ROOT, runRookery, TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';
import { runWsar } from '../support/wsar.js';

interface Line {
  readonly type: string;
  readonly groups: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly backlog: readonly Readonly<Record<string, unknown>>[];
}

const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

async function running(t: TestContext, settings: Readonly<Record<string, string | number | boolean>> = {}) {
  const server = await TestServer.start(t, { settings: { schedulers: 2, wsarIntervalMs: 100, ...settings } });
  const env = () => ({
    ROOKERY_OPERATOR: `http://127.0.0.1:${server.operatorPort}/`,
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  });
  return { server, env, folder: join(server.dataFolder, 'wsar') };
}

test('live, in each form; the recording goes on over a kill, and is replayed with the restart in it', async (t) => {
  const { server, env, folder } = await running(t);
  const listed = await runRookery(['wsar', '--list'], env());
  assert.equal(listed.code, 0, listed.output);
  for (const group of [
    'os',
    'net',
    'disk',
    'files',
    'sched',
    'msgq',
    'conn',
    'store',
    'chat',
    'backlog',
    'hw',
  ])
    assert.match(listed.output, new RegExp(`^${group} \\(version `, 'm'));

  const live = await runWsar(['0.2', '2', '--json', '-g', 'sched,mem,hw'], env());
  assert.equal(live.code, 0, live.err);
  const [begin, first, second, ...more] = lines(live.out);
  assert.deepEqual(
    [begin?.type, first?.type, second?.type, more.length],
    ['begin', 'interval', 'interval', 0],
  );
  assert.deepEqual(Object.keys(first!.groups), ['sched', 'mem', 'hw']);
  const schedulers = first!.groups['sched']!.map(({ instance }) => instance);
  assert.deepEqual(schedulers.slice(0, 2), ['scheduler-1', 'scheduler-2']);
  const text = await runWsar(['0.1', '1', '-c', 'os.user,msgq.total'], env());
  assert.match(text.out, /\d\d:\d\d:\d\d os +%user\n/);
  assert.match(text.out, /^Average: scheduler-1 +\d/m);

  const recorded = async () => {
    const replay = await runWsar(['-f', folder, '--json', '-g', 'mem'], {});
    assert.equal(replay.code, 0, replay.err);
    return { types: lines(replay.out).map(({ type }) => type), err: replay.err };
  };
  await until(
    'there is a recording',
    async () => readdirSync(folder).length > 0 && (await recorded()).types.length > 5,
  );
  await server.kill();
  const before = (await recorded()).types.length;
  await server.start();
  await until('it goes on', async () => (await recorded()).types.length > before + 3);
  const { types } = await recorded();
  assert.equal(types.filter((type) => type === 'restart').length, 1);
  assert.equal(types.indexOf('restart'), before);
});

test('a process with messages waiting: live, and from the recording', async (t) => {
  const { env, folder } = await running(t, { wsarGroups: 'backlog,msgq' });
  await runRookery(['suspend', 'partition-17'], env());
  // Fewer than 100 are no backlog.
  for (let sent = 0; sent < 120; sent++) {
    await askAction({ operator: env().ROOKERY_OPERATOR, token: TestServer.token }, 'send', {
      pid: 'partition-17',
      message: { type: 'nothing' },
    });
  }
  const backlogged = async (...where: string[]) => {
    const { out, err, code } = await runWsar(['--backlog', '--json', ...where], env());
    assert.equal(code, 0, err);
    return lines(out)
      .findLast(({ type }) => type === 'backlog')
      ?.backlog.find(({ label }) => label === 'partition-17');
  };
  await until('its messages are seen', async () => (await backlogged()) !== undefined);
  const row = await backlogged();
  assert.deepEqual([row?.['messages'], row?.['drainMs']], [120, null]);
  await until('it is recorded', async () => (await backlogged('-f', folder, '-s', '-1s')) !== undefined);
  const report = await runWsar(['--backlog'], env());
  assert.match(report.out, /\n<\d\.\d+\.\d+> +partition-17 .* stalled .* never/);
});

test('plug-ins add groups, on the server and here', async (t) => {
  const plugin = join(temporaryFolder(t), 'tea.js');
  const module = (name: string) => `let cups = 0;
export const groups = () => ({
  description: { name: '${name}', version: 1, title: 'Tea', instance: null,
    columns: [{ name: 'cups', kind: 'gauge', unit: '{cup}', description: 'Cups.' }] },
  read: () => [{ instance: '', figures: [++cups] }],
});
`;
  writeFileSync(plugin, module('tea'));
  const { env } = await running(t, { groupPlugins: plugin, wsarRecord: false });
  const own = join(temporaryFolder(t), 'milk.js');
  writeFileSync(own, module('milk'));
  const { out, err, code } = await runWsar(['0.1', '1', '--json', '-g', 'tea,milk', '--plugin', own], env());
  assert.equal(code, 0, err);
  assert.deepEqual(lines(out)[1]?.groups['milk'], [{ cups: 2 }]);
  assert.deepEqual(Object.keys(lines(out)[1]!.groups), ['tea', 'milk']);
  const hanging = join(temporaryFolder(t), 'hanging.js');
  writeFileSync(hanging, module('honey').replace(/read: .*/, 'read: () => new Promise(() => {}),'));
  const without = await runWsar(['0.1', '2', '--json', '-g', 'tea,honey', '--plugin', hanging], env());
  assert.equal(without.code, 0, without.err);
  assertPlainly(without.err, /no figures of honey: no answer within 1000 ms/);
  assert.deepEqual(Object.keys(lines(without.out)[1]!.groups), ['tea']);
  const wrong = join(temporaryFolder(t), 'wrong.js');
  writeFileSync(wrong, 'export const groups = 7;\n');
  const refused = await runWsar(['--plugin', wrong, '--local']);
  assert.equal(refused.code, 1);
  assertPlainly(refused.err, /the plug-in .*wrong\.js must export groups/);
});

test('the plug-in of the manual', async (t) => {
  const folder = temporaryFolder(t);
  const spool = join(folder, 'spool.json');
  writeFileSync(spool, '{"jobs":7,"ink":0.5}');
  const page = readFileSync(join(ROOT, 'docs/operations/wsar.md'), 'utf8');
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  assert.match(code, /'\/run\/spool\.json'/);
  const plugin = join(folder, 'queue-group.mjs');
  writeFileSync(plugin, code.replace('/run/spool.json', spool));
  const {
    out,
    err,
    code: exit,
  } = await runWsar(['0.1', '1', '--local', '--json', '-g', 'spool', '--plugin', plugin]);
  assert.equal(exit, 0, err);
  assert.deepEqual(lines(out)[1]?.groups, { spool: [{ jobs: 0, ink: 0.5 }] });
});

test('without a server: this machine alone, said once; with a wrong one: said in one line', async (t) => {
  const alone = await runWsar(['0.1', '2', '--json', '-g', 'os']);
  assert.equal(alone.code, 0, alone.err);
  assert.equal(lines(alone.out).length, 3);
  assert.equal(alone.err.match(/this machine alone is shown/g)?.length, 1);
  const wrong = async (code: number, message: RegExp, args: string[], env: Record<string, string> = {}) => {
    const run = await runWsar(args, env);
    assertPlainly(run.err, message);
    assert.equal(run.code, code, run.err);
    assert.equal(run.out, '');
  };
  const token = { ROOKERY_OPERATOR_TOKEN: 'x' };
  await wrong(
    1,
    /http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
    ['--operator', 'http://127.0.0.1:1/'],
    token,
  );
  await wrong(1, /--token, or ROOKERY_OPERATOR_TOKEN, is wanted/, ['--operator', 'http://127.0.0.1:1/']);
  await wrong(
    2,
    /--operator must be an URL of http or https, not nonsense/,
    ['--operator', 'nonsense'],
    token,
  );
  await wrong(2, /the interval must be a time such as .*, not soon/, ['soon', '--local']);
  await wrong(2, /the count must be a whole number/, ['1', '0', '--local']);
  await wrong(2, /there is no group nope; there are os, net/, ['-g', 'nope', '--local']);
  await wrong(2, /--start is of recordings/, ['-s', '10:00', '--local']);
  await wrong(1, /there is no group backlog/, ['--backlog', '--local']);
  await wrong(1, /cannot be read: ENOENT/, ['-f', join(temporaryFolder(t), 'none')]);
  const { env } = await running(t, { wsarRecord: false });
  await wrong(1, /token is wanted/, [], { ...env(), ROOKERY_OPERATOR_TOKEN: 'wrong' });
});

test('a recording of our own, ended in order', async (t) => {
  const folder = temporaryFolder(t);
  const { out, code, err } = await runWsar([
    'record',
    '--folder',
    folder,
    '--local',
    '--interval',
    '0.1',
    '--background',
  ]);
  assert.equal(code, 0, err);
  const pid = Number(/process (\d+)/.exec(out)?.[1]);
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });
  const replay = () => runWsar(['-f', folder, '--json', '-g', 'os']);
  await until('something is recorded', async () => {
    const run = await replay();
    return run.code === 0 && lines(run.out).length > 4;
  });
  process.kill(pid, 'SIGTERM');
  await until('it has ended', () => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
  const ended = await replay();
  assert.equal(ended.err, '');
  assert.equal(ended.code, 0);
});
