/** Where a supervisor stands still: for children whose init waits, and for those that take their time to stop. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ExitReason,
  GenServer,
  type Pid,
  type Process,
  receive,
  sleep,
  started,
  startProcess,
} from '../../src/actors/index.js';
import { type ChildSpec, DynamicSupervisor, Supervisor } from '../../src/supervisors/index.js';
import { reasonOf } from '../actors/world.js';
import { Nursery } from './nursery.js';

/** A child whose init takes `ms`, and then is ready, or ends with a reason. */
function slow(world: Nursery, id: string, ms: number, reason?: ExitReason, spec: object = {}): ChildSpec {
  return {
    id,
    start: (supervisor) => {
      world.log.push(`start ${id}`);
      return startProcess(world.runtime, { parent: supervisor, link: true, label: id }, (self, ack) =>
        (function* () {
          yield* sleep(ms);
          if (reason !== undefined) self.exit(reason);
          world.log.push(`ready ${id}`);
          ack.ok();
          yield* receive('never');
        })(),
      );
    },
    ...spec,
  };
}

describe('a child whose init waits', () => {
  test('makes the first start wait, and the next child', () => {
    const world = new Nursery();
    const outcome = world.outcomeOf(
      Supervisor.start(world.runtime, { children: [slow(world, 'a', 50), world.child('b')] }),
    );
    world.advance(49);
    assert.deepEqual([world.take(), outcome], [['start a'], []]);
    world.advance(1);
    assert.deepEqual(world.take(), ['ready a', 'start b']);
    assert.ok(outcome[0]?.ok);
  });

  test('that fails stops what was started', () => {
    const world = new Nursery();
    const outcome = world.outcomeOf(
      Supervisor.start(world.runtime, {
        children: [world.child('a'), slow(world, 'b', 50, ExitReason.custom('no'))],
      }),
    );
    world.take();
    world.advance(50);
    assert.deepEqual(world.take(), ['end a shutdown']);
    assert.deepEqual(reasonOf(outcome[0]!.error!), ['shutdown', ['failed_to_start_child', 'b', 'no']]);
    assert.equal(world.runtime.processCount, 0);
  });

  test('is pending for who asks for it on his stack; others wait in line', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ children: [world.child('a')] });
    const result = Supervisor.startChild(world.runtime, supervisor, slow(world, 'b', 50));
    assert.ok(result.pending);
    const outcome = world.outcomeOf(result);
    assert.deepEqual(Supervisor.startChild(world.runtime, supervisor, world.child('c')), {
      error: ExitReason.busy,
    });
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom']);
    world.advance(50);
    assert.deepEqual(world.take(), ['ready b', 'start a']);
    assert.ok(world.runtime.isAlive(outcome[0]!.ok!));
  });

  test('fails with the supervisor’s reason when that ends first', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({});
    const result = Supervisor.startChild(world.runtime, supervisor, slow(world, 'b', 50));
    const outcome = world.outcomeOf(result);
    world.runtime.exit(supervisor, ExitReason.kill);
    world.advance(50);
    assert.deepEqual(outcome, [{ error: ExitReason.killed }]);
    assert.deepEqual(world.outcomeOf(result), outcome, 'and still, for who asks later');
  });

  test('makes restarts wait, and each try', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      strategy: 'rest_for_one',
      intensity: 5,
      children: [world.child('a'), world.child('b')],
    });
    world.outcomeOf(Supervisor.startChild(world.runtime, supervisor, slow(world, 'c', 50)));
    world.advance(50);
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom', 'end b shutdown', 'start a', 'start b', 'start c']);
    world.crash('b');
    world.advance(50);
    assert.deepEqual(world.take(), ['end b boom', 'ready c', 'start b', 'start c']);
    world.advance(50);
    assert.deepEqual(world.take(), ['ready c']);
  });

  test('under a dynamic supervisor and one of templates', () => {
    const world = new Nursery();
    const dynamic = DynamicSupervisor.start(world.runtime, {}).ok!;
    const { start, ...fields } = slow(world, 'd', 50, undefined, { restart: 'permanent' });
    const results = [DynamicSupervisor.startChild(world.runtime, dynamic, { ...fields, start })];
    const simple = Supervisor.start(world.runtime, {
      strategy: 'simple_one_for_one',
      children: [{ id: 'x', start: (self, ms: number) => slow(world, 'x', ms).start(self) }],
    }).ok!;
    results.push(Supervisor.startChild(world.runtime, simple, [60]));
    const outcomes = results.map((result) => world.outcomeOf(result));
    world.advance(60);
    assert.deepEqual(world.take(), ['start d', 'start x', 'ready d', 'ready x']);
    for (const [outcome] of outcomes) world.runtime.finish(outcome!.ok!, ExitReason.custom('boom'));
    world.advance(60);
    assert.deepEqual(world.take(), ['start d', 'start x', 'ready d', 'ready x']);
  });
});

