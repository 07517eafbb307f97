/** Data folders that cannot be used: a clear message, exit code 1, and nothing broken further. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { type Credentials, ProtocolClient } from '../support/protocol-client.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { assertPlainly, runStart, TestServer } from '../support/test-server.js';

const REFUSED = 1;

/** A start that is refused with words and without a stack. */
async function refused(dataFolder: string, ...patterns: RegExp[]): Promise<string> {
  const { code, output } = await runStart({ dataFolder });
  assert.equal(code, REFUSED, output);
  assertPlainly(output, ...patterns);
  return output;
}

/** A folder with a database in which messages wait, its server killed. */
async function usedFolder(t: TestContext, messages = 50) {
  const server = await TestServer.start(t);
  const [alice, bob] = (await registerMany(server, 2)) as [Credentials, Credentials];
  const client = await ProtocolClient.login(server.url, alice);
  for (let i = 0; i < messages; i++) {
    client.message(alice.firstMessageId + i, bob.user, `message ${i}`);
    await client.next('sendAck');
  }
  await server.kill();
  const files = readdirSync(server.dataFolder, { recursive: true, encoding: 'utf8' });
  const database = files.find((name) => /^rookery\.(db|sqlite|sqlite3)$/.test(name));
  assert.ok(database, `a database among ${files.join(', ')}`);
  return { server, alice, bob, database: join(server.dataFolder, database) };
}

/** The same after an orderly end, which moves everything from the log into the database. */
async function closedFolder(t: TestContext, messages = 50) {
  const used = await usedFolder(t, messages);
  await used.server.start();
  used.server.signal('SIGTERM');
  await used.server.ended;
  return used;
}

test('a file where the folder should be', { timeout: 60_000 }, async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, 'not a folder');
  await refused(file, new RegExp(file));
  await refused(join(file, 'below'), new RegExp(file));
});

test('a folder that cannot be written', { timeout: 60_000 }, async (t) => {
  await t.test('nobody can make one there', () => refused('/proc/rookery', /\/proc\/rookery/).then(() => {}));
  await t.test('a file system mounted read-only', async (t) => {
    const folder = temporaryFolder(t);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', folder], { stdio: 'pipe' });
    } catch (error) {
      t.skip(`mounting is not permitted here: ${(error as Error).message.trim()}`);
      return;
    }
    atEnd(t, () => execFileSync('umount', [folder]));
    await refused(folder, /read-?only/i);
  });
  await t.test('a database in a folder that has become read-only', async (t) => {
    const { server } = await usedFolder(t);
    const { dataFolder } = server;
    try {
      execFileSync('mount', ['--bind', dataFolder, dataFolder], { stdio: 'pipe' });
    } catch (error) {
      t.skip(`mounting is not permitted here: ${(error as Error).message.trim()}`);
      return;
    }
    try {
      execFileSync('mount', ['-o', 'remount,ro,bind', dataFolder], { stdio: 'pipe' });
      await refused(dataFolder, /read-?only/i);
    } finally {
      execFileSync('umount', [dataFolder]);
    }
    await server.start();
  });
});

test('two servers on one folder', { timeout: 60_000 }, async (t) => {
  const { server, bob } = await usedFolder(t);
  await server.start();
  const client = await ProtocolClient.login(server.url, bob);
  await client.next('more');
  await refused(server.dataFolder, new RegExp(server.dataFolder), /in use|another server|locked/i);
  // The first goes on as if nothing had happened.
  client.pull(0);
  assert.equal((await client.next('batch')).items.length, 50);
  // And a lock of the dead does not keep the living out.
  await server.kill();
  await server.start();
});

