/** Partitions move between schedulers while their users chat: nobody is disconnected, nothing is lost. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MemoryClientStore, openNodeClient, type RookeryClient } from '../../src/client/node.js';
import { partitionOf } from '../../src/storage/partition-of.js';
import { registerMany } from '../support/accounts.js';
import { atEnd } from '../support/at-end.js';
import { underLoad } from '../support/load.js';
import { ProtocolClient } from '../support/protocol-client.js';
import { runRookery, TestServer } from '../support/test-server.js';
import { until } from '../support/within.js';

interface Report {
  readonly partitions: readonly {
    readonly partition: number;
    readonly scheduler: string;
    readonly users: number;
    readonly atHome: number;
  }[];
  readonly schedulers: readonly {
    readonly scheduler: string;
    readonly partitions: number;
    readonly connections: number;
  }[];
}

async function partitions(server: TestServer, ...args: readonly string[]) {
  const operator = `http://127.0.0.1:${server.operatorPort}/`;
  return await runRookery(['partitions', ...args, '--operator', operator], {
    ROOKERY_OPERATOR_TOKEN: TestServer.token,
  });
}

async function report(server: TestServer): Promise<Report> {
  return (await (await server.operator('/api/partitions')).json()) as Report;
}

async function twoSchedulers(t: TestContext): Promise<TestServer> {
  return await TestServer.start(t, { settings: { schedulers: 2, rebalanceDelayMs: 0 } });
}

test('rookery partitions shows them, and moves them', { timeout: 60_000 }, async (t) => {
  const server = await twoSchedulers(t);
  const users = await registerMany(server, 4);
  const clients = await Promise.all(users.map((user) => ProtocolClient.login(server.urlOf(1), user)));
  const shown = await partitions(server);
  assert.equal(shown.code, 0, shown.output);
  assert.match(shown.output, /^17 +scheduler-2 +0 +0$/m);
  assert.match(shown.output, /^scheduler-1 +running +32 +4 +\d+$/m);

  const moved = await partitions(server, 'move', '0', '17', '2', '--to', '2');
  assert.equal(moved.code, 0, moved.output);
  assert.match(moved.output, /^2 partitions are on scheduler-2 now$/m);
  const again = await partitions(server, 'move', '0', '--to', 'scheduler-2');
  assert.match(again.output, /none had to move/);
  const drained = await partitions(server, 'move', '--from', '2', '--to', '1');
  assert.match(drained.output, /^34 partitions are on scheduler-1 now$/m);
  const { partitions: list, schedulers } = await report(server);
  assert.deepEqual(
    schedulers.map((one) => one.partitions),
    [64, 0],
  );
  for (const { user } of users) {
    const here = list[partitionOf(user)];
    assert.equal(here?.scheduler, 'scheduler-1');
    assert.ok(here.users > 0 && here.users === here.atHome);
  }
  assert.ok(clients.every((client) => client.isOpen));
});

test('what cannot be moved is refused in a line', { timeout: 60_000 }, async (t) => {
  const server = await twoSchedulers(t);
  const cases: [readonly string[], RegExp][] = [
    [['move', '3', '--to', '9'], /there is no scheduler 9/],
    [['move', '64', '--to', '1'], /there is no partition 64/],
    [['move', 'three', '--to', '1'], /partitions must be numbers .* not "three"/],
    [['move', '--to', '1'], /either partitions or from is wanted/],
  ];
  for (const [args, expected] of cases) {
    const { code, output } = await partitions(server, ...args);
    assert.equal(code, 1, output);
    assert.match(output, expected);
    assert.equal(output.trim().split('\n').length, 1, output);
  }
  const stranger = await runRookery(
    ['partitions', '--operator', `http://127.0.0.1:${server.operatorPort}/`],
    { ROOKERY_OPERATOR_TOKEN: 'not-the-token' },
  );
  assert.equal(stranger.code, 1);
  assert.match(stranger.output, /does not take this token/);
  const nobody = await runRookery(['partitions', '--operator', 'http://127.0.0.1:9/', '--token', 'x']);
  assert.equal(nobody.code, 1);
  assert.match(nobody.output, /does not answer/);
});

test('partitions move to and fro under load: nobody is disconnected, nothing is lost', {
  timeout: 180_000,
}, async (t) => {
  const server = await twoSchedulers(t);
  const peers = await underLoad(t, server, async (after, users) => {
    const used = [...new Set(users.map(({ user }) => partitionOf(user)))];
    for (let n = 0; n < 12; n++) {
      await after(150);
      const query =
        n % 4 === 3
          ? `from=scheduler-${(n % 2) + 1}&to=scheduler-${((n + 1) % 2) + 1}`
          : `partitions=${used.filter((_, at) => (at + n) % 2 === 0)}&to=scheduler-${(n % 2) + 1}`;
      const reply = await server.operator(`/api/partitions/move?${query}`, 'POST');
      const outcome = (await reply.json()) as { late: number[] };
      assert.deepEqual([reply.status, outcome.late], [200, []]);
    }
    await after(300);
  });
  for (const peer of peers) assert.equal(peer.connects, 1, `${peer.user}:\n${peer.history.join('\n')}`);
});

test('partitions move while schedulers die', { timeout: 180_000 }, async (t) => {
  const server = await twoSchedulers(t);
  await underLoad(t, server, async (after) => {
    for (let n = 0; n < 4; n++) {
      await after(200);
      const line = server.lines.all.length;
      const [victim, other] = n % 2 === 0 ? [1, 2] : [2, 1];
      // One of them is under way, to or from the one that dies.
      const [from, to] = n < 2 ? [victim, other] : [other, victim];
      const move = server.operator(`/api/partitions/move?from=scheduler-${from}&to=scheduler-${to}`, 'POST');
      await server.injectFault({ kind: 'crash-thread', thread: `scheduler-${victim}` });
      await (await move).text();
      await server.log(new RegExp(`^scheduler-${victim} serves again`), line);
    }
    await after(300);
  });
  const { schedulers } = await report(server);
  assert.deepEqual(
    schedulers.map((one) => one.partitions),
    [32, 32],
    'spread evenly again',
  );
});

test('a client that comes while its partition moves is let in', { timeout: 60_000 }, async (t) => {
  const server = await twoSchedulers(t);
  const [user] = await registerMany(server, 1);
  assert.ok(user !== undefined);
  for (let n = 0; n < 10; n++) {
    const move = server.operator(
      `/api/partitions/move?partitions=${partitionOf(user.user)}&to=${(n % 2) + 1}`,
      'POST',
    );
    const client = await ProtocolClient.login(server.url, user);
    assert.equal((await move).status, 200);
    await client.close();
  }
});

test('clients of the library live where their inbox is, and follow it', { timeout: 120_000 }, async (t) => {
  // No jitter: nobody waits.
  const server = await TestServer.start(t, {
    settings: { schedulers: 2, drainJitterMs: 0, rebalanceDelayMs: 0 },
  });
  const phones = Array.from({ length: 8 }, (_, n) => 15_560_000 + n);
  const clients: RookeryClient[] = [];
  atEnd(t, () => {
    for (const client of clients) client.close();
  });
  for (const phone of phones) {
    const client = await openNodeClient({ url: server.url, store: new MemoryClientStore(), onMessage() {} });
    clients.push(client);
    const line = server.lines.all.length;
    await client.register(phone);
    await client.verify(phone, await server.pin(phone, line), 'somebody');
  }
  const atHome = async () => {
    const { partitions: list } = await report(server);
    const users = list.reduce((sum, one) => sum + one.users, 0);
    return users === phones.length && list.every((one) => one.users === one.atHome);
  };
  await until('everybody is at home', atHome, { everyMs: 50, ms: 30_000 });
  const places = new Set(phones.map((phone) => server.schedulerOf(partitionOf(phone))));
  assert.equal(places.size, 2, 'they live on both schedulers');

  await server.operator('/api/partitions/move?from=scheduler-1&to=scheduler-2', 'POST');
  await until('everybody has moved', atHome, { everyMs: 50, ms: 30_000 });
  const moved = (await report(server)).schedulers;
  assert.ok(moved[1]!.connections >= phones.length);

  // The scheduler with everybody dies: the other one has them, then both share them again, and all are at home.
  const line = server.lines.all.length;
  await server.injectFault({ kind: 'crash-thread', thread: 'scheduler-2' });
  await server.log(/^scheduler-2 serves again/, line);
  await until('everybody is at home again', atHome, { everyMs: 50, ms: 60_000 });
  assert.ok(clients.every((client) => client.state.kind === 'online'));
});
