/** Code inside the server that never returns: in a session, in a partition, outside of processes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CloseCode, encodePing } from '../../src/protocol/index.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { skip } from '../schedulers/guarded-world.js';
import { register, registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { assertNothingLost, settle } from '../support/nothing-lost.js';
import { OutputLines } from '../support/output-lines.js';
import { type Credentials, ProtocolClient } from '../support/protocol-client.js';
import { ReliablePeer } from '../support/reliable-peer.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { flagsOf, spawnRookery, TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

const ALICE = 15_550_001;
const BOB = 15_550_002;
const CROWD = 5000;

describe('code that never returns', { skip }, () => {
  test('in a session: that connection is lost, and no other', { timeout: 60_000 }, async (t) => {
    const server = await TestServer.start(t);
    const alice = await register(server, ALICE);
    const bob = await register(server, BOB);
    const a = await ProtocolClient.login(server.url, alice);
    const b = await ProtocolClient.login(server.url, bob);
    const line = server.lines.all.length;
    await server.injectFault({ kind: 'loop-session', user: alice.user });
    a.send((writer) => encodePing(writer, 1));
    const close = await within('the close', a.closed);
    assert.equal(close.code, CloseCode.internalError, close.reason);
    const { message, fields } = await within('the log', server.lines.find(/was cut off after/, line));
    assert.match(message, /^session was cut off after \d+ ms in Session\.receive\(socket\)$/);
    assert.match(String(fields['path']), /sessions$/);
    assert.match(String(fields['stack']), /^at .*spin .*inject-fault\.js:\d+:\d+\)/);
    b.send((writer) => encodePing(writer, 5));
    await b.next('pong');
    const again = await ProtocolClient.login(server.url, alice);
    again.message(alice.firstMessageId, bob.user, 'still here');
    await b.next('deliver');
  });

  test('in a partition: it is started anew, nobody is disconnected', { timeout: 60_000 }, async (t) => {
    const server = await TestServer.start(t);
    const [alice, bob] = (await registerMany(server, 2)) as [Credentials, Credentials];
    const peers = [alice, bob].map((user) => new ReliablePeer(server, user));
    atEnd(t, () => Promise.all(peers.map((peer) => peer.stop())));
    const [a, b] = peers as [ReliablePeer, ReliablePeer];
    for (const peer of peers) peer.run();
    a.send(b.user, 'before');
    await settle(peers);
    const line = server.lines.all.length;
    await server.injectFault({ kind: 'loop-partition', partition: partitionOf(bob.user) });
    a.send(b.user, 'into the loop');
    await within('the log', server.lines.find(/cut off after \d+ ms in Partition\.receive/, line));
    a.send(b.user, 'after');
    await settle(peers);
    assertNothingLost(peers);
    for (const peer of peers) assert.equal(peer.connects, 1, peer.history.join('\n'));
  });

  test('outside of processes: the thread ends itself, and is started anew', {
    timeout: 90_000,
  }, async (t) => {
    const settings = { schedulers: 2, longScheduleKillMs: 300, schedulerHangMs: 1000 };
    const server = await TestServer.start(t, { settings });
    const { pid } = server;
    const users = await registerMany(server, 8);
    const peers = users.map((user) => new ReliablePeer(server, user));
    atEnd(t, () => Promise.all(peers.map((peer) => peer.stop())));
    for (const peer of peers) peer.run();
    for (const thread of ['scheduler-1', 'scheduler-2'] as const) {
      const line = server.lines.all.length;
      await server.injectFault({ kind: 'loop-thread', thread });
      for (const [index, peer] of peers.entries()) peer.send(users[index ^ 1]!.user, `while ${thread} hangs`);
      const stuck = await within('the report', server.lines.find(/has run outside of its processes/, line));
      assert.match(String(stuck.fields['stack']), /spin/);
      const ends = server.lines.find(new RegExp(`^${thread} does not come back to its loop`), line);
      assert.match(String((await within('its end', ends)).fields['stack']), /spin/);
      await within('the log', server.lines.find(new RegExp(`^${thread} serves again`), line));
    }
    await settle(peers);
    assertNothingLost(peers);
    assert.equal(server.pid, pid, 'the process lives on');
  });

  test(`in one session, while ${CROWD} others chat on the same scheduler`, {
    timeout: 600_000,
  }, async (t) => {
    const server = await TestServer.start(t, {
      settings: {
        schedulers: 1,
        connectionsPerAddressMax: 100_000,
        addressConnectsPerSecond: 100_000,
        addressConnectsBurst: 100_000,
        connectsPerSecond: 100_000,
        connectsBurst: 100_000,
      },
    });
    const { pid } = server;
    const lanes = 20;
    const registered = await Promise.all(
      Array.from({ length: lanes }, (_, lane) =>
        registerMany(server, CROWD / lanes, 15_600_000 + lane * (CROWD / lanes)),
      ),
    );
    const users = registered.flat();
    const culprit = new ReliablePeer(server, await register(server, ALICE), { readReceipts: false });
    const peers = users.map((user) => new ReliablePeer(server, user, { readReceipts: false, ackEvery: 1 }));
    atEnd(t, () => Promise.all([culprit, ...peers].map((peer) => peer.stop())));
    const all = [...peers, culprit];
    for (const [index, peer] of all.entries()) {
      peer.run();
      // Not all in one moment: the queue of the listening socket is short.
      if (index % 100 === 99) await until('they are welcome', () => peer.isOnline, { ms: 120_000 });
    }
    await until('all are online', () => all.every((peer) => peer.isOnline), { ms: 120_000 });
    const chat = (text: string) => {
      for (const [index, peer] of peers.entries()) peer.send(users[index ^ 1]!.user, text);
    };
    chat('before');
    await settle(peers, undefined, 120_000);

    const line = server.lines.all.length;
    await server.injectFault({ kind: 'loop-session', user: culprit.user });
    culprit.send(users[0]!.user, 'into the loop');
    chat('during');
    const { fields, message } = await within(
      'the log',
      server.lines.find(/was cut off after/, line),
      120_000,
    );
    assert.match(message, /^session was cut off after \d+ ms in Session\.receive\(socket\)$/);
    assert.match(String(fields['stack']), /spin/);
    chat('after');
    await settle(all, undefined, 240_000);

    assertNothingLost(all);
    assert.equal(server.pid, pid);
    assert.deepEqual(
      peers.filter((peer) => peer.connects !== 1).map((peer) => peer.history),
      [],
      'somebody else was disconnected',
    );
    assert.equal(culprit.connects, 2);
    // Alerts about mailboxes of a machine that is too busy are no errors of the server's code; and that the session's code did not
    // return is told of its version, too.
    const errors = server.lines.all
      .slice(line)
      .filter(({ fields: { level, alert } }) => Number(level) >= 50 && alert === undefined)
      .filter(({ message }) => message !== 'session (version 0) threw');
    assert.equal(errors.length, 1, errors.map(({ text }) => text).join('\n'));
  });
});

test('without the native guard the server says so, once, and serves', { timeout: 60_000 }, async (t) => {
  const dataFolder = temporaryFolder(t);
  const settings = { dataFolder, port: 0, operatorPort: 0, schedulers: 2, logFormat: 'json' };
  const child = spawnRookery(['start', ...flagsOf(settings)], { ROOKERY_NO_NATIVE: '1' });
  const lines = new OutputLines();
  lines.follow(child.stdout!);
  lines.follow(child.stderr!);
  const ended = new Promise((done) => child.once('close', done));
  atEnd(t, () => {
    child.kill('SIGKILL');
    return ended;
  });
  const serving = await within(
    'the server',
    lines.find(({ fields }) => 'operatorPort' in fields),
  );
  const client = await ProtocolClient.connect(`ws://127.0.0.1:${String(serving.fields['port'])}/ws`);
  client.hello(null);
  await client.next('welcome');
  client.terminate();
  child.kill('SIGTERM');
  await within('the end', ended);
  const said = lines.all.filter(({ message }) => /no native guard, ROOKERY_NO_NATIVE is set/.test(message));
  assert.equal(said.length, 1, lines.text());
});
