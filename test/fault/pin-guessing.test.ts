/** Guessing PINs: few tries, also from many connections and over a restart, and nothing to learn from the answers. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ErrorCode, encodeRegister, encodeVerify } from '../../src/protocol/index.js';
import { askForPin, register } from '../support/accounts.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { TestServer } from '../support/test-server.js';

const PHONE = 15_550_100;

async function anonymous(server: TestServer, localAddress = '127.0.0.1'): Promise<ProtocolClient> {
  const client = await ProtocolClient.connect(server.url, { localAddress });
  client.hello(null);
  await client.next('welcome');
  return client;
}

let ref = 100;

/** The answer to one try, without what differs from try to try. */
async function guess(client: ProtocolClient, phone: number, pin: string) {
  const own = ref++;
  client.send((writer) => encodeVerify(writer, { ref: own, phone, pin, name: '' }));
  const answer = await Promise.race([
    client.next('registered', (frame) => frame.ref === own),
    client.next('error', (frame) => frame.ref === own),
  ]);
  if (answer.type === 'registered') return { right: true } as const;
  const { code, retryable, detail, message } = answer;
  return { right: false, code, retryable, detail, message } as const;
}

const wrong = (pin: string, by: number) => String((Number(pin) + by) % 1_000_000).padStart(6, '0');

async function exhausted(t: TestContext, server: TestServer, phone: number, pin: string) {
  // Each try on a connection and from an address of its own.
  for (let i = 1; i <= 5; i++) {
    const client = await anonymous(server, `127.0.0.${10 + i}`);
    const answer = await guess(client, phone, wrong(pin, i));
    assert.ok(!answer.right);
    assert.equal(answer.code, ErrorCode.pinWrong);
    assert.equal(answer.detail, 5 - i, 'tries left');
    client.terminate();
  }
  t.diagnostic('five tries are used up');
}

test('five wrong tries kill a PIN, whoever makes them', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const pin = await askForPin(await anonymous(server), server, PHONE);
  await exhausted(t, server, PHONE, pin);
  const client = await anonymous(server);
  const right = await guess(client, PHONE, pin);
  assert.equal(right.right, false, 'the right PIN is worth nothing after five wrong ones');

  await t.test('also after a kill and a restart', async () => {
    await server.kill();
    await server.start();
    const again = await guess(await anonymous(server), PHONE, pin);
    assert.equal(again.right, false);
  });
  await t.test('a new PIN is good', async () => {
    await register(server, PHONE);
  });
});

test('tries are counted over a kill', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const pin = await askForPin(await anonymous(server), server, PHONE);
  for (let i = 1; i <= 4; i++) {
    const answer = await guess(await anonymous(server), PHONE, wrong(pin, i));
    assert.ok(!answer.right);
    assert.equal(answer.detail, 5 - i);
    await server.kill();
    await server.start();
  }
  // Four wrong ones leave one: the right one, and the PIN survived four kills.
  assert.equal((await guess(await anonymous(server), PHONE, pin)).right, true);
  assert.equal((await guess(await anonymous(server), PHONE, pin)).right, false, 'a PIN is good once');
});

test('the same answers for numbers that are registered, unknown, or never asked', {
  timeout: 60_000,
}, async (t) => {
  const server = await TestServer.start(t);
  await register(server, PHONE);
  const client = await anonymous(server);
  const challenge = async (phone: number) => {
    const own = ref++;
    client.send((writer) => encodeRegister(writer, { ref: own, phone }));
    const { digits, expiresMs, resendAfterMs } = await client.next('challenge', (frame) => frame.ref === own);
    return { digits, expiresMs, resendAfterMs };
  };
  const unknown = PHONE + 1;
  const neverAsked = PHONE + 2;
  const line = server.lines.all.length;
  assert.deepEqual(await challenge(PHONE), await challenge(unknown));
  const pins = { [PHONE]: await server.pin(PHONE, line), [unknown]: await server.pin(unknown, line) };
  const answers = async (phone: number) => {
    const pin = pins[phone] ?? '123456';
    const list = [];
    for (let i = 1; i <= 7; i++) list.push(await guess(client, phone, wrong(pin, i)));
    return list;
  };
  const known = await answers(PHONE);
  assert.equal(known.length, 7);
  assert.deepEqual(await answers(unknown), known);
  assert.deepEqual(await answers(neverAsked), known);
});

test('many guessers at once: the store counts each', { timeout: 60_000 }, async (t) => {
  const server = await TestServer.start(t);
  const pin = await askForPin(await anonymous(server), server, PHONE);
  const guessers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => anonymous(server, `127.0.1.${1 + i}`)),
  );
  const answers = await Promise.all(guessers.map((client, i) => guess(client, PHONE, wrong(pin, 1 + i))));
  const left = answers.map((answer) => (answer.right ? Number.NaN : answer.detail)).sort((a, b) => b - a);
  assert.deepEqual(left.slice(0, 6), [4, 3, 2, 1, 0, 0]);
  assert.equal((await guess(guessers[0]!, PHONE, pin)).right, false);
});

test('PINs for one number, from one address and in all are limited', { timeout: 60_000 }, async (t) => {
  const ask = async (client: ProtocolClient, phone: number) => {
    const own = ref++;
    client.send((writer) => encodeRegister(writer, { ref: own, phone }));
    const answer = await Promise.race([
      client.next('challenge', (frame) => frame.ref === own),
      client.next('error', (frame) => frame.ref === own),
    ]);
    if (answer.type === 'challenge') return 'sent';
    assert.equal(answer.code, ErrorCode.pinLimited);
    assert.ok(answer.retryable && answer.retryAfterMs > 0);
    return 'limited';
  };
  await t.test('a day for one number, also after a kill', async (t) => {
    const server = await TestServer.start(t, { settings: { pinsPerDayMax: 3 } });
    for (let i = 0; i < 3; i++)
      assert.equal(await ask(await anonymous(server, `127.0.0.${20 + i}`), PHONE), 'sent');
    assert.equal(await ask(await anonymous(server), PHONE), 'limited');
    await server.kill();
    await server.start();
    assert.equal(await ask(await anonymous(server), PHONE), 'limited');
    assert.equal(await ask(await anonymous(server), PHONE + 1), 'sent');
  });
  await t.test('a pause between two for one number', async (t) => {
    const server = await TestServer.start(t, { settings: { pinResendMs: '1h' } });
    assert.equal(await ask(await anonymous(server), PHONE), 'sent');
    assert.equal(await ask(await anonymous(server, '127.0.0.9'), PHONE), 'limited');
  });
  await t.test('an hour from one address', async (t) => {
    const server = await TestServer.start(t, { settings: { pinsPerAddressHourMax: 4 } });
    const client = await anonymous(server);
    for (let i = 0; i < 4; i++) assert.equal(await ask(client, PHONE + i), 'sent');
    assert.equal(await ask(client, PHONE + 4), 'limited');
    assert.equal(await ask(await anonymous(server, '127.0.0.9'), PHONE + 4), 'sent');
  });
  await t.test('an hour in all', async (t) => {
    const server = await TestServer.start(t, { settings: { smsPerHourMax: 4 } });
    for (let i = 0; i < 4; i++) {
      assert.equal(await ask(await anonymous(server, `127.0.0.${30 + i}`), PHONE + i), 'sent');
    }
    assert.equal(await ask(await anonymous(server, '127.0.0.40'), PHONE + 4), 'limited');
  });
});
