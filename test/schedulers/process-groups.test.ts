/** Process groups over real rings between real threads: one scope here, one in each of two threads. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Pid, receive } from '../../src/actors/index.js';
import { type GroupMessage, ProcessGroups } from '../../src/registry/index.js';
import { placeOf } from '../../src/schedulers/index.js';
import type { GroupNews, GroupOrder } from './scheduler-thread.js';
import { TestNode, type TestThread, until } from './test-node.js';

const name = (pid: Pid) => `${pid.scheduler}.${pid.id}`;
const isNews = (posted: unknown): posted is GroupNews => typeof posted === 'object' && 'members' in posted!;

async function setUp() {
  const node = new TestNode(64 * 1024);
  const { runtime } = node;
  const groups = new ProcessGroups<string, Pid<unknown>>('rooms');
  groups.start(runtime);
  const heard: (readonly [type: string, group: string, pids: readonly string[]])[] = [];
  runtime.spawn<GroupMessage<string>>(function* () {
    yield* groups.monitorScope();
    for (;;) {
      const { type, group, pids } = (yield* receive()) as GroupMessage<string>;
      heard.push([type, group, pids.map(name)]);
    }
  });
  const order = async (thread: TestThread, what: GroupOrder) => {
    await until(() => runtime.whereis(`groups-${thread.number}`) !== undefined);
    runtime.sendNamed(`groups-${thread.number}`, what);
  };
  const members = (group: string, of?: TestThread): string[] => {
    const pids = groups.getMembers(runtime, group);
    return pids.filter((pid) => of === undefined || pid.scheduler === of.number).map(name);
  };
  /** What the scope of a thread said last of a group. */
  const there = (thread: TestThread, group: string): readonly string[] =>
    thread.posted.filter(isNews).findLast((news) => news.group === group)?.members ?? [];
  return { node, runtime, groups, heard, order, members, there };
}

const same = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && [...a].sort().join() === [...b].sort().join();

describe('process groups between threads', () => {
  test('what joins on one thread is known on all, with its pid; what leaves, too', {
    timeout: 60_000,
  }, async () => {
    const { node, runtime, groups, heard, order, members, there } = await setUp();
    const threads = [await node.start(1, 'groups'), await node.start(2, 'groups')] as const;
    const [one, two] = threads;
    let mine!: Pid<unknown>;
    runtime.spawn<unknown>(function* (self) {
      mine = self as Pid<unknown>;
      yield* groups.join('lobby', mine);
      yield* receive();
      yield* groups.leave('lobby', mine);
      yield* receive();
    });
    await order(one, { type: 'join', group: 'lobby', count: 3 });
    await order(two, { type: 'join', group: 'lobby', count: 2 });
    await until(() => members('lobby').length === 6);
    await until(() => threads.every((thread) => same(there(thread, 'lobby'), members('lobby'))));
    assert.equal(members('lobby', one).length, 3);
    assert.deepEqual(groups.getLocalMembers(runtime, 'lobby').map(name), [name(mine)]);
    // They are pids that one can use from here.
    const [remote] = groups.getMembers(runtime, 'lobby').filter((pid) => pid.scheduler === one.number);
    let down = '';
    runtime.spawn<unknown>(function* (self) {
      self.monitor(remote!);
      const message = (yield* receive()) as { reason: { type: string } };
      down = message.reason.type;
    });
    await new Promise((resolve) => setImmediate(resolve));
    runtime.exit(remote!, { type: 'kill' });
    await until(() => down === 'killed' && members('lobby').length === 5);

    runtime.send(mine, 'leave');
    await order(two, { type: 'leave', group: 'lobby' });
    await until(() => members('lobby').length === 2);
    await until(() => threads.every((thread) => same(there(thread, 'lobby'), members('lobby'))));
    assert.deepEqual(members('lobby'), members('lobby', one));
    // A monitor here has heard of each change, once.
    const joined = heard.filter(([type]) => type === 'join').flatMap(([, , pids]) => pids);
    const left = heard.filter(([type]) => type === 'leave').flatMap(([, , pids]) => pids);
    assert.deepEqual([joined.length, new Set(joined).size], [6, 6]);
    assert.deepEqual([left.length, new Set(left).size], [4, 4]);
    assert.ok(same([...left, ...members('lobby')], joined));
    await node.close();
  });

  test('a thread dies: its members leave everywhere; its successor hears of all and is heard', {
    timeout: 60_000,
  }, async () => {
    const { node, heard, order, members, there } = await setUp();
    const one = await node.start(1, 'groups');
    const two = await node.start(2, 'groups');
    await order(one, { type: 'join', group: 'lobby', count: 4 });
    await order(one, { type: 'join', group: 'cellar', count: 1 });
    await order(two, { type: 'join', group: 'lobby', count: 2 });
    await until(() => members('lobby').length === 6 && members('cellar').length === 1);
    await until(() => there(two, 'lobby').length === 6);
    const lost = [...members('lobby', one), ...members('cellar', one)];

    await order(one, { type: 'die' });
    await one.ended;
    await until(() => members('lobby').length === 2 && members('cellar').length === 0);
    await until(() => same(there(two, 'lobby'), members('lobby')) && there(two, 'cellar').length === 0);
    const left = heard.filter(([type]) => type === 'leave').flatMap(([, , pids]) => pids);
    assert.ok(same(left, lost), `${left.length} of ${lost.length} left`);

    const again = await node.start(1, 'groups');
    assert.equal(placeOf(again.number), placeOf(one.number));
    assert.notEqual(again.number, one.number);
    await order(again, { type: 'join', group: 'lobby', count: 1 });
    await until(() => members('lobby').length === 3);
    await until(() => [two, again].every((thread) => same(there(thread, 'lobby'), members('lobby'))));
    assert.equal(members('lobby', again).length, 1);
    assert.equal(members('lobby', one).length, 0);
    await node.close();
  });
});
