/** The code of a running server is changed while people chat: nothing is lost, nobody is disconnected, and what is bad goes again. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askAction } from '../../src/cli/operator-client.js';
import type { ModuleReport, Release } from '../../src/hot-code/index.js';
import { Asker, code, HANDLERS, info, refused, succeeds } from '../support/code-operator.js';
import { underLoad } from '../support/load.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';

test('a handler is changed, rolled back, refused when it is broken, and taken back when it fails', async (t) => {
  const server = await TestServer.start(t);
  const asker = await Asker.connect(t, server);
  const folder = temporaryFolder(t);
  const file = join(folder, 'server-info.ts');
  const write = (text: string) => writeFileSync(file, text);

  write(info("'changed'"));
  await succeeds(code(server, 'check', file), /can be loaded/);
  assert.equal(await asker.ask(), 'rookery', 'a check changes nothing');
  const own = join(HANDLERS, 'server-info.ts');
  await succeeds(code(server, 'diff', own), /^no difference$/m);
  await succeeds(
    code(server, 'diff', file),
    /--- server-info, version 0/,
    /-.*name: node\.name/,
    /\+.*'changed'/,
  );
  await succeeds(
    code(server, 'load', file, '-m', 'another name'),
    /release 1 \(load\): server-info is version 1/,
  );
  assert.equal(await asker.ask(), 'changed');
  await succeeds(code(server, 'list'), /server-info +1 +[0-9a-f]{12}/);
  await succeeds(code(server, 'rollback', '-m', 'back'), /release 2 \(rollback\): server-info is version 0/);
  assert.equal(await asker.ask(), 'rookery');

  write('export const method = ');
  await refused(code(server, 'load', file, '--no-types'), /server-info\.ts:1:\d+: /);
  write(info('17 as string'));
  await refused(code(server, 'load', file), /server-info\.ts\(3,\d+\): error TS2352/);
  write("export const method = 'server.info'; export const handle = 1;");
  await refused(code(server, 'load', file), /server-info on scheduler-\d.*handle is a number/);
  write("export const method = 'server.rename'; export function handle() {}");
  await refused(code(server, 'load', file), /must export method = 'server.info', not "server.rename"/);
  write(`export const method = 'server.info'; export function handle() {} throw new Error('not today');`);
  await refused(code(server, 'load', file), /running it: Error: not today/);
  await refused(code(server, 'load', join(folder, 'nowhere.ts')), /there is no such file/);
  assert.equal(await asker.ask(), 'rookery');

  write("export const method = 'server.info'; export function handle() { throw new Error('always'); }");
  const line = server.lines.all.length;
  await succeeds(code(server, 'load', file, '-m', 'oops'), /release 3 \(load\)/);
  while ((await asker.ask()) === null);
  assert.ok(asker.failed >= 3, 'a few requests fail until that is noticed');
  await server.log(
    /rookery did a rollback of server-info by itself: release 3 was worse: .* calls failed/,
    line,
  );
  await succeeds(
    code(server, 'history'),
    /1 .* load +server-info@1 .*by .*another name/,
    /4 .* rollback .* by rookery/,
  );
  t.diagnostic(`${asker.failed} requests failed until the broken release was gone`);
});

test('sessions and partitions are changed while messages flow: nothing is lost, nobody disconnected', async (t) => {
  const server = await TestServer.start(t);
  const files = ['session', 'partition'].map((name) => join(HANDLERS, `${name}.ts`));
  const peers = await underLoad(t, server, async (after) => {
    await after(500);
    await succeeds(
      code(server, 'load', ...files, '--no-types', '-m', 'as they are'),
      /session is version 1, partition is version 1/,
    );
    await after(500);
    await succeeds(code(server, 'list'), /session +1 .*\n.*0 .*previous/);
    await succeeds(code(server, 'rollback'), /session is version 0, partition is version 0/);
    await after(500);
    await until('nobody runs the old versions', async () => (await code(server, 'purge')).code === 0);
    const script = join(temporaryFolder(t), 'release.json');
    const modules = files.map((file) => ({ file, suspend: true }));
    writeFileSync(script, JSON.stringify({ message: 'by a script', modules }));
    await succeeds(code(server, 'load', '--script', script, '--no-types'), /session is version 4/);
    await after(500);
    await succeeds(code(server, 'rollback', 'session', 'partition'), /session is version 0/);
    await after(500);
  });
  for (const peer of peers) assert.equal(peer.connects, 1, 'a connection was closed');
});

test('states of another shape: changed, begun, taken over a restart and changed back while messages flow', async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  /** Wraps the program's own code; its states have one thing more, and it throws if that is missing. */
  const shaped = (name: string, more: string) => ({
    module: name,
    file: `${name}.js`,
    imports: [`rookery:chat/handlers/${name}.js`],
    text: `const own = require('rookery:chat/handlers/${name}.js');
      const as = (state, more) => Object.assign(Object.create(Object.getPrototypeOf(state)), state, more);
      const checked = (state) => { if (!(state.handled >= 0)) throw new Error('a state of another shape'); return state; };
      exports.receive = (state, message) => { checked(state).handled++; own.receive(state, message); };
      exports.codeChange = (from, state) => {
        if (typeof from === 'number') return as(state, { handled: 0 });
        const { handled, ...before } = checked(state);
        return Object.assign(Object.create(Object.getPrototypeOf(state)), before);
      };
      ${more}`,
  });
  const modules = [
    shaped('session', 'exports.opened = (state) => own.opened(checked(state));'),
    shaped('partition', ''),
  ];
  const act = <T>(name: string, params: object = {}) =>
    askAction<T>(
      { operator: `http://127.0.0.1:${server.operatorPort}/`, token: TestServer.token },
      name,
      params as Readonly<Record<string, unknown>>,
    );
  const noFailures = async (number: number) => {
    const { modules } = await act<{ readonly modules: readonly ModuleReport[] }>('code-list');
    for (const { module, current, differs } of modules) {
      if (module !== 'session' && module !== 'partition') continue;
      assert.deepEqual([current.number, current.failures, differs], [number, 0, false], module);
    }
  };
  await underLoad(t, server, async (after, _users, peers) => {
    await after(500);
    const { tried, notTried } = await act<Release>('code-load', { modules });
    assert.ok(tried >= 64 && notTried === 0, `${tried} tried, ${notTried} not`);
    await after(500);
    await noFailures(1);
    await act('code-rollback');
    await after(500);
    await noFailures(0);
    await act('code-rollback', { release: 1 });
    await after(500);
    assert.ok(peers.every(({ connects }) => connects === 1));
    // All that begins from here on begins under it.
    await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-2' });
    await after(1000);
    await noFailures(1);
    await server.kill();
    await server.start();
    await after(1000);
    await noFailures(1);
  });
});