test('files that are no database', { timeout: 60_000 }, async (t) => {
  const { server, database } = await closedFolder(t);
  await t.test('garbage', async () => {
    writeFileSync(database, 'x'.repeat(20_000));
    await refused(server.dataFolder, new RegExp(database));
  });
  await t.test('somebody else’s database', async (t) => {
    const folder = temporaryFolder(t);
    const { default: Database } = await import('better-sqlite3');
    const other = new Database(join(folder, database.split('/').at(-1)!));
    other.exec("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
    other.close();
    await refused(folder, /rookery/i);
    const again = new Database(join(folder, database.split('/').at(-1)!), { readonly: true });
    atEnd(t, () => again.close());
    assert.deepEqual(again.prepare('SELECT name FROM recipes').all(), [{ name: 'soup' }], 'left as it was');
  });
  await t.test('a folder instead of the file', async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, database.split('/').at(-1)!));
    await refused(folder, new RegExp(folder));
  });
});

test('an operator’s ledger that is damaged does not keep the server from serving', {
  timeout: 60_000,
}, async (t) => {
  const { server, bob } = await closedFolder(t);
  const ledger = join(server.dataFolder, 'operator.db');
  writeFileSync(ledger, 'x'.repeat(20_000));
  await server.start();
  await server.log(
    new RegExp(`ledger cannot be read: ${ledger}.*knobs that were turned earlier do not hold`),
    0,
  );
  const client = await ProtocolClient.login(server.url, bob);
  await client.next('more');
  const reply = await fetch(`http://127.0.0.1:${server.operatorPort}/api/action/knob-set`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TestServer.token}` },
    body: JSON.stringify({ name: 'turnMs', value: 9 }),
  });
  assert.equal(reply.status, 503);
  assert.match(await reply.text(), /nothing was changed.*damaged/);
  assert.equal(readFileSync(ledger, 'utf8'), 'x'.repeat(20_000), 'left as it was');
});

test('a database with its header overwritten', { timeout: 60_000 }, async (t) => {
  const { server, database } = await closedFolder(t);
  const file = openSync(database, 'r+');
  writeSync(file, Buffer.alloc(64, 0xa5), 0, 64, 0);
  closeSync(file);
  await refused(server.dataFolder, new RegExp(database), /corrupt|not a database|damaged|malformed/i);
});

test('a database with a page overwritten is never taken for a whole one', { timeout: 120_000 }, async (t) => {
  // Enough for several pages, and moved from the log into the database by an orderly end.
  const { server, database } = await closedFolder(t, 300);
  const pages = Math.floor(statSync(database).size / 4096);
  const original = readFileSync(database);
  for (const page of new Set([1, 2, Math.floor(pages / 2), pages - 1])) {
    if (page >= pages || page < 1) continue;
    await t.test(`page ${page + 1} of ${pages}`, async () => {
      writeFileSync(database, original);
      const file = openSync(database, 'r+');
      writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
      closeSync(file);
      await refused(server.dataFolder, new RegExp(database), /corrupt|damaged|malformed/i);
    });
  }
  await t.test('cut in half', async () => {
    writeFileSync(database, original);
    truncateSync(database, Math.floor(pages / 2) * 4096);
    await refused(server.dataFolder, new RegExp(database), /corrupt|damaged|malformed/i);
  });
  await t.test('and put back, it is whole', async () => {
    writeFileSync(database, original);
    await server.start();
  });
});

test('a write-ahead log whose end is torn', { timeout: 60_000 }, async (t) => {
  const { server, bob, database } = await usedFolder(t, 200);
  const wal = `${database}-wal`;
  assert.ok(statSync(wal).size > 0, 'a killed server leaves a log');
  const pending = async () => {
    const client = await ProtocolClient.login(server.url, bob);
    const { count } = await client.next('more');
    client.terminate();
    return count;
  };
  // What power failure leaves behind the last sync: half a frame, or garbage. Nothing that was synced is concerned.
  appendFileSync(wal, Buffer.alloc(3000, 0x5a));
  await server.start();
  assert.equal(await pending(), 200);
  await server.kill();

  // A log that was cut within what was synced (no crash does this, bad disks and bad copies do): SQLite takes what is
  // whole up to there. The server starts with a prefix of what was, in order.
  truncateSync(wal, Math.floor(statSync(wal).size / 2));
  await server.start();
  const count = await pending();
  assert.ok(count <= 200, `${count} of 200`);
});
