/** Signals of all kinds between threads under load, and the death of a thread in the middle of them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DownMessage, ExitMessage, ExitReason, type Pid, type Ref } from '../../src/actors/index.js';
import { placeOf } from '../../src/schedulers/index.js';
import { reasonOf } from '../actors/world.js';
import type { SeriesOrder } from './scheduler-thread.js';
import { TestNode, until } from './test-node.js';

/** What a process here has heard of one series. */
class Series {
  pid: Pid | null = null;
  items = 0;
  exits = 0;
  downs = 0;

  constructor(readonly count: number) {}
}

describe('signals between threads', () => {
  test('each process hears all messages of another before its EXIT and its DOWN', {
    timeout: 120_000,
  }, async () => {
    const node = new TestNode(64 * 1024);
    const threads = [await node.start(1, 'series'), await node.start(2, 'series')];
    const all: Series[] = [];
    const pids = new Map<Pid, Series>();
    const refs = new Map<Ref, Series>();
    let finished = 0;
    const check = (series: Series) => {
      if (series.downs === 1 && series.exits === 1) finished++;
    };
    node.runtime.spawn<unknown>(
      (self) => {
        for (let series = 0; series < 4000; series++) {
          const count = (series * 7) % 60;
          all.push(new Series(count));
          const factory = `series-${threads[series % 2]!.number}`;
          const order: SeriesOrder = { to: self as Pid<unknown>, series, count, tie: 'link' };
          node.runtime.sendNamed(factory, order);
        }
        return {
          receive(message) {
            if (message instanceof ExitMessage || message instanceof DownMessage) {
              const isExit = message instanceof ExitMessage;
              const series = (isExit ? pids.get(message.from) : refs.get(message.ref))!;
              assert.equal(reasonOf(message.reason), isExit ? all.indexOf(series) : reasonOf(message.reason));
              // The monitor may come too late: then it says noproc, and that is after everything, too.
              assert.equal(series.items, series.count);
              if (isExit) series.exits++;
              else series.downs++;
              assert.ok(series.exits <= 1 && series.downs <= 1);
              check(series);
              return;
            }
            const [what, number, third] = message as [string, number, unknown];
            const series = all[number]!;
            if (what === 'begin') {
              series.pid = third as Pid;
              pids.set(series.pid, series);
              refs.set(self.monitor(series.pid), series);
            } else {
              assert.equal(third, series.items++);
              assert.equal(series.exits + series.downs, 0);
            }
          },
        };
      },
      { trapExit: true },
    );
    await until(() => finished === all.length || node.events.some((event) => event.type === 'crash'));
    assert.deepEqual(
      node.events.filter((event) => event.type === 'crash'),
      [],
    );
    assert.deepEqual(node.runtime.signals.remoteCounts, { exported: 0, watches: 0 });
    await node.close();
  });

  test('a thread that dies: what it sent, then noconnection, once over each link and monitor', {
    timeout: 120_000,
  }, async () => {
    const node = new TestNode(64 * 1024);
    const first = await node.start(1, 'doomed', 20_000);
    const children = new Map<Pid, { exits: number; downs: number }>();
    let floods = 0;
    let afterwards = 0;
    let isDown = false;
    node.router.watch({
      schedulerDown: (scheduler) => {
        isDown = true;
        assert.equal(scheduler, first.number);
      },
    });
    const collector = node.runtime.spawn<unknown>(
      (self) => {
        node.runtime.sendNamed('doomed-1', self);
        return {
          receive(message) {
            if (message instanceof ExitMessage || message instanceof DownMessage) {
              assert.equal(message.reason.type, 'noconnection');
              const child = children.get(message.from as Pid)!;
              if (message instanceof ExitMessage) child.exits++;
              else child.downs++;
              return;
            }
            if (isDown && children.size > 0 && [...children.values()].some(({ downs }) => downs > 0))
              afterwards++;
            const [what, , child] = message as [string, number, Pid];
            if (what === 'child') {
              children.set(child, { exits: 0, downs: 0 });
              self.link(child);
              self.monitor(child);
            } else {
              assert.equal((message as [string, number])[1], floods++);
            }
          },
        };
      },
      { trapExit: true },
    );
    await first.ended;
    await until(() => isDown);
    // What is told in that turn is handled in the next ones.
    await until(() => node.runtime.info(collector)!.mailboxLength === 0);
    assert.equal(children.size, 100);
    assert.deepEqual(
      new Set([...children.values()].map(({ exits, downs }) => `${exits} ${downs}`)),
      new Set(['1 1']),
    );
    assert.equal(afterwards, 0, 'something came after the news of its death');
    // How many depends on how long it lived among others; some there must have been.
    assert.ok(floods > 0);
    assert.deepEqual(
      node.events.filter((event) => event.type === 'crash'),
      [],
    );
    // Its name is free, and its place too. The new one has another number, and the old pids lead nowhere.
    assert.equal(node.runtime.whereis('doomed-1'), undefined);
    const second = await node.start(1, 'echo');
    assert.equal(placeOf(second.number), 1);
    assert.notEqual(second.number, first.number);
    const [old] = children.keys();
    const answers: unknown[] = [];
    node.runtime.spawn<unknown>((self) => {
      const echo = node.runtime.whereis(`echo-${second.number}`)!;
      assert.equal(echo.scheduler, second.number);
      self.send(echo, self);
      node.runtime.send(node.runtime.pid(first.number, echo.id), 'not for you');
      node.runtime.exit(node.runtime.pid(first.number, echo.id), ExitReason.kill);
      self.send(echo, 'for you');
      self.monitor(old!);
      return { receive: (message) => void answers.push(message) };
    });
    await until(() => answers.length >= 2);
    assert.deepEqual(
      answers.map((answer) => (answer instanceof DownMessage ? answer.reason.type : answer)),
      ['noconnection', 'for you'],
    );
    await node.close();
  });

  test('a thread that is given up, and lives, ends when it hears of it', { timeout: 60_000 }, async () => {
    const node = new TestNode(64 * 1024);
    const first = await node.start(1, 'echo');
    node.pool.close(first.number);
    assert.equal(node.runtime.whereis(`echo-${first.number}`), undefined);
    assert.equal(await first.ended, 1);
    await node.close();
  });
});
