/** A disk that is full: sends are refused and retried, nothing acknowledged is lost, and it goes on when there is room. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ErrorCode, encodePing } from '../../src/protocol/index.js';
import { register, registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { assertNothingLost, settle } from '../support/nothing-lost.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { ReliablePeer } from '../support/reliable-peer.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

/** A folder on a file system of its own of so many MiB; null when mounting is not permitted. */
function smallDisk(t: TestContext, mebibytes: number): string | null {
  const folder = temporaryFolder(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`mounting is not permitted here: ${(error as Error).message.trim()}`);
    return null;
  }
  atEnd(t, () => execFileSync('umount', ['-l', folder]));
  return folder;
}

/** Takes all the room there is. */
function fill(folder: string): void {
  const file = openSync(join(folder, 'filler'), 'a');
  try {
    for (let size = 1024 * 1024; size >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const makeRoom = (folder: string) => rmSync(join(folder, 'filler'), { force: true });

async function prepared(t: TestContext, pairs: number, inFlightMax = 40) {
  const folder = smallDisk(t, 48);
  if (folder === null) return null;
  const server = TestServer.prepare(t, { dataFolder: join(folder, 'data') });
  server.setToken();
  await server.start();
  const users = await registerMany(server, pairs * 2);
  const peers = users.map((user) => new ReliablePeer(server, user, { inFlightMax, ackEvery: 3 }));
  atEnd(t, () => Promise.all(peers.map((peer) => peer.stop())));
  let acknowledged = 0;
  const load = { on: true };
  for (const [index, peer] of peers.entries()) {
    const partner = users[index ^ 1]!.user;
    const more = () => {
      while (load.on && peer.pending < inFlightMax) {
        peer.send(partner, `message ${peer.messages.length} ${'x'.repeat(500)}`);
      }
    };
    peer.onAcknowledged = () => {
      acknowledged++;
      more();
    };
    more();
    peer.run();
  }
  const afterMore = (count: number) => {
    const goal = acknowledged + count;
    return until(`${count} more acknowledgements`, () => acknowledged >= goal).catch((error) => {
      const told = peers.map(
        (peer) => `${peer.user} ${peer.pending} ${peer.violations}: ${peer.history.slice(-4).join('; ')}`,
      );
      throw new Error(`${error.message}\n${told.join('\n')}\n${server.lines.tail(8)}`);
    });
  };
  const refusedSends = () => peers.reduce((sum, peer) => sum + peer.refusals(ErrorCode.storeUnavailable), 0);
  return { folder, server, peers, load, afterMore, refusedSends };
}

test('a full disk refuses, and the service goes on by itself when there is room', {
  timeout: 120_000,
}, async (t) => {
  const parts = await prepared(t, 4);
  if (parts === null) return;
  const { folder, server, peers, load, afterMore, refusedSends } = parts;
  const { pid } = server;
  for (let round = 0; round < 3; round++) {
    await afterMore(200);
    const refusedBefore = refusedSends();
    const line = server.lines.all.length;
    fill(folder);
    await until('sends are refused', () => refusedSends() > refusedBefore + 10);
    await within('a line in the log', server.lines.find(/full/i, line));
    // Who is connected stays so, and what needs no disk works.
    const client = await ProtocolClient.connect(server.url);
    client.hello(null);
    await client.next('welcome');
    client.send((writer) => encodePing(writer, 1));
    await client.next('pong');
    client.terminate();
    makeRoom(folder);
    await within('a line in the log', server.lines.find(/commits again/, line));
    await afterMore(200);
  }
  load.on = false;
  await settle(peers);
  assertNothingLost(peers);
  assert.equal(server.pid, pid);
  assert.doesNotMatch(server.lines.text(), /crashed|ended/);
});

test('a disk that is full for a moment: nothing overtakes what was refused', {
  timeout: 120_000,
}, async (t) => {
  const parts = await prepared(t, 3, 120);
  if (parts === null) return;
  const { folder, server, peers, load, afterMore, refusedSends } = parts;
  // Room is made as soon as the first refusal is heard, while much is still on the wire and in the rings.
  for (const peer of peers) peer.onRefused = () => makeRoom(folder);
  for (let round = 0; round < 20; round++) {
    await afterMore(100);
    const refusedBefore = refusedSends();
    fill(folder);
    await until('sends are refused', () => refusedSends() > refusedBefore);
  }
  load.on = false;
  await settle(peers);
  assertNothingLost(peers);
  assert.doesNotMatch(server.lines.text(), /crashed/);
});

test('killed while the disk is full: what was acknowledged is there', { timeout: 120_000 }, async (t) => {
  const parts = await prepared(t, 4);
  if (parts === null) return;
  const { folder, server, peers, load, afterMore, refusedSends } = parts;
  for (let round = 0; round < 5; round++) {
    await afterMore(100);
    const refusedBefore = refusedSends();
    fill(folder);
    await until('sends are refused', () => refusedSends() > refusedBefore + 5);
    await server.kill();
    makeRoom(folder);
    await server.start();
  }
  load.on = false;
  await settle(peers);
  assertNothingLost(peers);
});

test('a start on a full disk serves or says why not, and loses nothing', { timeout: 120_000 }, async (t) => {
  const parts = await prepared(t, 2);
  if (parts === null) return;
  const { folder, server, peers, load, afterMore } = parts;
  await afterMore(200);
  await server.kill();
  fill(folder);
  server.spawn();
  const line = server.startedAtLine;
  const outcome = await Promise.race([
    server.listening().then(
      () => 'serves' as const,
      () => 'refused' as const,
    ),
    server.ended.then(() => 'refused' as const),
  ]);
  t.diagnostic(outcome);
  if (outcome === 'refused') {
    assert.equal((await server.ended).code, 1);
    assert.match(server.lines.text(line), /full/i);
  }
  makeRoom(folder);
  if (outcome === 'refused') await server.start();
  await afterMore(100);
  load.on = false;
  await settle(peers);
  assertNothingLost(peers);
});

test('registration on a full disk is refused and works later', { timeout: 60_000 }, async (t) => {
  const folder = smallDisk(t, 16);
  if (folder === null) return;
  const server = await TestServer.start(t, { dataFolder: join(folder, 'data') });
  await register(server, 15_550_001);
  fill(folder);
  const client = await ProtocolClient.connect(server.url);
  client.hello(null);
  await client.next('welcome');
  const { encodeRegister } = await import('../../src/protocol/index.js');
  // A few fit into what SQLite has already taken from the disk.
  let refused = false;
  for (let i = 0; i < 2000 && !refused; i++) {
    client.send((writer) => encodeRegister(writer, { ref: i, phone: 15_551_000 + i }));
    const answer = await Promise.race([
      client.next('challenge', (frame) => frame.ref === i),
      client.next('error', (frame) => frame.ref === i),
    ]);
    if (answer.type === 'error') {
      assert.equal(answer.code, ErrorCode.storeUnavailable);
      assert.ok(answer.retryable);
      refused = true;
    }
  }
  assert.ok(refused);
  makeRoom(folder);
  // The refusal said when to try again.
  await until('a number can be registered', () =>
    register(server, 15_550_002).then(
      () => true,
      () => false,
    ),
  );
});
