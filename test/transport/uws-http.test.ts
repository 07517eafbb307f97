import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { SystemClock } from '../../src/structures/system-clock.js';
import { staticAssets } from '../../src/transport/static-assets.js';
import { ListenError, listen } from '../../src/transport/uws/uws-listener.js';
import { handshake, RawClient } from './raw-client.js';
import { testOptions, until, wsUrl } from './uws-world.js';

const pem = (name: string) => fileURLToPath(new URL(`../../../test/transport/tls/${name}`, import.meta.url));
const script = new TextEncoder().encode('/* a script */\n'.repeat(600_000));
const assets = staticAssets(
  new Map([
    ['/index.html', new TextEncoder().encode('<!doctype html><title>Rookery</title>')],
    ['/app.js', script],
  ]),
);
const acceptor = {
  opened: () => ({ message: () => {}, drained: () => {}, closed: () => {} }),
};

describe('what the chat port serves', () => {
  const listener = listen({ ...testOptions, assets }, acceptor, new SystemClock());
  const base = `http://127.0.0.1:${listener.port}`;
  after(() => listener.close());

  test('assets with content type, validator and a policy', async () => {
    const response = await fetch(`${base}/`);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /Rookery/);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const etag = response.headers.get('etag') ?? '';
    const again = await fetch(`${base}/`, { headers: { 'if-none-match': etag } });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), '');
    assert.equal(again.headers.get('etag'), etag);
  });

  test('a large asset arrives whole, many times at once', async () => {
    const bodies = await Promise.all(
      Array.from(
        { length: 20 },
        async () => new Uint8Array(await (await fetch(`${base}/app.js`)).arrayBuffer()),
      ),
    );
    for (const body of bodies) assert.equal(Buffer.compare(body, script), 0);
  });

  test('a client that does not read, and one that goes in the middle, harm nobody', async () => {
    const slow = await RawClient.connect(listener.port);
    slow.socket.pause();
    slow.write('GET /app.js HTTP/1.1\r\nHost: x\r\n\r\n');
    const gone = await RawClient.connect(listener.port);
    gone.write('GET /app.js HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => gone.text.length > 0);
    gone.destroy();
    assert.equal((await fetch(`${base}/app.js`)).status, 200);
    slow.socket.resume();
    await until(() => slow.text.length > script.length);
    slow.destroy();
  });

  test('HEAD, other methods, other paths', async () => {
    const head = await fetch(`${base}/app.js`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(script.length));
    const post = await fetch(`${base}/app.js`, { method: 'POST', body: 'x'.repeat(100_000) });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get('allow'), 'GET, HEAD');
    for (const path of ['/nothing', '/../package.json', '/%2e%2e/package.json', '/app.js/', '//']) {
      assert.equal((await fetch(base + path)).status, 404, path);
    }
  });

  test('/healthz', async () => {
    const response = await fetch(`${base}/healthz`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'ok\n');
    assert.equal(response.headers.get('cache-control'), 'no-store');
  });

  async function refusal(headers: Record<string, string>): Promise<string> {
    const client = await RawClient.connect(listener.port);
    client.write(handshake(headers));
    await until(() => client.closed || client.text.startsWith('HTTP/1.1 101'));
    client.destroy();
    return client.text;
  }

  test('the handshake: subprotocol and origin', async () => {
    assert.match(await refusal({}), /^HTTP\/1.1 101 [\s\S]*\r\nSec-WebSocket-Protocol: rookery.v1\r\n/);
    assert.doesNotMatch(await refusal({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }), /Extensions/);
    assert.match(await refusal({ Origin: 'http://localhost' }), /^HTTP\/1.1 101 /);
    const before = listener.counters.refusedOrigin;
    assert.match(await refusal({ Origin: 'http://evil.example' }), /^HTTP\/1.1 403 [\s\S]*allow-list/);
    assert.equal(listener.counters.refusedOrigin, before + 1);
    assert.match(await refusal({ 'Sec-WebSocket-Protocol': 'chat' }), /^HTTP\/1.1 400 [\s\S]*rookery\.v1/);
    assert.match(await refusal({ 'Sec-WebSocket-Protocol': '' }), /^HTTP\/1.1 400 /);
    assert.equal(listener.counters.refusedProtocol, 2);
  });

  test('/ws without a handshake is answered, not upgraded', async () => {
    const response = await fetch(`${base}/ws`);
    assert.equal(response.status, 426);
    assert.match(await response.text(), /rookery\.v1/);
  });

  test('kept-alive connections cannot take every place: when it is crowded an answer ends its connection', async () => {
    const small = listen({ ...testOptions, assets, connectionsMax: 8 }, acceptor, new SystemClock());
    const ask = (client: RawClient) => client.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    const clients: RawClient[] = [];
    for (let i = 0; i < 8; i++) {
      const client = await RawClient.connect(small.port);
      ask(client);
      await until(() => client.text.includes('ok\n'));
      clients.push(client);
    }
    for (const client of clients) if (!client.closed) ask(client);
    await until(() => clients.filter((client) => client.closed).length >= 6);
    const late = await RawClient.connect(small.port);
    late.write(handshake());
    await until(() => late.text.startsWith('HTTP/1.1 101 '));
    small.close();
    await until(() => late.closed);
  });

  test('while draining, kept-alive connections hear 503', async () => {
    const draining = listen({ ...testOptions, assets }, acceptor, new SystemClock());
    const client = await RawClient.connect(draining.port);
    client.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => client.text.includes('ok\n'));
    draining.stopAccepting();
    client.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => client.text.includes('HTTP/1.1 503 '));
    client.write(handshake());
    await until(() => client.text.split('HTTP/1.1 503 ').length === 3);
    draining.close();
    await until(() => client.closed);
  });
});

