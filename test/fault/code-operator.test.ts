/** Operators who mistype, threads that die and handlers that loop while code is changed: clear words, and nothing half done. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askAction } from '../../src/cli/operator-client.js';
import type { ModuleReport, Release } from '../../src/hot-code/index.js';
import { guardMissing } from '../../src/schedulers/index.js';
import { atEnd } from '../support/at-end.js';
import { Asker, code, info, operatorOf, refused, succeeds } from '../support/code-operator.js';
import { OutputLines } from '../support/output-lines.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { assertPlainly, spawnRookery, TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

/** A folder with modules to be loaded, written anew for each. */
function modules(t: TestContext) {
  const folder = temporaryFolder(t);
  return (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
}

/** `rookery code watch …`, until the test ends. */
function watchOf(t: TestContext, server: TestServer, folder: string) {
  const child = spawnRookery(['code', 'watch', folder, '--no-types'], operatorOf(server));
  atEnd(t, () => void child.kill('SIGKILL'));
  const lines = new OutputLines();
  lines.follow(child.stdout!);
  lines.follow(child.stderr!);
  let from = 0;
  return {
    async says(pattern: RegExp): Promise<void> {
      await within(`${pattern} from the watch`, lines.find(pattern, from));
      from = lines.all.length;
    },
  };
}

/** How a module stands, in all schedulers alike. */
async function listed(server: TestServer, name: string): Promise<ModuleReport> {
  const flags = { operator: `http://127.0.0.1:${server.operatorPort}/`, token: TestServer.token };
  const { modules } = await askAction<{ modules: readonly ModuleReport[] }>(flags, 'code-list');
  assert.deepEqual(
    modules.filter(({ differs }) => differs !== false).map(({ module }) => module),
    [],
    'all schedulers have the same versions',
  );
  return modules.find(({ module }) => module === name)!;
}

test('what an operator mistypes is refused in a line, and nothing has changed', async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  const write = modules(t);
  const good = write('server-info.ts', info("'changed'"));
  const list = write('block-list.ts', "export const method = 'block.list'; export function handle() {}");
  const broken = write('profile-get.js', "exports.method = 'profile.get'; exports.handle = 1;");
  const stranger = write('server-imfo.ts', info("'changed'"));
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['load'], /either files of modules/],
    [['load', join(good, '..')], /a module is written in TypeScript or JavaScript/],
    [['load', join(good, '../nowhere.ts')], /there is no such file/],
    [['load', stranger, '--no-types'], /there is no module server-imfo: there are block-add, /],
    [['load', good, good], /server-info stands twice in the release/],
    [
      ['load', list, broken, '--no-types'],
      /profile-get on scheduler-1\S*, its exports: .*handle is a number/,
    ],
    [['load', good, '--promote'], /--promote is for a --canary/],
    [['load', good, '--suspend', 'session'], /--suspend session: not in the release/],
    [['load', '--script', good], /server-info\.ts: .*JSON/],
    [['rollback'], /nothing was loaded that could be rolled back/],
    [['rollback', '17'], /there is no release 17/],
    [['rollback', 'server-imfo'], /there is no module server-imfo/],
    [['rollback', 'server-info'], /server-info has no previous version to go back to/],
    [['rollback', '1', 'session'], /either one release, by its number, or names of modules/],
    [['promote'], /there is no canary/],
    [['withdraw'], /there is no canary/],
    [['purge', 'server-imfo'], /there is no module server-imfo/],
    [['purge', 'session'], /session has no previous version/],
    [['watch', join(good, '../nowhere')], /nowhere cannot be watched: ENOENT/],
    [['watch', server.dataFolder], /has no modules: they are called block-add, /],
  ];
  for (const [args, expected] of wrong) {
    const { code: exit, output } = await code(server, ...args);
    assert.equal(exit, 1, `rookery code ${args.join(' ')}: ${output}`);
    assertPlainly(output, expected);
  }
  assertPlainly((await code(server, 'load', good, '--canary', '100%')).output, /a share is more than 0 %/);
  await succeeds(code(server, 'history'), /nothing was ever loaded/);
  for (const name of ['server-info', 'block-list', 'profile-get']) {
    const { current, previous } = await listed(server, name);
    assert.deepEqual([current.number, previous], [0, null], name);
  }
});

test('the history has who did what: loads, canaries, rollbacks and purges, over a restart', async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  const write = modules(t);
  const load = (name: string, ...args: readonly string[]) =>
    code(server, 'load', write('server-info.ts', info(`'${name}'`)), '--no-types', ...args);
  await succeeds(load('one', '-m', 'the first'), /release 1 \(load\): server-info is version 1/);
  await succeeds(load('two', '--no-automatic'), /release 2 \(load\)/);
  await succeeds(code(server, 'rollback', '-m', 'oops'), /release 3 \(rollback\): server-info is version 1/);
  await refused(code(server, 'rollback'), /was rolled back from version 2 already/);
  await succeeds(code(server, 'rollback', '2'), /release 4 \(rollback\): server-info is version 2/);
  await succeeds(code(server, 'purge', '-m', 'tidy'), /server-info: the previous version is gone/);
  await refused(
    code(server, 'rollback', '1'),
    /version 1 of server-info is not kept any more; load it again/,
  );
  await succeeds(load('three', '--canary', '5%'), /release 6 \(canary\)/);
  await refused(load('four'), /server-info has a canary, version 6: promote it or withdraw it first/);
  server.signal('SIGTERM');
  await server.ended;
  await server.start();
  const off = /the server was restarted: server-info runs version 2, not the canary 6/;
  await server.log(off, server.startedAtLine);
  const asker = await Asker.connect(t, server);
  assert.equal(await asker.ask(), 'two');
  await succeeds(
    code(server, 'history'),
    /1 .* load +server-info@1 .*the first/,
    /3 .* rollback +server-info@1 .*oops/,
    /5 +20\d\d-\S+ +purge +server-info@1 \S+ +by \S+ +tidy/,
    /7 .* withdraw +server-info@2 \S+ +by rookery +the server was restarted/,
  );
  assert.equal((await listed(server, 'server-info')).current.number, 2);
});

