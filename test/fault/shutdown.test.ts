/** SIGTERM: clients are sent away with different delays, everything is written, exit code 0; a second one hurries. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { CloseCode } from '../../src/protocol/index.js';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { underLoad } from '../support/load.js';
import { ConnectRefused, ProtocolClient } from '../support/protocol-client.js';
import { RawWebSocket } from '../support/raw-web-socket.js';
import { TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

test('SIGTERM sends every client away and ends with code 0', { timeout: 60_000 }, async (t) => {
  const jitterMs = 1500;
  const server = await TestServer.start(t, { settings: { drainGraceMs: 1000, drainJitterMs: jitterMs } });
  const users = await registerMany(server, 12);
  const clients = await Promise.all(users.map((user) => ProtocolClient.login(server.url, user)));
  const anonymous = await ProtocolClient.connect(server.url);
  anonymous.hello(null);
  await anonymous.next('welcome');
  const silent = await ProtocolClient.connect(server.url);
  const all = [...clients, anonymous, silent];

  const line = server.lines.all.length;
  server.signal('SIGTERM');
  const goAways = await Promise.all(all.map((client) => client.next('goAway')));
  for (const goAway of goAways) {
    assert.equal(goAway.reason, CloseCode.goingAway);
    assert.ok(goAway.delayMs >= 0 && goAway.delayMs <= jitterMs, `a delay of ${goAway.delayMs} ms`);
  }
  const delays = new Set(goAways.map((goAway) => goAway.delayMs));
  assert.ok(delays.size > all.length / 2, `delays are not spread: ${[...delays]}`);

  // GOAWAY came, so the port is closed by now, while the old connections are still open.
  await assert.rejects(ProtocolClient.connect(server.url), ConnectRefused);
  const healthz = await fetch(`http://127.0.0.1:${server.operatorPort}/healthz`).catch(() => null);
  if (healthz !== null) assert.equal(healthz.status, 503);

  for (const close of await Promise.all(all.map((client) => client.closed))) {
    assert.equal(close.code, CloseCode.goingAway, close.reason);
  }
  assert.deepEqual(await within('the end', server.ended), { code: 0, signal: null }, server.lines.tail());
  await server.lines.find(/SIGTERM/, line);
  await server.lines.find(/stopped/, line);
});

test('what is sent until the close is answered and kept', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { drainGraceMs: 300, drainJitterMs: 10 } });
  await underLoad(
    t,
    server,
    async (after) => {
      for (let round = 0; round < 4; round++) {
        await after(200);
        server.signal('SIGTERM');
        assert.deepEqual(
          await within('the end', server.ended),
          { code: 0, signal: null },
          server.lines.tail(),
        );
        await server.start();
      }
    },
    4,
  );
});

test('a second SIGTERM does not wait for who does not leave', { timeout: 90_000 }, async (t) => {
  // The grace is far longer than the test's own patience: only the hurry can end it.
  const server = await TestServer.start(t, { settings: { drainGraceMs: '10m', drainJitterMs: 10 } });
  const [user] = await registerMany(server, 1);
  const client = await ProtocolClient.login(server.url, user!);
  const stalled = await RawWebSocket.connect(server.port);
  atEnd(t, () => stalled.destroy());

  server.signal('SIGTERM');
  await client.next('goAway');
  assert.ok(server.isRunning);
  const line = server.lines.all.length;
  server.signal('SIGTERM');
  assert.deepEqual(await within('the end', server.ended), { code: 0, signal: null }, server.lines.tail());
  assert.match(server.lines.text(line), /hurry/);
});

test('SIGINT ends the server like SIGTERM', { timeout: 30_000 }, async (t) => {
  const server = await TestServer.start(t);
  server.signal('SIGINT');
  assert.deepEqual(await within('the end', server.ended), { code: 0, signal: null }, server.lines.tail());
});

test('peers that answer nothing do not hold up the end', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { drainGraceMs: 100, drainJitterMs: 0 } });
  const stalled = await RawWebSocket.connect(server.port);
  atEnd(t, () => stalled.destroy());
  const half = connect({ host: '127.0.0.1', port: server.port });
  half.on('error', () => {});
  atEnd(t, () => half.destroy());
  await within('half a request', new Promise((sent) => half.write('GET /ws HTTP/1.1\r\n', sent)));
  server.signal('SIGTERM');
  // uWebSockets.js gives up on such peers after 10 to 16 seconds, and so did the server.
  const exit = await within('the end', server.ended, 8_000);
  assert.deepEqual(exit, { code: 0, signal: null }, server.lines.tail());
});