describe('start functions', () => {
  test('that are generators or async, and what they return and throw', async () => {
    const world = new Nursery();
    const { runtime } = world;
    const child = (supervisor: Process<never>): Pid => supervisor.spawnLink(() => ({ receive() {} }));
    const supervisor = world.supervisor({});
    const start = async (spec: ChildSpec['start']) => {
      const result = Supervisor.startChild(runtime, supervisor, {
        id: 'x',
        restart: 'temporary',
        start: spec,
      });
      const [outcome] = world.outcomeOf(result).concat(
        await (async () => {
          // A promise settles in microtasks.
          for (let round = 0; round < 5; round++) await Promise.resolve();
          runtime.flush();
          return [];
        })(),
      );
      const again = outcome ?? world.outcomeOf(result)[0]!;
      if (again.ok !== undefined) {
        runtime.exit(again.ok, ExitReason.kill);
        runtime.flush();
        return again.info ?? 'ok';
      }
      return again.ignore ?? reasonOf(again.error!);
    };
    assert.equal(await start(child), 'ok');
    assert.equal(await start((self) => ({ ok: child(self), info: 7 })), 7);
    assert.equal(
      await start(function* (self) {
        yield* sleep(0);
        return child(self);
      }),
      'ok',
    );
    assert.equal(await start(async (self) => ({ ok: child(self), info: 'async' })), 'async');
    assert.equal(await start(async () => ({ ignore: true })), true);
    const failed = (reason: unknown) => ['failed_to_start_child', 'x', reason];
    assert.deepEqual(
      await start(async () => {
        throw new Error('rejected');
      }),
      failed(['start_crashed', 'error: rejected']),
    );
    assert.deepEqual(await start(async () => 7 as never), failed(['bad_start_result', 7]));
    assert.deepEqual(
      await start(function* () {
        yield* sleep(0);
        throw { ignore: true };
      }),
      true,
      'a value that is thrown is one that is returned',
    );
    assert.deepEqual(
      await start(() => {
        throw 'garbage';
      }),
      failed(['bad_start_result', 'garbage']),
    );
    assert.equal(runtime.processCount, 1);
  });

  test('a bare pid of who has ended has failed; { ok } is taken as it is, linked or not', async () => {
    const world = new Nursery();
    const { runtime } = world;
    const supervisor = world.supervisor({});
    const dead = runtime.spawn(() => ({ receive() {} }));
    runtime.exit(dead, ExitReason.kill);
    const bare = Supervisor.startChild(runtime, supervisor, { id: 'a', start: () => dead });
    assert.deepEqual(reasonOf(bare.error!), ['failed_to_start_child', 'a', 'killed']);
    const linked = runtime.spawn(() => ({ receive() {} }));
    Supervisor.startChild(runtime, supervisor, { id: 'b', start: () => linked });
    assert.deepEqual(runtime.info(linked)!.links, [supervisor]);
    const stranger = runtime.spawn(() => ({ receive() {} }));
    Supervisor.startChild(runtime, supervisor, { id: 'c', start: () => ({ ok: stranger }) });
    assert.deepEqual(runtime.info(stranger)!.links, []);
    runtime.exit(stranger, ExitReason.kill);
    const counts = await world.settle(Supervisor.countChildren(runtime, supervisor));
    assert.deepEqual([counts.specs, counts.active], [2, 1], 'nobody told it, but it can count');
    const c = await world.settle(Supervisor.whichChild(runtime, supervisor, 'c'));
    assert.equal(c.ok!.pid, stranger);
  });
});

