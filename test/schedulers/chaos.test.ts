/** Threads die and are replaced while processes of all of them send to, link with and monitor one another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pid } from '../../src/actors/index.js';
import { placedChild, placeOf } from '../../src/schedulers/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { Supervisor } from '../../src/supervisors/index.js';
import type { ChaosReport } from './chaos-thread.js';
import { TestNode, type TestThread, until } from './test-node.js';

const PLACES = 3;
const DEATHS = 4;
const SEED = 7;

test('what survives has heard everything in order, and of each end once', { timeout: 120_000 }, async () => {
  const node = new TestNode(64 * 1024);
  const random = new SeededRandom(SEED);
  const workers = new Map<number, Pid<unknown>[]>();
  const reports: ChaosReport[] = [];
  const keeper = node.runtime.spawn<unknown>(
    () => ({
      receive(message) {
        if (Array.isArray(message)) workers.set(message[1] as number, message[2] as Pid<unknown>[]);
        else reports.push(message as ChaosReport);
      },
    }),
    { name: 'keeper' },
  );
  const threads: TestThread[] = [];
  const live = () =>
    threads.filter((thread) => thread !== undefined).flatMap(({ number }) => workers.get(number) ?? []);
  const tell = (message: readonly unknown[]) => {
    for (const pid of live()) node.runtime.send(pid, message);
  };
  const start = async (place: number) => {
    const thread = node.begin(place, 'chaos', SEED, 'chaos-thread');
    threads[place] = thread;
    await until(() => workers.has(thread.number));
    tell(['peers', live()]);
  };
  for (let place = 1; place <= PLACES; place++) await start(place);
  /** Who was there when a thread ended. */
  const survivors: [dead: number, survivor: TestThread][] = [];
  // A child on one of them, supervised from here, over all that.
  const top = Supervisor.start(node.runtime, { intensity: 100, children: [] }).ok!;
  void Supervisor.startChild(
    node.runtime,
    top,
    placedChild(node.router, { id: 'echo', place: 2, start: 'echo' }),
  );
  const records = () => node.pool.routerReports().reduce((sum, { stats }) => sum + stats.records, 0);
  for (let death = 0; death < DEATHS; death++) {
    const before = records();
    await until(() => records() > before + 5000);
    const place = 1 + Math.floor(random.next() * PLACES);
    const dead = threads[place]!;
    dead.worker.postMessage('die');
    await dead.ended;
    for (const thread of threads) {
      if (thread !== undefined && thread !== dead) survivors.push([dead.number, thread]);
    }
    await start(place);
  }
  tell(['stop']);
  // The news of an end and what comes over the rings have no order between them.
  const news = survivors.filter(([, thread]) => threads.includes(thread));
  await until(() => news.every(([dead, thread]) => thread.posted.includes(`down ${dead}`)));
  // Who has made a first report has stopped: the EXITs and DOWNs of all that it did before are in its mailbox, and the
  // second is behind them.
  const expected = live().length;
  for (let round = 0; round < 2; round++) {
    reports.length = 0;
    tell(['report', keeper]);
    await until(() => reports.length === expected);
  }
  const numbers = new Set(node.pool.schedulers);
  let received = 0;
  for (const report of reports) {
    received += report.received;
    assert.deepEqual(report.errors, []);
    assert.deepEqual(
      report.watched.filter((number) => !numbers.has(number)),
      [],
    );
  }
  assert.ok(received > 10_000);
  for (const { stats } of node.pool.routerReports()) assert.equal(stats.undecodable, 0);
  assert.deepEqual(
    threads
      .flatMap((thread) => thread?.posted ?? [])
      .filter((message) => message !== 'ready' && !String(message).startsWith('down ')),
    [],
  );
  const child = (await Supervisor.whichChildren(node.runtime, top))[0]!.pid as Pid;
  assert.equal(placeOf(child.scheduler), 2);
  assert.equal(await node.runtime.call(child, 'place'), threads[2]!.number);
  // It crashes on purpose, and comes back there.
  await assert.rejects(node.runtime.call(child, 'crash'));
  await until(() =>
    node.events.some(
      (event) =>
        event.type === 'child_started' && event.pid !== child && event.pid?.scheduler === child.scheduler,
    ),
  );
  await node.close();
});