test('a handler that never returns is gone after a few sessions have died of it', async (t) => {
  if (guardMissing() !== null) return t.skip('no native guard');
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  const file = modules(t)(
    'server-info.ts',
    "export const method = 'server.info'; export function handle(): void { for (;;); }",
  );
  const line = server.lines.all.length;
  await succeeds(code(server, 'load', file, '-m', 'thinks hard'), /release 1/);
  let isGone = false;
  const gone = server
    .log(/rookery did a rollback of server-info by itself: .* calls failed/, line)
    .then(() => {
      isGone = true;
    });
  let sessions = 0;
  while (!isGone) {
    const asker = await Asker.connect(t, server);
    asker.ask().catch(() => {});
    sessions++;
    await Promise.race([asker.client.closed, gone]);
  }
  t.diagnostic(`${sessions} sessions asked before it was gone`);
  const asker = await Asker.connect(t, server);
  assert.equal(await asker.ask(), 'rookery');
  assert.equal((await listed(server, 'session')).current.failures, 0, 'the session is not to blame');
});

test('without the guard a handler that never returns holds up one scheduler, and is rolled back on the others', async (t) => {
  const server = TestServer.prepare(t, { settings: { schedulers: 2 } });
  server.spawn({}, { ROOKERY_NO_NATIVE: '1' });
  await server.listening();
  const loop = "export const method = 'server.info'; export function handle(): void { for (;;); }";
  const file = modules(t)('server-info.ts', loop);
  const asker = await Asker.connect(t, server);
  await succeeds(code(server, 'load', file, '--no-types', '--no-automatic'), /release 1/);
  asker.ask().catch(() => {});
  await until('one does not answer', async () =>
    /without scheduler-\d/.test((await code(server, 'list')).output),
  );
  await refused(code(server, 'load', file, '--no-types'), /scheduler-\d\S* does not answer/);
  await succeeds(
    code(server, 'rollback', '-m', 'it hangs'),
    /server-info is version 0;.* scheduler-\d\S* did not answer, and will follow/,
  );
  const { current, differs } = await listed(server, 'server-info');
  assert.deepEqual([current.number, differs], [0, false]);
});

test('threads that die between the two phases leave nothing half done', { timeout: 180_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  const flags = { operator: `http://127.0.0.1:${server.operatorPort}/`, token: TestServer.token };
  const load = (name: string) => {
    const text = `exports.method = 'server.info'; exports.handle = (request) => request.reply({ name: '${name}', version: '1', time: 0, epoch: 0 });`;
    const modules = [{ module: 'server-info', text, imports: [], file: 'server-info.js' }];
    return askAction<Release>(flags, 'code-load', { modules, automatic: false }, 60_000);
  };
  let expected = 0;
  let name = 'rookery';
  let refusals = 0;
  for (let round = 1; round <= 9; round++) {
    const thread = (['scheduler-2', 'writer-1', 'scheduler-1'] as const)[round % 3]!;
    const line = server.lines.all.length;
    const [loaded] = await Promise.all([
      load(`round ${round}`).then(
        ({ record }) => record.number,
        (error: Error) => error.message,
      ),
      server.injectFault({ kind: 'crash-thread', thread }),
    ]);
    if (typeof loaded === 'number') {
      expected = loaded;
      name = `round ${round}`;
    } else {
      refusals++;
      assert.match(loaded, /does not answer|could not be written down/);
    }
    await server.log(new RegExp(`${thread} (serves|writes) again`), line);
    await until(
      `all run version ${expected} after round ${round} with ${thread} (${loaded})`,
      async () => (await listed(server, 'server-info')).current.number === expected,
    );
    const asker = await Asker.connect(t, server);
    assert.equal(await asker.ask(), name);
  }
  t.diagnostic(`${expected} was the last release, ${refusals} were refused`);
});

test('modules that are saved in quick succession are loaded in the end', async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  const write = modules(t);
  const file = write('server-info.ts', info("'first'"));
  const watching = watchOf(t, server, join(file, '..'));
  await watching.says(/watching 1 modules/);
  for (let at = 0; at < 5; at++) write('server-info.ts', info(`'save ${at}'`));
  await watching.says(/release \d+ \(load\): server-info is version/);
  const asker = await Asker.connect(t, server);
  await until('the last one is loaded', async () => (await asker.ask()) === 'save 4');
  write('server-info.ts', 'export const method =');
  await watching.says(/server-info\.ts:1:\d+: /);
  write('server-info.ts', info("'mended'"));
  await until('it goes on', async () => (await asker.ask()) === 'mended');
  assert.equal((await listed(server, 'server-info')).differs, false);
});
