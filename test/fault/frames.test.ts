/** What a client may not send: a typed error and a close with the right code, and nobody else notices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CloseCode,
  ErrorCode,
  encodeAck,
  encodeClientState,
  encodeHello,
  encodePing,
  encodePull,
  encodeRegister,
  encodeRequest,
  encodeSend,
  encodeVerify,
  FrameWriter,
  WelcomeState,
} from '../../src/protocol/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { register, registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { type Credentials, ProtocolClient } from '../support/protocol-client.js';
import { RawWebSocket } from '../support/raw-web-socket.js';
import { TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

type Write = (writer: FrameWriter) => void;

const bytesOf = (write: Write): Uint8Array => {
  const writer = new FrameWriter(1024 * 1024);
  write(writer);
  return writer.copy();
};

const hello = (over: Partial<Parameters<typeof encodeHello>[1]> = {}): Write => {
  return (writer) =>
    encodeHello(writer, {
      versionMin: 1,
      versionMax: 1,
      capabilities: 0,
      user: 0,
      device: 0,
      key: new Uint8Array(0),
      epoch: 0,
      seq: 0,
      agent: 'test',
      ...over,
    });
};

test('frames that are wrong', { timeout: 180_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { bodyBytesMax: '16KiB' } });
  const [alice, bob, carol] = (await registerMany(server, 3)) as [Credentials, Credentials, Credentials];
  // Two who go on chatting all the while, to be asked at the end whether they noticed anything.
  const b = await ProtocolClient.login(server.url, bob);
  const c = await ProtocolClient.login(server.url, carol);
  let bobsId = bob.firstMessageId;
  const bobAndCarolChat = async () => {
    const id = bobsId++;
    b.message(id, carol.user, `message ${id}`);
    await b.next('sendAck', (ack) => ack.id === id);
    const delivered = await c.next('deliver', (deliver) => deliver.id === id);
    c.ack(delivered.seq);
    const receipt = await b.next('receipt');
    b.ack(receipt.seq);
  };

  const connected = () => ProtocolClient.connect(server.url);
  const anonymous = async () => {
    const client = await connected();
    client.hello(null);
    const welcome = await client.next('welcome');
    assert.equal(welcome.state, WelcomeState.anonymous);
    return client;
  };
  const active = () => ProtocolClient.login(server.url, alice);

  /** Sends the bytes and expects the error (if any) and the close. */
  const refused = async (
    name: string,
    from: () => Promise<ProtocolClient>,
    bytes: Uint8Array,
    code: ErrorCode,
    close: CloseCode,
  ) => {
    await t.test(name, async () => {
      const client = await from();
      client.sendRaw(bytes);
      const error = await client.next('error');
      assert.equal(error.code, code, error.message);
      assert.equal(error.refKind, 0);
      const closed = await within('the close', client.closed);
      assert.equal(closed.code, close, closed.reason);
      assert.notEqual(closed.reason, '', 'a close has a reason');
      await bobAndCarolChat();
    });
  };

  const { malformed, outOfOrder, notAuthenticated, badCredentials } = ErrorCode;
  const key = new Uint8Array(32).fill(7);

  // ——— before HELLO, before WELCOME, in the wrong order
  for (const [name, write] of [
    ['SEND', (w) => encodeSend(w, 1, bob.user, new Uint8Array(3))],
    ['ACK', (w) => encodeAck(w, 1)],
    ['PULL', (w) => encodePull(w, 0, 0, 0)],
    ['REGISTER', (w) => encodeRegister(w, { ref: 1, phone: 15_559_999 })],
    ['VERIFY', (w) => encodeVerify(w, { ref: 1, phone: 15_559_999, pin: '000000', name: '' })],
    ['REQ', (w) => encodeRequest(w, 1, 'server.info', {})],
    ['PING', (w) => encodePing(w, 1)],
    ['CLIENT_STATE', (w) => encodeClientState(w, true)],
  ] as [string, Write][]) {
    await refused(`${name} before HELLO`, connected, bytesOf(write), outOfOrder, CloseCode.protocolViolation);
  }
  for (const [name, write] of [
    ['SEND', (w) => encodeSend(w, 1, bob.user, new Uint8Array(3))],
    ['ACK', (w) => encodeAck(w, 1)],
    ['REQ', (w) => encodeRequest(w, 1, 'users.lookup', { users: [bob.user] })],
  ] as [string, Write][]) {
    await refused(
      `${name} without a key`,
      anonymous,
      bytesOf(write),
      notAuthenticated,
      CloseCode.protocolViolation,
    );
  }
  await refused('a second HELLO', active, bytesOf(hello()), outOfOrder, CloseCode.protocolViolation);
  await refused(
    'SEND in the same message as HELLO, before WELCOME',
    connected,
    bytesOf((w) => {
      hello({ user: alice.user, device: alice.device, key: alice.key })(w);
      encodeSend(w, 1, bob.user, new Uint8Array(3));
    }),
    outOfOrder,
    CloseCode.protocolViolation,
  );
  await refused(
    'REGISTER on an authenticated connection',
    active,
    bytesOf((w) => encodeRegister(w, { ref: 1, phone: 15_559_999 })),
    outOfOrder,
    CloseCode.protocolViolation,
  );
  await refused(
    'a frame that only a server sends',
    active,
    Uint8Array.of(3, 0x22, 0, 0),
    outOfOrder,
    CloseCode.protocolViolation,
  );

  // ——— credentials
  await refused(
    'a wrong key',
    connected,
    bytesOf(hello({ user: alice.user, device: alice.device, key })),
    badCredentials,
    CloseCode.badCredentials,
  );
  await refused(
    'a number that is not registered',
    connected,
    bytesOf(hello({ user: 15_558_888, device: 1, key })),
    badCredentials,
    CloseCode.badCredentials,
  );
  await refused(
    'a device of the future',
    connected,
    bytesOf(hello({ user: alice.user, device: alice.device + 1, key: alice.key })),
    badCredentials,
    CloseCode.badCredentials,
  );
  await refused(
    'a user without a key',
    connected,
    bytesOf(hello({ user: alice.user, device: alice.device })),
    badCredentials,
    CloseCode.badCredentials,
  );
  await refused(
    'a version of the future',
    connected,
    bytesOf(hello({ versionMin: 2, versionMax: 9 })),
    ErrorCode.unsupportedVersion,
    CloseCode.unsupportedVersion,
  );

  // ——— malformed
  const send = bytesOf((w) => encodeSend(w, alice.firstMessageId, bob.user, Buffer.from('hello')));
  for (let length = 1; length < send.length; length++) {
    await refused(
      `SEND cut off behind ${length} bytes`,
      active,
      send.subarray(0, length),
      malformed,
      CloseCode.malformed,
    );
  }
  const wrong: [string, Uint8Array][] = [
    ['a length of 0', Uint8Array.of(0)],
    ['a length of 1', Uint8Array.of(1, 0x10)],
    ['a length beyond the message', Uint8Array.of(0x7f, 0x10, 0)],
    ['a huge length', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x10, 0)],
    ['a length that is not minimal', Uint8Array.of(0x83, 0x00, 0x13, 0, 1)],
    ['a varint above 2^53', Uint8Array.of(11, 0x13, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)],
    ['flags that mean nothing', Uint8Array.of(3, 0x13, 0x01, 1)],
    ['a message id of 0', bytesOf((w) => encodeSend(w, 0, bob.user, new Uint8Array(1)))],
    ['a delivered receipt from a client', Uint8Array.of(7, 0x14, 0, 1, 4, 1, 1, 0)],
    ['no ranges', Uint8Array.of(5, 0x14, 1, 1, 4, 0)],
    ['65 ranges', Uint8Array.of(5, 0x14, 1, 1, 4, 65)],
  ];
  for (const [name, bytes] of wrong) {
    await refused(name, active, bytes, malformed, CloseCode.malformed);
  }
  await refused(
    'an unknown critical frame',
    active,
    Uint8Array.of(2, 0x7a, 0x80),
    ErrorCode.unsupportedFrame,
    CloseCode.unsupportedFrame,
  );
  await refused(
    'an ACK beyond what was sent',
    active,
    bytesOf((w) => encodeAck(w, 1_000_000_000)),
    ErrorCode.ackBeyondSent,
    CloseCode.protocolViolation,
  );
  await refused(
    'a PULL beyond what was sent',
    active,
    bytesOf((w) => encodePull(w, 1_000_000_000, 0, 0)),
    ErrorCode.ackBeyondSent,
    CloseCode.protocolViolation,
  );

  // ——— too large
  await refused(
    'more than 4 KiB before authentication',
    connected,
    new Uint8Array(4097),
    ErrorCode.frameTooLarge,
    CloseCode.frameTooLarge,
  );
  await refused(
    'more than 4 KiB without a key',
    anonymous,
    new Uint8Array(4097),
    ErrorCode.frameTooLarge,
    CloseCode.frameTooLarge,
  );
  await t.test('more than 128 KiB in a message', async () => {
    const client = await active();
    client.sendRaw(new Uint8Array(128 * 1024 + 1));
    const { code } = await within('the close', client.closed);
    // The transport itself may end it, with the code that RFC 6455 has for it.
    assert.ok(code === CloseCode.frameTooLarge || code === 1009 || code === 1006, `closed with ${code}`);
    await bobAndCarolChat();
  });

  await t.test('a text message', async () => {
    const client = await active();
    client.socket.send('hello');
    assert.equal((await client.next('error')).code, malformed);
    assert.equal((await within('the close', client.closed)).code, CloseCode.malformed);
  });

  await t.test('no frame at all: an empty message is nothing', async () => {
    const client = await active();
    client.sendRaw(new Uint8Array(0));
    client.send((w) => encodePing(w, 42));
    assert.equal((await client.next('pong')).token, 42);
    await client.close();
  });

  await t.test('an unknown frame is skipped', async () => {
    const client = await active();
    client.sendRaw(Uint8Array.of(4, 0x7a, 0x05, 1, 2, ...bytesOf((w) => encodePing(w, 43))));
    assert.equal((await client.next('pong')).token, 43);
    await client.close();
  });

  await t.test('a reserved frame is answered', async () => {
    const client = await active();
    client.sendRaw(Uint8Array.of(2, 0x40, 0));
    const error = await client.next('error');
    assert.equal(error.code, ErrorCode.notSupported);
    assert.equal(error.detail, 0x40);
    client.send((w) => encodePing(w, 44));
    await client.next('pong');
    await client.close();
  });

  await t.test('sends that are refused one by one', async () => {
    const client = await active();
    let id = alice.firstMessageId + 1000;
    const answer = async (to: number, body: Uint8Array, raw?: Uint8Array) => {
      const ref = id++;
      if (raw === undefined) client.message(ref, to, body);
      else client.sendRaw(raw);
      return await client.next('error', (error) => error.refKind === 1);
    };
    const small = new Uint8Array(1);
    assert.equal((await answer(15_557_777, small)).code, ErrorCode.unknownRecipient);
    assert.equal((await answer(123, small)).code, ErrorCode.badPhone);
    const large = await answer(bob.user, new Uint8Array(16 * 1024 + 1));
    assert.equal(large.code, ErrorCode.bodyTooLarge);
    assert.equal(large.retryable, false);
    // To a group (kind 2), which version 1 does not know.
    const toGroup = await answer(0, small, Uint8Array.of(6, 0x10, 0, 1, 4 * 5 + 2, 1, 0));
    assert.equal(toGroup.code, ErrorCode.notSupported);
    // And the connection goes on.
    client.message(id, bob.user, 'hello');
    await client.next('sendAck', (ack) => ack.id === id);
    const hello = await b.next('deliver', (deliver) => deliver.from === alice.user);
    b.ack(hello.seq);
    // Far below the window.
    client.message(1, bob.user, 'late');
    const tooOld = await client.next('error', (error) => error.refKind === 1);
    assert.equal(tooOld.code, ErrorCode.messageIdTooOld);
    assert.equal(tooOld.detail, id);
    await client.close();
  });

  await t.test('requests that are wrong', async () => {
    const client = await active();
    client.send((w) => encodeRequest(w, 5, 'no.such.method', {}));
    const unknown = await client.next('error');
    assert.deepEqual([unknown.refKind, unknown.ref, unknown.code], [2, 5, ErrorCode.unknownMethod]);
    client.send((w) => encodeRequest(w, 6, 'users.lookup', { users: 'all' }));
    const bad = await client.next('error');
    assert.deepEqual([bad.refKind, bad.ref, bad.code], [2, 6, ErrorCode.badRequest]);
    // A body that is not MessagePack of the allowed shape.
    const deep = new Uint8Array(200).fill(0x91);
    const writer = new FrameWriter(4096);
    writer.begin(0x30, 0, 1024);
    writer.varint(7);
    writer.text('users.lookup', 32);
    writer.blob(deep, 0, deep.length);
    writer.end();
    client.sendRaw(writer.copy());
    const invalid = await client.next('error');
    assert.deepEqual([invalid.refKind, invalid.ref, invalid.code], [2, 7, ErrorCode.invalidBody]);
    client.send((w) => encodeRequest(w, 8, 'server.info', {}));
    assert.equal((await client.next('response')).id, 8);
    await client.close();
  });

  await t.test('random bytes, a thousand times', async () => {
    const random = new SeededRandom(2);
    for (let i = 0; i < 1000; i += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const client = await (n % 3 === 0 ? connected() : n % 3 === 1 ? anonymous() : connected());
          if (n % 3 === 2) client.hello(alice);
          client.sendRaw(random.bytes(1 + random.below(300)));
          client.terminate();
          await client.closed;
        }),
      );
    }
    await bobAndCarolChat();
  });

  await t.test('a mutilated WebSocket, and no WebSocket at all', async () => {
    const random = new SeededRandom(3);
    for (const bytes of [
      // A reserved opcode, an unmasked frame, a fragment without a beginning, a control frame that is too long,
      // a length of 2^63.
      Uint8Array.of(0x83, 0x80, 0, 0, 0, 0),
      Uint8Array.of(0x82, 0x01, 0x00),
      Uint8Array.of(0x80, 0x81, 0, 0, 0, 0, 1),
      Uint8Array.of(0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0),
      Uint8Array.of(0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0),
      random.bytes(2000),
    ]) {
      const raw = await RawWebSocket.connect(server.port);
      raw.write(bytes);
      raw.socket.end();
      await raw.drain();
    }
    await bobAndCarolChat();
  });

  // Nothing of all this was a crash.
  assert.doesNotMatch(server.lines.text(), /crashed|threw/);
  assert.ok(server.isRunning);
});

test('an authentication that never comes', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t, { settings: { authDeadlineMs: 300 } });
  const user = await register(server, 15_550_001);
  await t.test('nothing said', async () => {
    const client = await ProtocolClient.connect(server.url);
    assert.equal((await within('the close', client.closed)).code, CloseCode.authTimeout);
  });
  await t.test('only pings of the WebSocket', async () => {
    const client = await ProtocolClient.connect(server.url);
    const timer = setInterval(() => client.isOpen && client.socket.ping(), 50);
    atEnd(t, () => clearInterval(timer));
    assert.equal((await within('the close', client.closed)).code, CloseCode.authTimeout);
  });
  await t.test('half a frame of the WebSocket', async () => {
    const raw = await RawWebSocket.connect(server.port);
    raw.write(Uint8Array.of(0x82, 0xfe, 0x01));
    await raw.drain();
  });
  await t.test('who did say stays', async () => {
    const client = await ProtocolClient.login(server.url, user);
    const other = await ProtocolClient.connect(server.url);
    await within('the close', other.closed);
    client.send((w) => encodePing(w, 9));
    assert.equal((await client.next('pong')).token, 9);
  });
});
