/** Crashes inside the server: of a session, of a partition, of a thread; too many of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseCode, EphemeralKind, encodeEphemeral, encodePing } from '../../src/protocol/index.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { register, registerMany } from '../support/accounts.js';
import { underLoad } from '../support/load.js';
import { type Credentials, ProtocolClient } from '../support/protocol-client.js';
import { TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

type Pair = [Credentials, Credentials];

/** A message goes from one to the other, is accepted, and its receipt comes back. */
async function roundTrip(from: ProtocolClient, to: ProtocolClient, id: number, user: number): Promise<void> {
  from.message(id, user, `message ${id}`);
  await from.next('sendAck', (ack) => ack.id === id);
  // A partition that was restarted meanwhile may want it to be pulled.
  const delivered = await Promise.race([
    to.next('deliver', (frame) => frame.id === id).then((frame) => frame.seq),
    to.next('more').then(async () => {
      to.pull(0);
      const batch = await to.next('batch');
      return batch.items.at(-1)!.seq;
    }),
  ]);
  to.ack(delivered);
}

test('a crash in a session ends that connection and no other', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const [alice, bob] = (await registerMany(server, 2)) as Pair;
  const a = await ProtocolClient.login(server.url, alice);
  const b = await ProtocolClient.login(server.url, bob);
  const line = server.lines.all.length;
  await server.injectFault({ kind: 'crash-session', user: alice.user });
  const close = await within('the close', a.closed);
  assert.equal(close.code, CloseCode.internalError, close.reason);
  await within('the log', server.lines.find(/crash/, line));
  b.send((writer) => encodePing(writer, 5));
  await b.next('pong');
  const again = await ProtocolClient.login(server.url, alice);
  await roundTrip(again, b, alice.firstMessageId, bob.user);
  await again.next('receipt');
});

test('sessions that crash by the dozen do not end their supervisor', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const [alice, bob] = (await registerMany(server, 2)) as Pair;
  const b = await ProtocolClient.login(server.url, bob);
  for (let i = 0; i < 60; i++) {
    const a = await ProtocolClient.login(server.url, alice);
    await server.injectFault({ kind: 'crash-session', user: alice.user });
    assert.equal((await within('the close', a.closed)).code, CloseCode.internalError);
  }
  b.send((writer) => encodePing(writer, 5));
  await b.next('pong');
});

test('a partition that crashes is restarted, and its sessions go on', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const [alice, bob] = (await registerMany(server, 2)) as Pair;
  const a = await ProtocolClient.login(server.url, alice);
  const b = await ProtocolClient.login(server.url, bob);
  // One message is delivered and not accepted when it happens.
  a.message(alice.firstMessageId, bob.user, 'before');
  await b.next('deliver');
  b.send((writer) => encodeEphemeral(writer, EphemeralKind.subscribe, alice.user, 0, 0));
  await b.next('ephemeral', (frame) => frame.peer === alice.user && frame.value === 1);

  const partition = partitionOf(bob.user);
  const line = server.lines.all.length;
  await server.injectFault({ kind: 'crash-partition', partition });
  await within('the log', server.lines.find(/crash/, line));
  await server.injectFault({ kind: 'crash-partition', partition: partitionOf(alice.user) });
  // The session is told, and tells its client that something waits.
  await b.next('more');
  a.message(alice.firstMessageId + 1, bob.user, 'after');
  await a.next('sendAck', (ack) => ack.id === alice.firstMessageId + 1);
  const bodies: string[] = [];
  let seq = 0;
  while (bodies.length < 2) {
    b.pull(seq);
    const batch = await b.next('batch');
    for (const item of batch.items) {
      seq = item.seq;
      if (item.type === 'deliver') bodies.push(Buffer.from(item.body).toString());
    }
  }
  assert.deepEqual(bodies, ['before', 'after']);
  b.ack(seq);
  const ranges: number[] = [];
  while (ranges.length < 2) {
    const receipt = await Promise.race([
      a.next('receipt'),
      a.next('more').then(async () => {
        a.pull(0);
        return (await a.next('batch')).items[0]!;
      }),
    ]);
    if (receipt.type === 'receipt') ranges.push(...receipt.ranges);
  }
  assert.deepEqual(ranges.slice(0, 2), [alice.firstMessageId, alice.firstMessageId + 1]);
  assert.ok(a.isOpen && b.isOpen, 'nobody was disconnected');
  // Who was watched is watched still.
  a.terminate();
  await b.next('ephemeral', (frame) => frame.peer === alice.user && frame.value === 0);
});

test('partitions crash under load: nobody is disconnected, nothing is lost', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t);
  const peers = await underLoad(t, server, async (after) => {
    await after(200);
    const used = [...new Set(peersPartitions())];
    for (let i = 0; i < 12; i++) {
      await server.injectFault({ kind: 'crash-partition', partition: used[i % used.length]! });
      await after(100);
    }
  });
  for (const peer of peers) assert.equal(peer.connects, 1, `${peer.user}:\n${peer.history.join('\n')}`);
});

function* peersPartitions(): Iterable<number> {
  for (let i = 0; i < 8; i++) yield partitionOf(15_550_000 + i);
}

