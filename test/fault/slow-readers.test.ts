/** Clients that do not read, or one byte a second: bounded memory, and nobody else notices. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CloseCode, encodeHello, encodePull, encodeSend, FrameWriter } from '../../src/protocol/index.js';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { type Credentials, ProtocolClient } from '../support/protocol-client.js';
import { RawWebSocket } from '../support/raw-web-socket.js';
import { TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

const MiB = 1024 * 1024;

/** Messages for each of those who never read. */
const COUNT = 800;

/** A sender, two who chat, and those who are slow. */
type Users = [sender: Credentials, a: Credentials, b: Credentials, ...slow: Credentials[]];

function helloBytes(user: Credentials): Uint8Array {
  const writer = new FrameWriter(4096);
  encodeHello(writer, {
    versionMin: 1,
    versionMax: 1,
    capabilities: 0,
    user: user.user,
    device: user.device,
    key: user.key,
    epoch: 0,
    seq: 0,
    agent: 'slow',
  });
  return writer.copy();
}

function pullBytes(seq: number): Uint8Array {
  const writer = new FrameWriter(64);
  encodePull(writer, seq, 0, 0);
  return writer.copy();
}

/** Sends `count` messages with bodies of `bytes` to each of `to`, at most 200 unanswered at a time. */
async function pour(
  server: TestServer,
  from: Credentials,
  to: readonly number[],
  count: number,
  bytes: number,
): Promise<{ acknowledged: number; refused: number }> {
  const total = count * to.length;
  let acknowledged = 0;
  let refused = 0;
  let sent = 0;
  const body = new Uint8Array(bytes);
  await within(
    `${total} answers`,
    new Promise<void>((resolve, reject) => {
      let client: ProtocolClient | null = null;
      let welcomed = false;
      const fill = () => {
        if (client === null || !welcomed) return;
        const writer = new FrameWriter(MiB);
        while (sent < total && sent - acknowledged - refused < 200 && writer.length < 60_000) {
          encodeSend(writer, from.firstMessageId + sent, to[sent % to.length]!, body);
          sent++;
        }
        if (writer.length > 0) client.sendRaw(writer.copy());
      };
      ProtocolClient.login(server.url, from, undefined, {
        onFrame: (frame) => {
          if (frame.type === 'sendAck') acknowledged++;
          else if (frame.type === 'error') refused++;
          else if (frame.type === 'welcome') welcomed = true;
          else return;
          fill();
          if (acknowledged + refused === total) {
            client?.terminate();
            resolve();
          }
        },
      }).then((opened) => {
        client = opened;
        fill();
        void opened.closed.then(({ code }) => reject(new Error(`the sender was closed with ${code}`)));
      }, reject);
    }),
    120_000,
  );
  return { acknowledged, refused };
}

/** Two who chat while `work` is going on, and for some messages more; returns how many went the whole way. */
async function chatDuring(
  t: TestContext,
  server: TestServer,
  [a, b]: readonly [Credentials, Credentials],
  work: () => Promise<void>,
): Promise<number> {
  const from = await ProtocolClient.login(server.url, a);
  const to = await ProtocolClient.login(server.url, b);
  atEnd(t, () => {
    from.terminate();
    to.terminate();
  });
  let roundsMin = Number.POSITIVE_INFINITY;
  let rounds = 0;
  const chat = async () => {
    let id = a.firstMessageId;
    while (rounds < roundsMin) {
      from.message(id++, b.user, 'hello');
      await from.next('sendAck');
      to.ack((await to.next('deliver')).seq);
      from.ack((await from.next('receipt')).seq);
      rounds++;
    }
  };
  const chatting = chat();
  try {
    await Promise.race([work(), chatting]);
  } finally {
    // What `work` made is still there: these have to get through beside it.
    roundsMin = rounds + 20;
  }
  await chatting;
  return rounds;
}

test('clients that never read', { timeout: 180_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { ackTimeoutMs: '10m', inboxCountMax: 100_000 } });
  const [warm, sender, a, b, ...slow] = (await registerMany(server, 24)) as [Credentials, ...Users];
  // What the server needs for traffic of this kind at all is not what is measured.
  await pour(server, sender, [warm.user], 2000, 4000);

  const sockets = await Promise.all(
    slow.map(async (user) => {
      const raw = await RawWebSocket.connect(server.port);
      raw.send(helloBytes(user));
      return raw;
    }),
  );
  atEnd(t, () => {
    for (const raw of sockets) raw.destroy();
  });
  const before = server.residentBytes();
  const rounds = await chatDuring(t, server, [a, b], async () => {
    // 20 readers that do not read, 800 messages of 30 KB for each: 480 MB in all.
    const { acknowledged, refused } = await pour(
      server,
      { ...sender, firstMessageId: sender.firstMessageId + 10_000 },
      slow.map((user) => user.user),
      COUNT,
      30_000,
    );
    assert.equal(refused, 0);
    assert.equal(acknowledged, COUNT * slow.length);
    // They ask for more and more without reading any answer.
    for (let i = 0; i < 200; i++) for (const raw of sockets) raw.send(pullBytes(0));
  });
  const after = server.residentBytes();
  t.diagnostic(
    `resident ${Math.round(before / MiB)} → ${Math.round(after / MiB)} MiB; ${rounds} rounds of chat beside`,
  );
  assert.ok(after - before < 200 * MiB, `grew by ${Math.round((after - before) / MiB)} MiB`);

  // Nothing was lost: whoever begins to read gets it all, in order.
  sockets[0]!.destroy();
  const reader = await ProtocolClient.login(server.url, slow[0]!);
  const more = await reader.next('more');
  assert.equal(more.count, COUNT);
  let seq = 0;
  let items = 0;
  for (let hasMore = true; hasMore; ) {
    reader.pull(seq);
    const batch = await reader.next('batch');
    for (const item of batch.items) {
      assert.ok(item.seq > seq);
      seq = item.seq;
      items++;
    }
    hasMore = batch.hasMore;
  }
  assert.equal(items, COUNT);
});