describe('init', () => {
  test('is a function that makes the specification, or ignores, or waits', async () => {
    const world = new Nursery();
    const { runtime } = world;
    const plain = Supervisor.start(runtime, () => ({ children: [world.child('a')] }), { name: 'plain' });
    assert.equal(runtime.whereis('plain'), plain.ok);
    assert.deepEqual(
      Supervisor.start(runtime, () => Supervisor.ignore),
      { ignore: true },
    );
    const waiting = world.outcomeOf(
      Supervisor.start(runtime, function* () {
        yield* sleep(50);
        return { children: [world.child('b')] };
      }),
    );
    assert.deepEqual(world.take(), ['start a']);
    world.advance(50);
    assert.deepEqual(world.take(), ['start b']);
    assert.ok(waiting[0]?.ok);
    const crashed = Supervisor.start(runtime, () => {
      throw new Error('no');
    });
    assert.equal(reasonOf(crashed.error!), 'error: no');
    const thrown = Supervisor.start(runtime, () => {
      throw 'what';
    });
    assert.deepEqual(reasonOf(thrown.error!), ['bad_return_value', 'what']);
    const ignored = Supervisor.start(runtime, () => {
      throw Supervisor.ignore;
    });
    assert.deepEqual(ignored, { ignore: true });
    const pending = Supervisor.start(runtime, async () => ({ children: [world.child('c')] }));
    for (let round = 0; round < 5; round++) await Promise.resolve();
    assert.ok(world.outcomeOf(pending)[0]?.ok);
    assert.deepEqual(world.take(), ['start c']);
  });

  test('of a dynamic supervisor too', () => {
    const world = new Nursery();
    const { runtime } = world;
    const limited = DynamicSupervisor.start(runtime, () => ({ maxChildren: 0 }), { name: 'limited' }).ok!;
    assert.equal(runtime.whereis('limited'), limited);
    const result = DynamicSupervisor.startChild(runtime, 'limited', world.child('a'));
    assert.deepEqual(result, { error: ExitReason.maxChildren });
    assert.deepEqual(
      DynamicSupervisor.start(runtime, () => Supervisor.ignore as never),
      { ignore: true },
    );
  });
});

describe('asked by a process that waits', () => {
  test('everything, in a straight line', () => {
    const world = new Nursery();
    const seen: unknown[] = [];
    world.runtime.spawn(function* (self) {
      const { ok: top } = yield* started(Supervisor.startLink(self, { name: 'top', intensity: 5 }));
      const a = yield* Supervisor.startChild(top!, world.child('a', { modules: ['m'] }));
      const b = yield* Supervisor.startChild('top', slow(world, 'b', 50));
      seen.push([a.ok === world.pid('a'), b.ok !== undefined]);
      seen.push((yield* Supervisor.whichChildren('top')).map(({ id, type, modules }) => [id, type, modules]));
      seen.push((yield* Supervisor.whichChild(top!, 'a')).ok!.pid === a.ok);
      seen.push((yield* Supervisor.whichChild(top!, 'x')).error);
      seen.push(yield* Supervisor.countChildren(top!));
      seen.push((yield* Supervisor.getChildSpec(top!, 'a')).ok!.shutdown);
      seen.push(yield* Supervisor.terminateChild(top!, 'a'));
      seen.push((yield* Supervisor.restartChild(top!, 'a')).error);
      seen.push((yield* Supervisor.deleteChild(top!, 'a')).error);
      seen.push((yield* Supervisor.deleteChild(top!, 'b')).error);
    });
    world.runtime.flush();
    world.advance(50);
    assert.deepEqual(seen, [
      [true, true],
      [
        ['b', 'worker', []],
        ['a', 'worker', ['m']],
      ],
      true,
      { type: 'not_found' },
      { specs: 2, active: 2, supervisors: 0, workers: 2 },
      5000,
      { ok: true },
      undefined,
      { type: 'running' },
      { type: 'running' },
    ]);
  });

  test('by a child, once it has started; in its init it would wait for ever', () => {
    const world = new Nursery();
    const seen: unknown[] = [];
    const supervisor = world.supervisor({});
    Supervisor.startChild(world.runtime, supervisor, {
      id: 'asks',
      start: (self) =>
        GenServer.startLink(self, {
          init: () => GenServer.ok(0, { continue: 'ask' }),
          *handleContinue(_: string, count: number) {
            seen.push((yield* Supervisor.countChildren(supervisor)).active);
            return GenServer.noreply(count);
          },
        }),
    });
    world.runtime.flush();
    assert.deepEqual(seen, [1]);
    const stuck = Supervisor.startChild(world.runtime, supervisor, {
      id: 'stuck',
      start: (self) =>
        GenServer.startLink(self, {
          *init() {
            yield* Supervisor.countChildren(supervisor);
            return GenServer.ok(0);
          },
        }),
    });
    world.advance(100_000);
    assert.deepEqual(world.outcomeOf(stuck), []);
  });
});

test('the parent’s end while it waits is heeded when it has waited', () => {
  const world = new Nursery();
  const parent = world.puppet();
  let supervisor!: Pid;
  parent.run((self) => {
    const children = [world.child('a'), world.child('n', { shutdown: 100 }, { naughty: true })];
    supervisor = Supervisor.startLink(self, { children }).ok!;
  });
  void Supervisor.terminateChild(world.runtime, supervisor, 'n').catch(() => {});
  world.runtime.flush();
  world.runtime.exit(parent.pid, ExitReason.custom('boom'));
  world.runtime.flush();
  assert.ok(world.runtime.isAlive(supervisor));
  world.advance(100);
  assert.equal(reasonOf(world.runtime.exitReasonOf(supervisor)), 'boom');
  assert.equal(world.runtime.processCount, 0);
});
