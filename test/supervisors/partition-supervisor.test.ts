/** PartitionSupervisor; the themes are those of Elixir's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgument, GenServer, type Process, sleep } from '../../src/actors/index.js';
import {
  PartitionSupervisor,
  Partitions,
  partitionSupervisor,
  Supervisor,
} from '../../src/supervisors/index.js';
import { Nursery } from './nursery.js';

function echo(self: Process<never>, got: [number, string][], index: number) {
  return self.spawnLink<string>(() => ({
    receive(message) {
      if (message === 'crash') throw new Error('crash');
      got.push([index, message as string]);
    },
  }));
}

test('partitions are found by their number, over restarts', () => {
  const world = new Nursery();
  const got: [number, string][] = [];
  const partitions = new Partitions<string>(4);
  assert.equal(partitions.get(0), undefined);
  world.supervisor({
    children: [
      PartitionSupervisor.child('partitions', {
        partitions,
        intensity: 3,
        start: (supervisor, index) => echo(supervisor, got, index),
      }),
    ],
  });
  for (let index = 0; index < 4; index++) world.runtime.send(partitions.get(index)!, 'hello');
  const before = partitions.get(2);
  world.runtime.send(before!, 'crash');
  world.runtime.flush();
  assert.notEqual(partitions.get(2), before);
  world.runtime.send(partitions.get(2)!, 'again');
  world.runtime.flush();
  assert.deepEqual(got.sort(), [
    [0, 'hello'],
    [1, 'hello'],
    [2, 'again'],
    [2, 'hello'],
    [3, 'hello'],
  ]);
});

test('keys: integers go round, others by a hash that is spread and always the same', () => {
  const partitions = new Partitions(8);
  assert.deepEqual(
    [0, 7, 8, -9, 12345678901234567890n, -3n].map((key) => partitions.indexOf(key)),
    [0, 7, 0, 1, 2, 3],
  );
  const counts = new Array<number>(8).fill(0);
  for (let user = 0; user < 8000; user++) counts[partitions.indexOf(`user ${user}`)]!++;
  assert.ok(Math.min(...counts) > 800 && Math.max(...counts) < 1200, String(counts));
  assert.equal(partitions.indexOf('alice'), new Partitions(8).indexOf('alice'));
  assert.equal(partitions.indexOf(0.5), partitions.indexOf('0.5'));
  const world = new Nursery();
  const pid = world.runtime.spawn(() => ({ receive() {} }));
  assert.equal(partitions.indexOf(pid), partitions.indexOf(world.runtime.pid(pid.scheduler, pid.id)));
  assert.throws(() => partitions.indexOf({} as never), BadArgument);
});

test('a partition under a key is a name: for calls, casts, monitors', async () => {
  const world = new Nursery();
  const { runtime } = world;
  const partitions = new Partitions(4);
  const server = {
    init: () => GenServer.ok(0),
    handleCall: (by: number, _from: unknown, sum: number) => GenServer.reply(sum + by, sum + by),
    handleCast: (by: number, sum: number) => GenServer.noreply(sum + by),
  };
  PartitionSupervisor.start(runtime, { partitions, start: (self) => GenServer.startLink(self, server) });
  runtime.cast(partitions.via('alice'), 5);
  assert.equal(await world.settle(runtime.call<number>(partitions.via('alice'), 2)), 7);
  assert.equal(await world.settle(runtime.call<number>({ via: partitions, key: 'alice' }, 0)), 7);
  const of = partitions.of('alice')!;
  assert.equal(partitions.whereisName('alice'), of);
  runtime.exit(of, { type: 'kill' });
  assert.equal(partitions.whereisName('alice'), undefined);
  runtime.flush();
  assert.equal(await world.settle(runtime.call<number>(partitions.via('alice'), 1)), 1);
  assert.throws(() => GenServer.start(runtime, server, { name: new Partitions(2).via('x') }), BadArgument);
});

test('made of a child specification, with arguments of its own for each', () => {
  const world = new Nursery();
  const seen: unknown[] = [];
  const partitions = new Partitions<string>(3);
  PartitionSupervisor.start(world.runtime, {
    partitions,
    strategy: 'one_for_all',
    child: {
      start: (self, options: { readonly db: string; readonly partition?: number }) => {
        seen.push(options);
        return echo(self, [], 0);
      },
      shutdown: 'brutal_kill',
    },
    arguments: [{ db: 'x' }],
    withArguments: ([options], partition) => [{ ...options, partition }],
  });
  assert.deepEqual(seen, [
    { db: 'x', partition: 0 },
    { db: 'x', partition: 1 },
    { db: 'x', partition: 2 },
  ]);
  world.runtime.send(partitions.get(1)!, 'crash');
  world.runtime.flush();
  assert.equal(seen.length, 6);
});

test('fewer and more: keys are routed to those that run', async () => {
  const world = new Nursery();
  const { runtime } = world;
  const partitions = new Partitions<string>(4);
  const top = PartitionSupervisor.start(runtime, {
    partitions,
    start: (self, index) => echo(self, [], index),
  }).ok!;
  const resize = async (count: number) =>
    world.settle(runtime.wait(PartitionSupervisor.resize(top, partitions, count)));
  const last = partitions.get(3)!;
  assert.equal(await resize(2), 4);
  assert.deepEqual([partitions.count, partitions.indexOf(3), partitions.get(3)], [2, 1, undefined]);
  assert.equal(runtime.isAlive(last), false);
  assert.equal((await world.settle(PartitionSupervisor.countChildren(runtime, top))).active, 2);
  assert.equal(await resize(4), 2);
  assert.ok(runtime.isAlive(partitions.of(3)!));
  await resize(0);
  assert.throws(() => partitions.indexOf(1), /no partitions/);
  await assert.rejects(resize(5), /between 0 and 4, not 5/);
  assert.equal(runtime.processCount, 1);
});

test('some here and some elsewhere; ones whose init waits', () => {
  const world = new Nursery();
  const partitions = new Partitions<string>(4);
  const result = PartitionSupervisor.start(world.runtime, {
    partitions,
    only: [1, 3],
    *start(self, index) {
      yield* sleep(50);
      return echo(self, [], index);
    },
  });
  const outcome = world.outcomeOf(result);
  world.advance(50);
  assert.deepEqual([partitions.get(1) !== undefined, outcome.length], [true, 0]);
  world.advance(50);
  assert.ok(outcome[0]!.ok);
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => partitions.get(index) !== undefined),
    [false, true, false, true],
  );
});

test('bad numbers are refused', () => {
  assert.throws(() => new Partitions(0), /bad number of partitions/);
  assert.throws(
    () => partitionSupervisor({ partitions: new Partitions(4), only: [4], start: () => assert.fail() }),
    /no partition 4/,
  );
  const world = new Nursery();
  const twice = partitionSupervisor({
    partitions: new Partitions<never>(4),
    only: [1, 1],
    start: () => assert.fail(),
  });
  assert.equal(Supervisor.start(world.runtime, twice).error?.type, 'bad_spec');
});
