/** Floods: connections from one address, connections in all, frames and bytes above the rate, full inboxes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseCode, ErrorCode, encodeSend } from '../../src/protocol/index.js';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { type ConnectRefused, type Credentials, ProtocolClient } from '../support/protocol-client.js';
import { TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

/** Tries to connect `count` times at once; who got in, and how the others were refused. */
async function flood(server: TestServer, count: number, localAddress: string) {
  const results = await Promise.allSettled(
    Array.from({ length: count }, () => ProtocolClient.connect(server.url, { localAddress })),
  );
  const clients = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const refused = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as ConnectRefused] : [],
  );
  return { clients, refused };
}

/** Two users who chat; `once` resolves when a message has gone all the way and its receipt has come back. */
async function conversation(server: TestServer, [a, b]: readonly Credentials[]) {
  const from = await ProtocolClient.login(server.url, a!);
  const to = await ProtocolClient.login(server.url, b!);
  let id = a!.firstMessageId;
  return async () => {
    from.message(id++, b!.user, 'hello');
    await from.next('sendAck');
    to.ack((await to.next('deliver')).seq);
    from.ack((await from.next('receipt')).seq);
  };
}

test('connections from one address have a limit', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { connectionsPerAddressMax: 20 } });
  const chat = await conversation(server, await registerMany(server, 2));
  const { clients, refused } = await flood(server, 60, '127.0.0.2');
  assert.equal(clients.length, 20);
  assert.equal(refused.length, 40);
  assert.deepEqual([...new Set(refused.map((refusal) => refusal.status))], [429]);
  await chat();
  const other = await ProtocolClient.connect(server.url, { localAddress: '127.0.0.3' });
  other.hello(null);
  await other.next('welcome');
  // A place that is free again can be taken again.
  await clients.pop()?.close();
  const again = await flood(server, 3, '127.0.0.2');
  assert.equal(again.clients.length, 1);
});

test('the rate of connections from one address has a limit', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, {
    settings: { addressConnectsPerSecond: 1, addressConnectsBurst: 30 },
  });
  const chat = await conversation(server, await registerMany(server, 2));
  // Only HTTP: each is a connection of its own and gone at once, so the count is not what stops them.
  const { clients, refused } = await flood(server, 300, '127.0.0.2');
  assert.ok(refused.length > 200, `${refused.length} of 300 were refused`);
  assert.ok(clients.length >= 20, `only ${clients.length} of a burst of 30 got in`);
  await chat();
  const other = await ProtocolClient.connect(server.url, { localAddress: '127.0.0.3' });
  other.hello(null);
  await other.next('welcome');
});

test('connections in all have a limit', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { connectionsMax: 25 } });
  const chat = await conversation(server, await registerMany(server, 2));
  const { clients, refused } = await flood(server, 60, '127.0.0.2');
  assert.ok(clients.length <= 23, `${clients.length} got in beside the two who chat`);
  assert.ok(refused.length >= 37);
  await chat();
  for (const client of clients) client.terminate();
  await until('a place is free again', async () => {
    const { clients: late } = await flood(server, 1, '127.0.0.3');
    return late.length === 1;
  });
});

test('connections that never say what they want', { timeout: 60_000 }, async (t) => {
  const { connect } = await import('node:net');
  const server = await TestServer.start(t, { settings: { connectionsMax: 30 } });
  const chat = await conversation(server, await registerMany(server, 2));
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect({ host: '127.0.0.1', port: server.port, localAddress: '127.0.0.2' });
    socket.on('error', () => {});
    socket.write('GET /ws HTTP/1.1\r\nHost: ');
    return socket;
  });
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
  });
  // Those above the limit are closed at once, the others when the server has waited long enough for their request.
  await within(
    'all of them to be closed',
    Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))),
    45_000,
  );
  await chat();
  const late = await flood(server, 1, '127.0.0.3');
  assert.equal(late.clients.length, 1);
});

