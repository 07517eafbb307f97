/** The code of a running server is changed while people chat: nothing is lost, nobody is disconnected, and what is bad goes again. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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