test('the writer thread dies under load: nobody notices', { timeout: 120_000 }, async (t) => {
  const server = await TestServer.start(t);
  const peers = await underLoad(t, server, async (after) => {
    for (let i = 0; i < 4; i++) {
      await after(300);
      const line = server.lines.all.length;
      await server.injectFault({ kind: 'crash-thread', thread: 'writer-1' });
      await within('the log', server.lines.find(/writer-1 ended/, line));
    }
    await after(300);
  });
  for (const peer of peers) {
    assert.equal(peer.connects, 1, `${peer.user}:\n${peer.history.join('\n')}`);
  }
  assert.ok(server.isRunning);
});

test('the writer thread dies between a commit and its events: nobody notices', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t);
  const peers = await underLoad(t, server, async (after) => {
    for (let i = 0; i < 4; i++) {
      await after(300);
      const line = server.lines.all.length;
      await server.injectFault({ kind: 'crash-commit', thread: 'writer-1' });
      await within('the log', server.lines.find(/writer-1 ended/, line));
    }
    await after(300);
  });
  for (const peer of peers) assert.equal(peer.connects, 1, `${peer.user}:\n${peer.history.join('\n')}`);
});

test('one scheduler thread after the other dies under load: clients come back and go on', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t);
  const { pid, port } = server;
  const peers = await underLoad(t, server, async (after) => {
    for (let i = 0; i < Math.max(4, 2 * server.schedulers); i++) {
      await after(300);
      const line = server.lines.all.length;
      const thread = `scheduler-${(i % server.schedulers) + 1}` as const;
      await server.injectFault({ kind: 'crash-thread', thread });
      await within('the log', server.lines.find(new RegExp(`^${thread} ended`), line));
      await within('the log', server.lines.find(new RegExp(`^${thread} serves again`), line));
    }
    await after(300);
  });
  assert.equal(server.pid, pid, 'the process lives on');
  assert.equal(server.port, port);
  for (const peer of peers) assert.ok(peer.connects > 1);
});

test('both threads die at once', { timeout: 120_000 }, async (t) => {
  const server = await TestServer.start(t);
  const { pid } = server;
  await underLoad(t, server, async (after) => {
    await after(300);
    const line = server.lines.all.length;
    await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-1' });
    await server.injectFault({ kind: 'crash-thread', thread: 'writer-1' });
    await within('the log', server.lines.find(/scheduler-1 ended/, line));
    await within('the log', server.lines.find(/writer-1 ended/, line));
    await after(300);
  });
  assert.equal(server.pid, pid);
});

test('partitions that crash without end escalate: first the sessions, then the thread', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t);
  const { pid } = server;
  const user = await register(server, 15_550_001);
  const scheduler = server.schedulerOf(7);
  const ended = new RegExp(`^scheduler-${scheduler} ended`);
  const back = async () => {
    let client: ProtocolClient | undefined;
    await until('the server is back', async () => {
      client = await ProtocolClient.login(server.urlOf(scheduler), user).catch(() => undefined);
      return client !== undefined;
    });
    client!.send((writer) => encodePing(writer, 1));
    await client!.next('pong');
    return client!;
  };
  const threadEnded = () => server.lines.all.slice(line).some(({ message }) => ended.test(message));
  const line = server.lines.all.length;
  // Above 20 in 10 s the supervisor of the partitions gives up, and sessions and listener go with it. The fourth time
  // in a minute so does the supervisor above, and the thread with it.
  let levels = 0;
  let crashes = 0;
  while (!threadEnded()) {
    const client = await back();
    while (client.isOpen && crashes < 500) {
      crashes++;
      await server.injectFault({ kind: 'crash-partition', partition: 7 }).catch(() => {});
    }
    await within('the close', client.closed);
    levels++;
    assert.ok(crashes > 20 * levels, `the sessions were ended ${levels} times by ${crashes} crashes`);
    assert.ok(levels <= 5, `the thread goes on after ${levels} escalations`);
    // The log comes by another way than the close.
    if (levels === 4) await within('the log', server.lines.find(ended, line));
  }
  assert.equal(levels, 4);
  await back();
  assert.equal(server.pid, pid);
});

test('a scheduler that dies again and again is left out, and the others go on', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 2 } });
  const [alice, bob] = (await registerMany(server, 2)) as Pair;
  const line = server.lines.all.length;
  const isLeftOut = () =>
    server.lines.all.slice(line).some(({ message }) => /scheduler-2 .* left out/.test(message));
  await until(
    'it is left out',
    async () => {
      await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-2' });
      return isLeftOut();
    },
    { everyMs: 50, ms: 60_000 },
  );
  const a = await ProtocolClient.login(server.url, alice);
  const b = await ProtocolClient.login(server.url, bob);
  await roundTrip(a, b, alice.firstMessageId, bob.user);
  await a.next('receipt');
  const health = await server.operator('/healthz');
  assert.equal(health.status, 200);
});

test('the last scheduler that dies again and again ends the server with code 1', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 1 } });
  const line = server.lines.all.length;
  await until(
    'the server gives up',
    async () => {
      await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-1' }).catch(() => {});
      return !server.isRunning;
    },
    { everyMs: 50, ms: 60_000 },
  );
  assert.deepEqual(await server.ended, { code: 1, signal: null }, server.lines.tail());
  assert.match(server.lines.text(line), /giving up/);
});
