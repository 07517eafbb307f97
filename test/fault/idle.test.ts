/** Idle means idle, for the whole server: its threads are hardly ever woken while its clients say nothing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CloseCode } from '../../src/protocol/index.js';
import { registerMany } from '../support/accounts.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { TestServer } from '../support/test-server.js';
import { within } from '../support/within.js';

/** Event to event: a connection that says nothing is closed after this. */
const SILENCE_MS = 10_000;
/** What wakes a thread, a second: timers of uWebSockets.js (1.25), the store's housekeeping (1), V8's own threads (1). */
const WAKES_MAX = 4;
/** The main thread: two looks at the schedulers, one at alarms, a reading and its write to disk, V8's tasks. */
const MAIN_WAKES_MAX = 9;
const INTERVALS = 3;

/** How often each thread has waited for something and was woken. */
function wakesOf(pid: number): Map<number, number> {
  const wakes = new Map<number, number>();
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${id}/status`, 'latin1');
    wakes.set(Number(id), Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1] ?? Number.NaN));
  }
  return wakes;
}

test('a server with idle clients sleeps', {
  skip: process.platform !== 'linux',
  timeout: 120_000,
}, async (t) => {
  const server = await TestServer.start(t, { settings: { schedulers: 2, authDeadlineMs: SILENCE_MS } });
  const users = await registerMany(server, 16);
  const clients = await Promise.all(
    users.map((user, index) => ProtocolClient.login(server.urlOf(1 + (index % 2)), user)),
  );
  const silence = async () => {
    const silent = await ProtocolClient.connect(server.url);
    const { code } = await within('the close', silent.closed);
    assert.equal(code, CloseCode.authTimeout);
  };
  // What the start and the logins have left behind is done meanwhile.
  await silence();
  const { pid } = server;
  let busy: string[] = [];
  // What else the machine does may keep a thread from its rest once; what polls is found each time.
  for (let n = 0; n < INTERVALS; n++) {
    const before = wakesOf(pid);
    const begun = performance.now();
    await silence();
    const after = wakesOf(pid);
    // However late the event came: what wakes an idle thread comes so many times a second, not sooner.
    const seconds = (performance.now() - begun) / 1000;
    const rates = Array.from(
      after,
      ([id, wakes]) => [id, (wakes - (before.get(id) ?? 0)) / seconds] as const,
    );
    t.diagnostic(`wakes a second: ${rates.map(([, rate]) => rate.toFixed(1)).join(', ')}`);
    busy = rates
      .filter(([id, rate]) => rate > (id === pid ? MAIN_WAKES_MAX : WAKES_MAX))
      .map(
        ([id, rate]) => `thread ${id} (the main one is ${pid}) was woken ${rate.toFixed(1)} times a second`,
      );
    if (busy.length === 0) break;
  }
  assert.deepEqual(busy, []);
  assert.ok(clients.every((client) => client.isOpen));
});
