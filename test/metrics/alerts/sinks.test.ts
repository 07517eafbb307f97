/** Whoever is told of alerts: a sink that throws, hangs or cannot be reached hurts nobody but itself. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Alarms } from '../../../src/actors/index.js';
import type { AlertNotice, AlertSink } from '../../../src/metrics/alerts/alert-sink.js';
import { CommandSink } from '../../../src/metrics/alerts/command-sink.js';
import { NoticeQueue, QUEUE_MAX } from '../../../src/metrics/alerts/notice-queue.js';
import { TRIES_MAX, type WebhookBody, WebhookSink } from '../../../src/metrics/alerts/webhook-sink.js';
import { SeededRandom } from '../../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../../src/structures/simulated-clock.js';
import { atEnd } from '../../support/at-end.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { until } from '../../support/within.js';
import { SinksWorld } from './sinks-world.js';

/** Keeps what it is told. */
class Listening implements AlertSink {
  readonly heard: string[] = [];
  constructor(readonly name: string) {}

  notice({ type, alert }: AlertNotice): void {
    this.heard.push(`${type} ${alert.id} ${alert.state}`);
  }
}

test('each sink hears of each alert when it is raised and when it is over, and of no other alarm', () => {
  const sinks = [new Listening('one'), new Listening('other')];
  const world = new SinksWorld(sinks);
  const alert = world.raise();
  Alarms.set(world.world.runtime, { id: 'somebody', description: 'else' });
  world.clear(alert);
  for (const { heard } of sinks) assert.deepEqual(heard, ['raised 1 active', 'cleared 1 cleared']);
});

test('a sink that throws loses that notice, and hears of the next', () => {
  const healthy = new Listening('healthy');
  let tries = 0;
  const heard: number[] = [];
  const broken: AlertSink = {
    name: 'broken',
    notice({ alert }) {
      if (++tries === 1) throw new Error('out of ink');
      heard.push(alert.id);
    },
  };
  const world = new SinksWorld([healthy, broken]);
  world.raise();
  world.raise();
  assert.deepEqual(healthy.heard, ['raised 1 active', 'raised 2 active']);
  assert.deepEqual(heard, [2]);
  const [crash] = world.world.eventsOf('handler_crashed');
  assert.match(String(crash?.reason.type === 'error' && crash.reason.error.message), /out of ink/);
});

test('one that throws again and again is left out alone', () => {
  const healthy = new Listening('healthy');
  let tries = 0;
  const broken: AlertSink = {
    name: 'broken',
    notice() {
      tries++;
      throw new Error('out of ink');
    },
  };
  const world = new SinksWorld([healthy, broken]);
  for (let n = 0; n < 20; n++) world.raise();
  assert.equal(healthy.heard.length, 20);
  assert.equal(tries, 6, 'five restarts in a minute');
  assert.deepEqual(
    world.world.eventsOf('supervisor_gave_up').map(({ label }) => label),
    ['alert-sink-broken'],
  );
});

test('what waits for a sink is bounded: the oldest go, and the next one says how many', async () => {
  const worked: [number, number][] = [];
  let release: () => void = () => {};
  const queue = new NoticeQueue(({ alert }, dropped) => {
    worked.push([alert.id, dropped]);
    return new Promise((resolve) => {
      release = resolve;
    });
  });
  const notice = (id: number): AlertNotice => ({ type: 'raised', alert: viewOf(id) });
  for (let id = 1; id <= QUEUE_MAX + 11; id++) queue.add(notice(id));
  assert.equal(queue.length, QUEUE_MAX);
  release();
  await until('the next one', () => worked.length === 2, { everyMs: 1 });
  release();
  await until('one more', () => worked.length === 3, { everyMs: 1 });
  assert.deepEqual(worked, [
    [1, 0],
    [12, 10],
    [13, 0],
  ]);
});

test('the webhook gets JSON, in order, and a server that fails is asked again', async (t) => {
  const answers = [503, 200, 429, 204, 200];
  const { url, bodies } = await receiver(t, () => answers.shift() ?? 200);
  const { sink, clock, failures } = webhook(url);
  sink.notice({ type: 'raised', alert: viewOf(1) });
  sink.notice({ type: 'raised', alert: viewOf(2) });
  sink.notice({ type: 'cleared', alert: { ...viewOf(1), state: 'cleared', clearedAt: 15_000 } });
  await until('all are taken', () => bodies.length === 5, {
    everyMs: 1,
    ...advancing(clock),
  });
  assert.deepEqual(
    bodies.map(({ type, alert }) => `${type} ${alert.id}`),
    ['raised 1', 'raised 1', 'raised 2', 'raised 2', 'cleared 1'],
  );
  const [first] = bodies;
  assert.equal(first?.version, 1);
  assert.equal(first?.server, 'here');
  assert.equal(first?.text, 'line of 1');
  assert.deepEqual(first?.alert, JSON.parse(JSON.stringify(viewOf(1))));
  assert.equal(bodies[4]?.text, 'over after 15 s: worker <1.1> is well again');
  assert.equal(failures.length, 2);
  assert.match(failures[0] ?? '', /was not told of alert 1: it answered 503; it is tried again$/);
});

