import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import WebSocket from 'ws';
import { SystemClock } from '../../src/structures/system-clock.js';
import { tokenRate } from '../../src/structures/token-bucket.js';
import type { Listener, ListenerOptions } from '../../src/transport/listener.js';
import { listen } from '../../src/transport/uws/uws-listener.js';
import { frame, handshake, RawClient } from './raw-client.js';
import { Recorder } from './socket-contract.js';
import { testOptions, until, wsUrl } from './uws-world.js';

/** Rates stand still: no token comes back during a test. */
class StoppedClock extends SystemClock {
  override now(): number {
    return 0;
  }
}

let listener: Listener;
const recorders: Recorder[] = [];
const clients: { destroy(): void }[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  recorders.length = 0;
  listener.close();
});

function start(options: Partial<ListenerOptions> = {}): void {
  const opened = (socket: Recorder['socket']) => {
    const recorder = new Recorder(socket);
    recorders.push(recorder);
    return recorder;
  };
  listener = listen({ ...testOptions, ...options }, { opened }, new StoppedClock());
}

async function raw(): Promise<RawClient> {
  const client = await RawClient.connect(listener.port);
  clients.push(client);
  return client;
}

async function open(): Promise<RawClient> {
  const client = await raw();
  client.write(handshake());
  await until(() => client.closed || client.text.includes('\r\n\r\n'));
  return client;
}

/** A well-behaved client that is still served. */
async function bystander(): Promise<() => Promise<void>> {
  const ws = new WebSocket(wsUrl(listener), 'rookery.v1');
  clients.push({ destroy: () => ws.terminate() });
  await new Promise((resolve) => ws.once('open', resolve));
  const recorder = recorders.at(-1)!;
  return async () => {
    const before = recorder.messages.length;
    ws.send(new Uint8Array([1, 2, 3]));
    await until(() => recorder.messages.length > before);
    assert.equal(ws.readyState, WebSocket.OPEN);
  };
}

test('a flood of connections from one address is held to its rate', async () => {
  start({ addressRate: tokenRate(1, 20) });
  const isServed = await bystander();
  const flood = await Promise.all(Array.from({ length: 200 }, () => open()));
  assert.equal(flood.filter(({ text }) => text.startsWith('HTTP/1.1 101')).length, 19);
  await until(() => flood.filter(({ closed }) => closed).length === 181);
  assert.equal(listener.counters.refusedRate, 181);
  assert.equal(listener.connections, 20);
  await isServed();
  for (const client of flood) client.destroy();
  await until(() => listener.connections === 1);
});

test('connections of one address are counted; the one too many hears 429', async () => {
  start({ connectionsPerAddressMax: 5 });
  const five = await Promise.all(Array.from({ length: 5 }, () => open()));
  const sixth = await open();
  assert.match(sixth.text, /^HTTP\/1.1 429 /);
  assert.equal(listener.counters.refusedAddress, 1);
  assert.equal(listener.connections, 5);
  five[0]!.destroy();
  await until(() => listener.connections === 4);
  assert.match((await open()).text, /^HTTP\/1.1 101 /);
});

test('handshakes that never come count against the whole, and are forgotten when they go', async () => {
  start({ connectionsMax: 10 });
  const silent = await Promise.all(Array.from({ length: 8 }, () => raw()));
  const first = await open();
  const second = await open();
  assert.match(first.text + second.text, /^HTTP\/1.1 101 [\s\S]*HTTP\/1.1 101 /);
  const refused = await open();
  assert.equal(refused.text, '');
  assert.equal(listener.counters.refusedFull, 1);
  for (const client of silent) client.destroy();
  // Gone for the server when it has read their ends, so try until it has.
  let again = await open();
  while (again.text === '') again = await open();
  assert.match(again.text, /^HTTP\/1.1 101 /);
  assert.equal(listener.connections, 3);
});

test('what is no HTTP, or too much of it, ends that connection', async () => {
  start();
  const isServed = await bystander();
  const garbage = [
    'NO SENSE AT ALL\r\n\r\n',
    new Uint8Array(10_000).fill(0),
    new Uint8Array(10_000).fill(0xff),
    `GET /ws HTTP/1.1\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`,
    'GET /ws HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'GET /ws HTTP/9.9\r\n\r\n',
    `\x16\x03\x01\x02\x00${'\x01'.repeat(500)}`,
  ];
  for (const data of garbage) {
    const client = await raw();
    client.write(data);
    await until(() => client.closed || /^HTTP\/1.1 [45]/.test(client.text));
  }
  await isServed();
  assert.equal(listener.connections, 1);
});

test('frames against the rules end that connection, and its handler hears of it once', async () => {
  start();
  const isServed = await bystander();
  const some = new Uint8Array(10).fill(7);
  const wrong: Record<string, Uint8Array> = {
    'reserved bits': frame(0xf2, some),
    'reserved opcode': frame(0x83, some),
    'a control frame in fragments': frame(0x09, some),
    'a continuation of nothing': frame(0x80, some),
    'text that is no UTF-8': frame(0x81, new Uint8Array([0xc3, 0x28])),
    'a length of 2^63': new Uint8Array([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    'a close frame of one byte': frame(0x88, new Uint8Array([3])),
  };
  for (const [name, bytes] of Object.entries(wrong)) {
    const client = await open();
    const recorder = recorders.at(-1)!;
    client.write(bytes);
    await until(() => recorder.closings.length > 0);
    await until(() => client.closed);
    assert.equal(recorder.closings.length, 1, name);
    assert.equal(recorder.messages.length, 0, name);
  }
  await isServed();
  assert.equal(listener.connections, 1);
});

test('a message in a thousand fragments is bounded by the limit of one message', async () => {
  start({ maxPayloadBytes: 1000 });
  const client = await open();
  const recorder = recorders.at(-1)!;
  client.write(frame(0x02, new Uint8Array(100)));
  for (let i = 0; i < 100 && recorder.closings.length === 0; i++)
    client.write(frame(0x00, new Uint8Array(100)));
  await until(() => recorder.closings.length > 0);
  assert.equal(recorder.messages.length, 0);
});

test('a hundred clients that do not read: each bounded, the others served', async () => {
  const limit = 256 * 1024;
  start({ maxBackpressureBytes: limit });
  const isServed = await bystander();
  const slow = await Promise.all(Array.from({ length: 100 }, () => open()));
  for (const client of slow) client.socket.pause();
  const message = new Uint8Array(60_000);
  for (let round = 0; round < 100; round++) {
    for (const recorder of recorders.slice(1)) recorder.socket.send(message);
  }
  for (const recorder of recorders) assert.ok(recorder.socket.bufferedBytes() <= limit);
  assert.ok(listener.counters.sendsDropped > 0);
  await isServed();
});

test('pings are answered by the transport, and are no messages', async () => {
  start();
  const client = await open();
  client.write(frame(0x89, new Uint8Array([42])));
  await until(() => client.text.endsWith('\x8a\x01*'));
  assert.equal(recorders[0]!.messages.length, 0);
});
