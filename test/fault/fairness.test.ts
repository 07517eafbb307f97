/** One connection that never stops must not take the server from the others: counted, not timed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';

const EXCHANGES = 30;
/** Of the flood's frames beside one message there and back: some rounds of the event loop, each with all that one socket had. */
const FRAMES_MAX = 500_000;

test('a flood on one socket leaves the other sockets and processes their turns', {
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 1 } });
  const [a, b, c] = await registerMany(server, 3);
  const flood = new Worker(new URL('./flood-thread.js', import.meta.url), {
    workerData: { url: server.url, user: c },
  });
  atEnd(t, () => flood.terminate());
  let answered = 0;
  flood.on('message', (count: number) => {
    answered = count;
  });
  const from = await ProtocolClient.login(server.url, a!);
  const to = await ProtocolClient.login(server.url, b!);
  atEnd(t, () => {
    from.terminate();
    to.terminate();
  });
  await until('the flood', () => answered > 0, { everyMs: 1 });
  const before = answered;
  for (let n = 0; n < EXCHANGES; n++) {
    from.message(a!.firstMessageId + n, b!.user, 'hello');
    await from.next('sendAck');
    to.ack((await to.next('deliver')).seq);
    from.ack((await from.next('receipt')).seq);
  }
  const frames = (answered - before) / EXCHANGES;
  t.diagnostic(`${frames.toFixed(0)} frames of the flood beside each message there and back`);
  assert.ok(frames > 100, 'that was no flood');
  assert.ok(frames < FRAMES_MAX, `one message there and back for ${frames.toFixed(0)} frames of the flood`);
});