test('clients that read one byte at a time', { timeout: 120_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { ackTimeoutMs: '10m' } });
  const [sender, a, b, ...slow] = (await registerMany(server, 8)) as Users;
  const sockets = await Promise.all(
    slow.map(async (user) => {
      const raw = await RawWebSocket.connect(server.port);
      raw.send(helloBytes(user));
      return raw;
    }),
  );
  let bytes = 0;
  const timer = setInterval(async () => {
    for (const raw of sockets) bytes += (await raw.read(1))?.length ?? 0;
  }, 1000);
  atEnd(t, () => {
    clearInterval(timer);
    for (const raw of sockets) raw.destroy();
  });
  const before = server.residentBytes();
  const rounds = await chatDuring(t, server, [a, b], async () => {
    const { acknowledged } = await pour(
      server,
      sender,
      slow.map((user) => user.user),
      1000,
      4000,
    );
    assert.equal(acknowledged, 1000 * slow.length);
    await until('each has read some bytes', () => bytes >= 2 * slow.length);
  });
  const after = server.residentBytes();
  t.diagnostic(
    `resident ${Math.round(before / MiB)} → ${Math.round(after / MiB)} MiB; ${rounds} rounds of chat beside`,
  );
  assert.ok(after - before < 200 * MiB, `grew by ${Math.round((after - before) / MiB)} MiB`);
});

test('who accepts nothing is disconnected in the end', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { ackTimeoutMs: 300 } });
  const [a, b] = (await registerMany(server, 2)) as [Credentials, Credentials];
  const from = await ProtocolClient.login(server.url, a);
  const to = await ProtocolClient.login(server.url, b);
  from.message(a.firstMessageId, b.user, 'hello');
  await to.next('deliver');
  const close = await within('the close', to.closed);
  assert.equal(close.code, CloseCode.ackTimeout, close.reason);
  // It is still there for the next connection.
  const again = await ProtocolClient.login(server.url, b);
  assert.equal((await again.next('more')).count, 1);
});

test('who comes back and stalls again and again does not pile up', { timeout: 120_000 }, async (t) => {
  const server = await TestServer.start(t, {
    settings: { ackTimeoutMs: 300, idleTimeoutMs: '8s', heartbeatMs: '2s' },
  });
  const [sender, a, b, ...slow] = (await registerMany(server, 13)) as Users;
  await pour(
    server,
    sender,
    slow.map((user) => user.user),
    300,
    4000,
  );
  const sockets: RawWebSocket[] = [];
  atEnd(t, () => {
    for (const raw of sockets) raw.destroy();
  });
  const stallAll = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await Promise.all(
        slow.map(async (user) => {
          const raw = await RawWebSocket.connect(server.port);
          sockets.push(raw);
          raw.send(helloBytes(user));
          // Four batches of up to 256 KiB, none of which is read.
          for (let n = 0; n < 4; n++) raw.send(pullBytes(0));
        }),
      );
    }
  };
  await stallAll(5);
  const before = server.residentBytes();
  const rounds = await chatDuring(t, server, [a, b], () => stallAll(25));
  const after = server.residentBytes();
  t.diagnostic(
    `resident ${Math.round(before / MiB)} → ${Math.round(after / MiB)} MiB; ${rounds} rounds of chat beside`,
  );
  assert.ok(after - before < 250 * MiB, `grew by ${Math.round((after - before) / MiB)} MiB`);
  // And what was closed is really gone, although its client never read the close.
  const connectionsOf = async () => {
    const { readdirSync, readlinkSync } = await import('node:fs');
    return readdirSync(`/proc/${server.pid}/fd`).filter((fd) => {
      try {
        return readlinkSync(`/proc/${server.pid}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false;
      }
    }).length;
  };
  await until('the stalled sockets are gone', async () => (await connectionsOf()) < 40, {
    ms: 60_000,
    everyMs: 250,
  });
});