test('frames above the rate', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { operationsPerSecond: 20, operationsBurst: 100 } });
  const [flooder, recipient, ...others] = await registerMany(server, 4);
  const chat = await conversation(server, others);
  const client = await ProtocolClient.login(server.url, flooder!);
  const first = flooder!.firstMessageId;

  await t.test('are refused with the time to wait', async () => {
    client.send((writer) => {
      for (let i = 0; i < 500; i++) encodeSend(writer, first + i, recipient!.user, Buffer.from('flood'));
    });
    let acknowledged = 0;
    let limited = 0;
    for (let i = 0; i < 500; i++) {
      const frame = await Promise.race([
        client.next('sendAck', (ack) => ack.id === first + i),
        client.next('error', (error) => error.refKind === 1 && error.ref === first + i),
      ]);
      if (frame.type === 'sendAck') acknowledged++;
      else {
        limited++;
        assert.equal(frame.code, ErrorCode.rateLimited);
        assert.ok(frame.retryable && frame.retryAfterMs > 0, `retry after ${frame.retryAfterMs} ms`);
      }
    }
    assert.ok(acknowledged >= 100 && acknowledged < 250, `${acknowledged} of a burst of 100 were taken`);
    assert.equal(acknowledged + limited, 500);
    await chat();
  });

  await t.test('end the connection when they do not stop', async () => {
    let id = first + 500;
    const timer = setInterval(() => {
      if (!client.isOpen) return;
      client.send((writer) => {
        for (let i = 0; i < 200; i++) encodeSend(writer, id++, recipient!.user, Buffer.from('flood'));
      });
    }, 5);
    atEnd(t, () => clearInterval(timer));
    const close = await within('the close', client.closed);
    assert.equal(close.code, CloseCode.rateLimited, close.reason);
    await chat();
  });
});

test('bytes above the rate', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, {
    settings: { receiveBytesPerSecond: '1KiB', receiveBytesBurst: '128KiB', bodyBytesMax: '64KiB' },
  });
  const [flooder, recipient, ...others] = await registerMany(server, 4);
  const chat = await conversation(server, others);
  const client = await ProtocolClient.login(server.url, flooder!);
  const first = flooder!.firstMessageId;
  const body = new Uint8Array(60_000);
  for (let i = 0; i < 6; i++) client.message(first + i, recipient!.user, body);
  await client.next('sendAck', (ack) => ack.id === first);
  const error = await client.next('error', (frame) => frame.ref === first + 5);
  assert.equal(error.code, ErrorCode.rateLimited);
  assert.ok(error.retryAfterMs > 0);
  await chat();
});

test('an inbox that is full', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { inboxCountMax: 5, inboxBytesMax: '64KiB' } });
  const [a, b, c] = (await registerMany(server, 3)) as [Credentials, Credentials, Credentials];
  const sender = await ProtocolClient.login(server.url, a);
  let id = a.firstMessageId;
  const send = async (to: number, bytes: number) => {
    const ref = id++;
    sender.message(ref, to, new Uint8Array(bytes));
    return await Promise.race([
      sender.next('sendAck', (ack) => ack.id === ref),
      sender.next('error', (error) => error.refKind === 1 && error.ref === ref),
    ]);
  };
  for (let i = 0; i < 5; i++) assert.equal((await send(b.user, 10)).type, 'sendAck');
  const refusal = await send(b.user, 10);
  assert.ok(refusal.type === 'error');
  assert.equal(refusal.code, ErrorCode.inboxFull);
  assert.ok(refusal.retryable && refusal.retryAfterMs > 0);
  // Nobody else's inbox is concerned, until its bytes are used up.
  assert.equal((await send(c.user, 60_000)).type, 'sendAck');
  const heavy = await send(c.user, 10_000);
  assert.ok(heavy.type === 'error');
  assert.equal(heavy.code, ErrorCode.inboxFull);

  // Room again, once the recipient has taken what was there: and it is all there.
  const recipient = await ProtocolClient.login(server.url, b);
  await recipient.next('more');
  recipient.pull(0);
  const batch = await recipient.next('batch');
  assert.equal(batch.items.length, 5);
  recipient.ack(batch.items.at(-1)!.seq);
  await sender.next('receipt');
  // What found no room comes first, before anything newer.
  const newer = await send(b.user, 10);
  assert.ok(newer.type === 'error' && newer.code === ErrorCode.inboxFull);
  for (const { ref } of [refusal, newer]) {
    sender.message(ref, b.user, new Uint8Array(10));
    assert.equal((await recipient.next('deliver')).id, ref);
  }
});
