/** The code of a running server is changed while people chat: nothing is lost, nobody is disconnected, and what is bad goes again. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ErrorCode, encodeRequest } from '../../src/protocol/index.js';
import { register } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { underLoad } from '../support/load.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Ended, ROOT, runRookery, TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';

const HANDLERS = join(ROOT, 'src/chat/handlers');

/** `rookery code …` at this server. */
function code(server: TestServer, ...args: readonly string[]): Promise<Ended> {
  return runRookery(['code', ...args], {
    ROOKERY_OPERATOR: `http://127.0.0.1:${server.operatorPort}/`,
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  });
}

async function succeeds(ended: Promise<Ended>, ...patterns: readonly RegExp[]): Promise<void> {
  const { code, output } = await ended;
  assert.equal(code, 0, output);
  for (const pattern of patterns) assert.match(output, pattern);
}

async function refused(ended: Promise<Ended>, pattern: RegExp): Promise<void> {
  const { code, output } = await ended;
  assert.equal(code, 1, output);
  assert.match(output, pattern);
}

/** Somebody who asks the server for its name, again and again. */
class Asker {
  readonly client: ProtocolClient;
  #ref = 0;
  failed = 0;

  private constructor(client: ProtocolClient) {
    this.client = client;
  }

  static async connect(t: TestContext, server: TestServer): Promise<Asker> {
    const user = await register(server, 491_700_000_009);
    const client = await ProtocolClient.connect(server.url);
    atEnd(t, () => client.terminate());
    client.hello(user);
    await client.next('welcome');
    return new Asker(client);
  }

  /** What `server.info` says; null: it failed with an internal error. */
  async ask(): Promise<string | null> {
    const id = ++this.#ref;
    this.client.send((writer) => encodeRequest(writer, id, 'server.info', {}));
    const answer = this.client.next('response', (frame) => frame.id === id);
    const error = this.client.next('error', (frame) => frame.ref === id);
    answer.catch(() => {});
    error.catch(() => {});
    const first = await Promise.race([answer, error]);
    if ('code' in first) {
      assert.equal(first.code, ErrorCode.internal);
      this.failed++;
      return null;
    }
    return String((first.body as { readonly name?: unknown }).name);
  }
}

/** A version of `server.info` that answers with this. */
function info(name: string): string {
  return `export const method = 'server.info';
    export function handle(request: { reply(body: object): void }): void {
      request.reply({ name: ${name}, version: '1', time: 0, epoch: 0 });
    }`;
}

test('a handler is changed, rolled back, refused when it is broken, and taken back when it fails', async (t) => {
  const server = await TestServer.start(t);
  const asker = await Asker.connect(t, server);
  const folder = temporaryFolder(t);
  const file = join(folder, 'server-info.ts');
  const write = (text: string) => writeFileSync(file, text);

  write(info("'changed'"));
  await succeeds(code(server, 'check', file), /can be loaded/);
  assert.equal(await asker.ask(), 'rookery', 'a check changes nothing');
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
