/** One device for each number: a new one ends the old one at once; a newer connection ends the older. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CloseCode, encodePing, WelcomeState } from '../../src/protocol/index.js';
import { register, registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { type Credentials, ProtocolClient } from '../support/protocol-client.js';
import { TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

test('a new device ends the old one', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const [alice, bob] = (await registerMany(server, 2)) as [Credentials, Credentials];
  const b = await ProtocolClient.login(server.url, bob);
  const old = await ProtocolClient.login(server.url, alice);

  // Sends without pause, so that the change falls among them.
  let id = alice.firstMessageId;
  const timer = setInterval(() => {
    for (let i = 0; i < 20 && old.isOpen && id - alice.firstMessageId < 200; i++)
      old.message(id++, bob.user, 'old');
  }, 1);
  atEnd(t, () => clearInterval(timer));
  await old.next('sendAck');

  const renewed = await register(server, alice.user);
  assert.equal(renewed.device, alice.device + 1);
  assert.ok(renewed.firstMessageId > alice.firstMessageId);
  const close = await within('the close of the old device', old.closed);
  assert.equal(close.code, CloseCode.deviceReplaced, close.reason);
  clearInterval(timer);

  await t.test('the old key is dead', async () => {
    const again = await ProtocolClient.connect(server.url);
    again.hello(alice);
    assert.equal((await within('the close', again.closed)).code, CloseCode.deviceReplaced);
    const mixed = await ProtocolClient.connect(server.url);
    mixed.hello({ ...alice, device: renewed.device });
    assert.equal((await within('the close', mixed.closed)).code, CloseCode.badCredentials);
  });

  await t.test('and stays so over a kill', async () => {
    await server.kill();
    await server.start();
    const again = await ProtocolClient.connect(server.url);
    again.hello(alice);
    assert.equal((await within('the close', again.closed)).code, CloseCode.deviceReplaced);
  });

  await t.test('the new device begins anew, and every acknowledged send of the old one arrives', async () => {
    const acknowledged = old.queue.filter((frame) => frame.type === 'sendAck').length + 1;
    b.terminate();
    const bAgain = await ProtocolClient.login(server.url, bob);
    const texts: string[] = [];
    await bAgain.next('more');
    for (let seq = 0; ; ) {
      bAgain.pull(seq);
      const batch = await bAgain.next('batch');
      for (const item of batch.items) {
        seq = item.seq;
        if (item.type === 'deliver') texts.push(Buffer.from(item.body).toString());
      }
      if (!batch.hasMore) break;
    }
    assert.ok(texts.length >= acknowledged, `${texts.length} arrived, ${acknowledged} were acknowledged`);

    const renewedClient = await ProtocolClient.connect(server.url);
    renewedClient.hello(renewed);
    const welcome = await renewedClient.next('welcome');
    assert.notEqual(welcome.state, WelcomeState.anonymous);
    renewedClient.message(renewed.firstMessageId, bob.user, 'new');
    const ack = await renewedClient.next('sendAck');
    assert.equal(ack.duplicate, false, 'the ids of the new device lie above those of the old one');
    const delivered = await bAgain.next('deliver');
    assert.equal(Buffer.from(delivered.body).toString(), 'new');
  });
});

test('what waits goes to the new device', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const [alice, bob] = (await registerMany(server, 2)) as [Credentials, Credentials];
  const b = await ProtocolClient.login(server.url, bob);
  const old = await ProtocolClient.login(server.url, alice);
  b.message(bob.firstMessageId, alice.user, 'to whoever has this number');
  // Delivered to the old device, which did not accept it.
  await old.next('deliver');
  const renewed = await register(server, alice.user);
  assert.equal((await within('the close', old.closed)).code, CloseCode.deviceReplaced);
  const client = await ProtocolClient.login(server.url, renewed, { epoch: 1, seq: 5_000_000_000 });
  await client.next('more');
  client.pull(0);
  const batch = await client.next('batch');
  assert.equal(batch.items.length, 1);
});

test('replaced again and again while many are connected', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  let current = await register(server, 15_550_200);
  for (let i = 0; i < 10; i++) {
    const client = await ProtocolClient.login(server.url, current);
    current = await register(server, current.user);
    assert.equal((await within('the close', client.closed)).code, CloseCode.deviceReplaced);
  }
  const last = await ProtocolClient.login(server.url, current);
  last.send((writer) => encodePing(writer, 1));
  await last.next('pong');
});

test('a newer connection of the same device ends the older', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const [alice, bob] = (await registerMany(server, 2)) as [Credentials, Credentials];
  const b = await ProtocolClient.login(server.url, bob);
  const older = await ProtocolClient.login(server.url, alice);
  b.message(bob.firstMessageId, alice.user, 'first');
  const first = await older.next('deliver');
  const newer = await ProtocolClient.login(server.url, alice, { epoch: older.epoch, seq: first.seq });
  const close = await within('the close', older.closed);
  assert.equal(close.code, CloseCode.connectionReplaced, close.reason);
  // The cursor was the acknowledgement: its receipt comes, and the next message goes to the newer one alone.
  await b.next('receipt');
  b.message(bob.firstMessageId + 1, alice.user, 'second');
  const second = await newer.next('deliver');
  assert.equal(Buffer.from(second.body).toString(), 'second');
  assert.equal(older.queue.length, 0);
  newer.ack(second.seq);
  await b.next('receipt');

  // A hundred connections of one device at the same time: one stays.
  const many = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const client = await ProtocolClient.connect(server.url);
      client.hello(alice, { epoch: older.epoch, seq: second.seq });
      return client;
    }),
  );
  const open = new Set(many);
  const codes = new Set<number>();
  await within(
    'all but one to be closed',
    new Promise<void>((resolve) => {
      for (const client of many) {
        void client.closed.then(({ code }) => {
          codes.add(code);
          open.delete(client);
          if (open.size === 1) resolve();
        });
      }
    }),
  );
  assert.deepEqual([...codes], [CloseCode.connectionReplaced]);
  b.message(bob.firstMessageId + 2, alice.user, 'third');
  const [survivor] = open;
  assert.equal(Buffer.from((await survivor!.next('deliver')).body).toString(), 'third');
});