test('a port in use, an address that is not ours: a typed error that names it', () => {
  const listener = listen(testOptions, acceptor, new SystemClock());
  assert.throws(
    () => listen({ ...testOptions, port: listener.port }, acceptor, new SystemClock()),
    (error) => error instanceof ListenError && error.message.includes(`127.0.0.1 port ${listener.port}`),
  );
  listener.close();
  assert.throws(
    () => listen({ ...testOptions, host: '192.0.2.1' }, acceptor, new SystemClock()),
    ListenError,
  );
});

test('a home port beside the common one leads to the same listener', async () => {
  const homePorts: number[] = [];
  const page = staticAssets(new Map([['/index.html', Buffer.from('<!doctype html>')]]));
  const options = { ...testOptions, homePort: 0, homePorts: () => homePorts, assets: page };
  const listener = listen(options, acceptor, new SystemClock());
  homePorts.push(listener.homePort);
  assert.notEqual(listener.homePort, 0);
  assert.notEqual(listener.homePort, listener.port);
  const { port } = listener;
  const home = (await fetch(`http://127.0.0.1:${listener.homePort}/healthz`)).status;
  assert.equal(home, 200);
  const policy = (await fetch(`http://127.0.0.1:${port}/`)).headers.get('content-security-policy');
  assert.match(policy ?? '', new RegExp(`connect-src 'self' ws://127\\.0\\.0\\.1:${listener.homePort};`));
  // A page of the common port connects to the home port; one from elsewhere does not.
  const open = (origin: string) =>
    new Promise<boolean>((resolve) => {
      const ws = new WebSocket(`ws://127.0.0.1:${listener.homePort}/ws`, 'rookery.v1', { origin });
      ws.once('open', () => resolve(true)).once('error', () => resolve(false));
    });
  assert.equal(await open(`http://127.0.0.1:${port}`), true);
  assert.equal(await open(`http://127.0.0.1:${port + 1}`), false);
  assert.equal(listener.connections, 1);
  const taken = { ...testOptions, homePort: listener.homePort };
  assert.throws(() => listen(taken, acceptor, new SystemClock()), ListenError);
  listener.close();
  const again = listen({ ...options, port, homePort: listener.homePort }, acceptor, new SystemClock());
  assert.deepEqual([again.port, again.homePort], [port, listener.homePort]);
  again.close();
});

test('a shared port has several listeners', () => {
  const first = listen({ ...testOptions, sharing: 'founds' }, acceptor, new SystemClock());
  const second = listen({ ...testOptions, sharing: 'joins', port: first.port }, acceptor, new SystemClock());
  assert.equal(second.port, first.port);
  const busy = { ...testOptions, port: first.port };
  assert.throws(() => listen(busy, acceptor, new SystemClock()), ListenError);
  // Another server that would share its port must not slip in beside this one.
  assert.throws(() => listen({ ...busy, sharing: 'founds' }, acceptor, new SystemClock()), ListenError);
  first.close();
  second.close();
});

test('a shared port has room for thousands that come while its thread is busy', {
  skip: process.platform !== 'linux',
}, () => {
  const listener = listen({ ...testOptions, sharing: 'founds' }, acceptor, new SystemClock());
  // This thread accepts nobody meanwhile: whoever is connected waits in the kernel.
  const crowd = `
    const { connect } = require('node:net');
    let left = 2000;
    for (let n = left; n > 0; n--) {
      connect(${listener.port}, '127.0.0.1', () => --left === 0 && process.exit(0));
    }`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', crowd], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  listener.close();
  assert.equal(status, 0, stderr);
});

test('a port can be listened on again at once, with connections just cut', async () => {
  const first = listen(testOptions, acceptor, new SystemClock());
  const client = await RawClient.connect(first.port);
  client.write(handshake());
  await until(() => first.connections === 1);
  first.close();
  const second = listen({ ...testOptions, port: first.port }, acceptor, new SystemClock());
  assert.equal(second.port, first.port);
  second.close();
});

describe('TLS', () => {
  const tls = { keyFile: pem('localhost-key.pem'), certFile: pem('localhost-cert.pem') };

  test('serves https and wss', async () => {
    const listener = listen({ ...testOptions, assets, tls }, acceptor, new SystemClock());
    const ca = readFileSync(tls.certFile);
    const status = await new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: listener.port, path: '/healthz', ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(status, 200);
    const ws = new WebSocket(wsUrl(listener).replace('ws:', 'wss:'), 'rookery.v1', { ca });
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
    assert.equal(listener.connections, 1);
    ws.terminate();
    await until(() => listener.connections === 0);
    listener.close();
  });

  test('unusable files: an error that says which and why', () => {
    const missing = { ...tls, keyFile: '/nowhere/key.pem' };
    assert.throws(
      () => listen({ ...testOptions, tls: missing }, acceptor, new SystemClock()),
      (error) => error instanceof ListenError && /\/nowhere\/key\.pem.*ENOENT/.test(error.message),
    );
    assert.throws(
      () => listen({ ...testOptions, tls: { ...tls, keyFile: tls.certFile } }, acceptor, new SystemClock()),
      ListenError,
    );
  });
});
