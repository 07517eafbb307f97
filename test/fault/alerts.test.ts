/** A partition that becomes slow under load: the alert, what it says, whether that comes true, and its end. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { AlertView } from '../../src/metrics/alerts/alert.js';
import type { WebhookBody } from '../../src/metrics/alerts/webhook-sink.js';
import type { Figure, GroupDescription, Reading } from '../../src/metrics/reading.js';
import type { AlertsReport } from '../../src/ops/actions/alert-actions.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { assertNothingLost, settle } from '../support/nothing-lost.js';
import type { Credentials } from '../support/protocol-client.js';
import { ReliablePeer } from '../support/reliable-peer.js';
import { runRookery, TestServer } from '../support/test-server.js';
import { until, within } from '../support/within.js';

/** Messages a second that the stalled partition handles. */
const RATE = 400;
/** Messages that are to wait when the load stops. */
const BACKLOG = 6000;
/** In about so long that is gone when nothing more comes. */
const DRAIN_SECONDS = 40;

/** A real HTTP server that takes alerts. */
async function receiver(t: TestContext): Promise<{ url: string; told: WebhookBody[] }> {
  const told: WebhookBody[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    told.push(JSON.parse(text) as WebhookBody);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`, told };
}

async function action<T>(server: TestServer, name: string, params: object = {}): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${server.operatorPort}/api/action/${name}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TestServer.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(params),
  });
  const answer = await response.text();
  assert.ok(response.ok, `${name}: ${response.status} ${answer}`);
  return JSON.parse(answer) as T;
}

/** The row of a thread in the group `gc`. */
async function collectorOf(server: TestServer, thread: string): Promise<Record<string, Figure>> {
  const get = async <T>(path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.operatorPort}/api/${path}`, {
      headers: { Authorization: `Bearer ${TestServer.token}` },
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return (await response.json()) as T;
  };
  const { groups } = await get<{ readonly groups: readonly GroupDescription[] }>('groups');
  const { columns } = groups.find(({ name }) => name === 'gc')!;
  const { gc } = (await get<Reading>('reading?groups=gc')).groups;
  const { figures } = gc!.find(({ instance }) => instance === thread)!;
  return Object.fromEntries(columns.map(({ name }, at) => [name, figures[at]!]));
}

/** Everybody but the first sends to the first, as fast as is acknowledged. */
class Load {
  readonly peers: ReliablePeer[];
  #isOn = false;

  constructor(t: TestContext, server: TestServer, users: readonly Credentials[]) {
    this.peers = users.map(
      (user) => new ReliablePeer(server, user, { readReceipts: false, inFlightMax: 16 }),
    );
    atEnd(t, () => Promise.all(this.peers.map((peer) => peer.stop())));
    for (const peer of this.peers) {
      peer.onAcknowledged = () => this.#fill(peer);
      peer.run();
    }
  }

  start(): void {
    this.#isOn = true;
    for (const peer of this.peers) this.#fill(peer);
  }

  stop(): void {
    this.#isOn = false;
  }

  #fill(peer: ReliablePeer): void {
    const target = this.peers[0]!;
    if (peer === target) return;
    while (this.#isOn && peer.pending < 16) peer.send(target.user, `message ${peer.messages.length}`);
  }
}

/** Users of whom only the first is in its partition. */
function alone(users: readonly Credentials[]): Credentials[] {
  const [target, ...others] = users;
  assert.ok(target !== undefined);
  return [target, ...others.filter(({ user }) => partitionOf(user) !== partitionOf(target.user))];
}

test('a partition becomes slow under load: who is told what, when, and whether it comes true', {
  timeout: 180_000,
}, async (t) => {
  const { url, told } = await receiver(t);
  const settings = { schedulers: 2, alertWebhook: url, inboxCountMax: 1_000_000 };
  const server = await TestServer.start(t, { settings });
  const users = alone(await registerMany(server, 8));
  const partition = partitionOf(users[0]!.user);
  const label = `partition-${partition}`;
  const place = `scheduler-${server.schedulerOf(partition)}`;
  const load = new Load(t, server, users);
  load.start();
  const target = load.peers[0]!;
  await until('messages flow', () => target.accepted.length > 500);
  const mine = (one: AlertView) => one.label === label;
  const active = async () => (await action<AlertsReport>(server, 'alerts')).active.find(mine);
  const raised = () => told.find(({ type, alert }) => type === 'raised' && mine(alert));
  assert.equal(raised(), undefined, 'all is well so far');
  const { rules } = await action<AlertsReport>(server, 'alerts');
  assert.deepEqual(
    rules.filter(({ isWatched }) => !isWatched).map(({ name }) => name),
    [],
    'the server has the figures that its rules are about',
  );

  // The stall. What is slow is told of within two seconds: in the log, at the webhook, and to whoever asks.
  const line = server.lines.all.length;
  await server.injectFault({ kind: 'stall-partition', partition, rate: RATE });
  await until('the webhook is told', () => raised() !== undefined, { everyMs: 5 });
  const { alert, text } = raised()!;
  // Both by the server's own clock: the machine and this program are busy with the load.
  const at = async (pattern: RegExp) => {
    const { fields } = await within(`${pattern} in the log`, server.lines.find(pattern, line));
    return Date.parse(String(fields['time']));
  };
  const tookMs =
    (await at(new RegExp(`^${label} <.* messages waiting`))) - (await at(/^a fault was injected/));
  t.diagnostic(`told after ${tookMs} ms: ${text}`);
  assert.ok(
    Number(alert.details['delayMs']) < 2000,
    `it had waited for ${String(alert.details['delayMs'])} ms`,
  );
  assert.match(
    text,
    new RegExp(
      `^${label} <\\d+(\\.\\d+)+> \\((.+/)?${place}/partitions/${label}\\) has [0-9,]+ messages waiting, the oldest for [0-9.]+ s; in Partition\\.receive\\(entry\\); .*/s in, .*/s out: it does not get shorter$`,
    ),
  );
  assert.equal(alert.severity, 'critical');
  const logged = await within(
    'the log',
    server.lines.find(new RegExp(`^${label} <.* messages waiting`), line),
  );
  assert.deepEqual([logged.fields['alert'], logged.fields['subject']], [alert.id, alert.subject]);
  assert.equal((await active())?.id, alert.id);
  const shown = await runRookery(['alerts', '--operator', `http://127.0.0.1:${server.operatorPort}/`], {
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  });
  assert.equal(shown.code, 3, shown.output);
  assert.match(shown.output, new RegExp(`critical .* ${label} <`));

  // The load stops: from then on it is known when it will be over.
  await until('a backlog', async () => Number((await active())?.details['length'] ?? 0) >= BACKLOG, {
    everyMs: 100,
  });
  // Its scheduler holds its collector back meanwhile.
  const collector = await collectorOf(server, place);
  assert.ok(Number(collector['spilled']) > 0, 'everything waits on the heap');
  assert.notEqual(collector['deferring'], 0, 'full collections are not put off');
  load.stop();
  const figure = async (name: string) => {
    const value = (await active())?.details[name];
    assert.notEqual(value, undefined, 'the alert is still active');
    return Number(value);
  };
  // How much waits now depends on how fast the machine is: it is to be gone in a time that says something.
  const rate = Math.max(RATE, Math.ceil((await figure('length')) / DRAIN_SECONDS));
  await server.injectFault({ kind: 'stall-partition', partition, rate });
  await until('hardly anything comes any more', async () => (await figure('fillPerSecond')) <= rate / 50, {
    everyMs: 100,
  });
  await until('its pace is known', async () => Math.abs((await figure('drainPerSecond')) / rate - 1) < 0.05, {
    everyMs: 100,
  });
  const before = await figure('length');
  await until('another look', async () => (await figure('length')) !== before, { everyMs: 5 });
  const projectedMs = await figure('drainMs');
  t.diagnostic(
    `${before} wait, ${await figure('fillPerSecond')}/s in, ${await figure('drainPerSecond')}/s out`,
  );
  const since = performance.now();
  const length = async () =>
    (await action<{ mailbox: number }>(server, 'inspect', { pid: label, messages: 0 })).mailbox;
  await until('it is empty', async () => (await length()) === 0, { everyMs: 20, ms: 90_000 });
  const drainedMs = performance.now() - since;
  t.diagnostic(`projected ${projectedMs} ms, it took ${drainedMs.toFixed(0)} ms`);
  assert.ok(
    Math.abs(drainedMs / projectedMs - 1) < 0.2,
    `projected ${projectedMs} ms, it took ${drainedMs.toFixed(0)} ms`,
  );

  // Now it stands still, and is cured under load: that is told once.
  await until('it is well for a time', () => told.some(({ type }) => type === 'cleared'), { everyMs: 20 });
  await server.injectFault({ kind: 'stall-partition', partition, rate: 0 });
  load.start();
  const again = () =>
    told.find(({ type, alert: one }) => type === 'raised' && mine(one) && one.id !== alert.id);
  await until('it is told of again', () => again() !== undefined, { everyMs: 5 });
  await server.injectFault({ kind: 'cure-partition', partition });
  const { id } = again()!.alert;
  const cleared = () => told.filter((one) => one.type === 'cleared' && one.alert.id === id);
  await until('it is well', () => cleared().length > 0, { everyMs: 20 });
  load.stop();
  await settle(load.peers);
  assertNothingLost(load.peers);
  assert.equal(cleared().length, 1);
  assert.match(cleared()[0]?.text ?? '', new RegExp(`^over after .*: ${label} <.*> is well again$`));
  await within('the log', server.lines.find(new RegExp(`^over after .*: ${label} `), line));
  assert.deepEqual(
    told.filter(({ alert: one }) => mine(one)).map(({ type, alert: one }) => `${type} ${one.id}`),
    [`raised ${alert.id}`, `cleared ${alert.id}`, `raised ${id}`, `cleared ${id}`],
  );
  const { active: left, recent } = await action<AlertsReport>(server, 'alerts');
  assert.equal(left.find(mine), undefined);
  const rested = await collectorOf(server, place);
  assert.equal(rested['spilled'], 0);
  assert.notEqual(rested['deferring'], 1, 'full collections are still put off');
  assert.deepEqual(
    recent.filter(mine).map((one) => one.id),
    [id, alert.id],
  );
});