test('a webhook that refuses is not asked again; one that is not there is given up in the end', async (t) => {
  const { url, bodies } = await receiver(t, () => 404);
  const refused = webhook(url);
  refused.sink.notice({ type: 'raised', alert: viewOf(1) });
  await until('the refusal', () => refused.failures.length === 1, { everyMs: 1 });
  assert.match(refused.failures[0] ?? '', /it answered 404; given up after 1 try$/);
  assert.equal(bodies.length, 1);

  const gone = webhook(new URL('http://127.0.0.1:9/'));
  gone.sink.notice({ type: 'raised', alert: viewOf(1) });
  await until('it is given up', () => gone.failures.length === 2, {
    everyMs: 1,
    ...advancing(gone.clock),
  });
  assert.match(gone.failures[1] ?? '', new RegExp(`given up after ${TRIES_MAX} tries$`));
});

test('the command is run with the alert in its environment, one at a time', async (t) => {
  const folder = temporaryFolder(t);
  const output = join(folder, 'told');
  const path = script(
    folder,
    `echo "$ROOKERY_ALERT_TYPE|$ROOKERY_ALERT_ID|$ROOKERY_ALERT_TEXT|$ROOKERY_ALERT_RULES" >> ${output}`,
  );
  const failures: string[] = [];
  const sink = new CommandSink({ path, server: 'here', onFailure: (message) => failures.push(message) });
  for (const id of [1, 2, 3])
    sink.notice({ type: 'raised', alert: { ...viewOf(id), line: `"$(id)"; 'it' is ${id}` } });
  await until('all are told', () => lines(output).length === 3);
  assert.deepEqual(lines(output), [
    `raised|1|"$(id)"; 'it' is 1|mailbox-length`,
    `raised|2|"$(id)"; 'it' is 2|mailbox-length`,
    `raised|3|"$(id)"; 'it' is 3|mailbox-length`,
  ]);
  assert.deepEqual(failures, []);
});

test('a command that fails, hangs or is not there is reported, and the next one is run', async (t) => {
  const folder = temporaryFolder(t);
  const failures: string[] = [];
  const onFailure = (message: string) => void failures.push(message);
  const hangs = script(folder, 'exec sleep 1000', 'hangs');
  const sink = new CommandSink({ path: hangs, server: 'here', timeoutMs: 200, onFailure });
  sink.notice({ type: 'raised', alert: viewOf(1) });
  sink.notice({ type: 'raised', alert: viewOf(2) });
  await until('both are killed', () => failures.length === 2);
  assert.match(failures[1] ?? '', /did not take alert 2: killed after 200 ms$/);
  const fails = new CommandSink({
    path: script(folder, 'echo no paper >&2; exit 3', 'fails'),
    server: 'here',
    onFailure,
  });
  fails.notice({ type: 'raised', alert: viewOf(3) });
  await until('it failed', () => failures.length === 3);
  assert.match(failures[2] ?? '', /did not take alert 3: .*no paper$/s);
  const missing = new CommandSink({ path: join(folder, 'nothing'), server: 'here', onFailure });
  missing.notice({ type: 'raised', alert: viewOf(4) });
  await until('it is missing', () => failures.length === 4);
  assert.match(failures[3] ?? '', /ENOENT/);
});

function viewOf(id: number): AlertNotice['alert'] {
  return {
    id,
    state: 'active',
    severity: 'critical',
    family: 'mailbox',
    rules: ['mailbox-length'],
    subject: `<1.${id}>`,
    label: 'worker',
    line: `line of ${id}`,
    details: { length: 12_000 },
    raisedAt: 0,
    clearedAt: null,
    acknowledged: null,
    silenced: false,
  };
}

function webhook(url: URL) {
  const clock = new SimulatedClock();
  const failures: string[] = [];
  const onFailure = (message: string) => void failures.push(message);
  const sink = new WebhookSink({ url, server: 'here', clock, random: new SeededRandom(1), onFailure });
  return { sink, clock, failures };
}

/** For `until`: lets simulated time pass at each look, and real requests end between them. */
function advancing(clock: SimulatedClock): { ms: number } {
  const turn = setInterval(() => clock.advance(5000), 5);
  turn.unref();
  return { ms: 30_000 };
}

async function receiver(t: TestContext, status: () => number): Promise<{ url: URL; bodies: WebhookBody[] }> {
  const bodies: WebhookBody[] = [];
  const server: Server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    bodies.push(JSON.parse(text) as WebhookBody);
    response.writeHead(status()).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`), bodies };
}

function script(folder: string, body: string, name = 'command'): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}
