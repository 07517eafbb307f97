/** DynamicSupervisor; the themes are those of simple_one_for_one and of Elixir's DynamicSupervisor. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitReason, type GenServer, type Pid } from '../../src/actors/index.js';
import { DynamicSupervisor, type DynamicSupervisorSpec, Supervisor } from '../../src/supervisors/index.js';
import { reasonOf } from '../actors/world.js';
import { type Behaviour, Nursery } from './nursery.js';

const done = { ok: true } as const;

function setUp(spec: DynamicSupervisorSpec = {}) {
  const world = new Nursery();
  const supervisor = DynamicSupervisor.start(world.runtime, spec).ok!;
  const start = (id: string, child = {}, behaviour: Behaviour = {}) =>
    DynamicSupervisor.startChild(
      world.runtime,
      supervisor,
      world.child(id, { restart: 'temporary', ...child }, behaviour),
    );
  const count = () => world.settle(DynamicSupervisor.countChildren(world.runtime, supervisor));
  return { world, supervisor, start, count };
}

describe('children', () => {
  test('start at once, and a temporary one is forgotten when it ends', async () => {
    const { world, start, count } = setUp();
    const { ok } = start('a');
    assert.equal(ok, world.pid('a'));
    assert.deepEqual(world.runtime.pathOf(ok!), ['dynamic_supervisor']);
    assert.deepEqual(await count(), { specs: 1, active: 1, supervisors: 0, workers: 1 });
    world.crash('a');
    assert.deepEqual(await count(), { specs: 0, active: 0, supervisors: 0, workers: 0 });
    assert.deepEqual(world.take(), ['start a', 'end a boom']);
  });

  test('a start that fails or ignores leaves nothing', async () => {
    const { world, start, count } = setUp();
    world.nextStarts.set('a', [
      { error: ExitReason.custom('no') },
      { ignore: true },
      () => {
        throw new Error('oops');
      },
    ]);
    assert.deepEqual(start('a'), { error: ExitReason.custom('no') });
    assert.deepEqual(start('a'), { ignore: true });
    assert.deepEqual(reasonOf(start('a').error!), ['start_crashed', 'error: oops']);
    assert.equal((await count()).specs, 0);
  });

  test('not more than maxChildren', async () => {
    const { world, start } = setUp({ maxChildren: 2 });
    start('a');
    start('b');
    assert.deepEqual(start('c'), { error: ExitReason.maxChildren });
    world.crash('a');
    assert.notEqual(start('c').ok, undefined);
    const bad = (spec: object): unknown =>
      reasonOf(DynamicSupervisor.start(world.runtime, spec as DynamicSupervisorSpec).error!);
    const flaw = (problem: string, value: unknown) => ['bad_spec', 'supervisor_data', problem, value];
    assert.deepEqual(bad({ maxChildren: -1 }), flaw('invalid_max_children', -1));
    assert.deepEqual(bad({ intensity: 1.5 }), flaw('invalid_intensity', 1.5));
    assert.deepEqual(bad({ periodMs: 0 }), flaw('invalid_period', 0));
    assert.deepEqual(bad({ extraArguments: 7 }), flaw('invalid_extra_arguments', 7));
    assert.deepEqual(bad({ strategy: 'one_for_all' }), flaw('invalid_strategy', 'one_for_all'));
  });

  test('are handed the extra arguments, at a restart too', () => {
    const world = new Nursery();
    const supervisor = DynamicSupervisor.start(world.runtime, {
      extraArguments: ['db', 5] as [string, number],
    }).ok!;
    const seen: unknown[] = [];
    DynamicSupervisor.startChild(world.runtime, supervisor, {
      id: 'a',
      start: (self, db, size) => {
        seen.push([db, size]);
        return world.child('a').start(self);
      },
    });
    world.crash('a');
    assert.deepEqual(seen, [
      ['db', 5],
      ['db', 5],
    ]);
  });

  test('with what their specification says, checked', async () => {
    const { world, supervisor, start } = setUp();
    const { ok } = start('a', { modules: 'dynamic', shutdown: 7 });
    const bad = start('b', { restart: 'sometimes' }).error!;
    assert.deepEqual(reasonOf(bad), ['bad_spec', 'child_spec', 'invalid_restart_type', 'sometimes']);
    const [child] = await world.settle(DynamicSupervisor.whichChildren(world.runtime, supervisor));
    assert.deepEqual(child, { id: 'a', pid: ok, type: 'worker', modules: 'dynamic' });
    const spec = await world.settle(Supervisor.getChildSpec(world.runtime, supervisor, ok!));
    assert.equal(spec.ok!.shutdown, 7);
    for (const ask of [Supervisor.restartChild, Supervisor.deleteChild, Supervisor.whichChild]) {
      const answer = await world.settle(ask(world.runtime, supervisor, 'a') as Promise<unknown>);
      assert.deepEqual(answer, { error: { type: 'not_found' } }, 'ids are for reports only');
    }
  });

  test('that ignore their restart are forgotten', async () => {
    const { world, start, count } = setUp();
    start('a', { restart: 'permanent', type: 'supervisor' });
    assert.equal((await count()).supervisors, 1);
    world.nextStarts.set('a', [{ ignore: true }]);
    world.crash('a');
    assert.deepEqual(await count(), { specs: 0, active: 0, supervisors: 0, workers: 0 });
  });

  test('can be started by a process while another is being stopped', async () => {
    const { world, supervisor, start, count } = setUp();
    start('slow', {}, { stopMs: 100 });
    const stopped = DynamicSupervisor.terminateChild(world.runtime, supervisor, world.pid('slow'));
    world.runtime.flush();
    assert.notEqual(start('other').ok, undefined);
    assert.equal((await count()).active, 2);
    world.advance(100);
    assert.deepEqual(await stopped, done);
    assert.equal((await count()).active, 1);
  });

  test('a start from the start of another child is refused, not a deadlock', () => {
    const { world, supervisor } = setUp();
    let inner: unknown;
    DynamicSupervisor.startChild(world.runtime, supervisor, {
      id: 'outer',
      start: (self) => {
        inner = DynamicSupervisor.startChild(world.runtime, supervisor, world.child('inner'));
        return self.spawnLink(() => ({ receive() {} }));
      },
    });
    assert.deepEqual(inner, { error: ExitReason.busy });
  });
});

describe('restarting', () => {
  test('permanent and transient children come again under a new pid', async () => {
    const { world, start, count } = setUp({ intensity: 10 });
    start('p', { restart: 'permanent' });
    start('t', { restart: 'transient' });
    const old = [world.pid('p'), world.pid('t')];
    world.crash('p', ExitReason.normal);
    world.crash('t');
    assert.ok(world.pid('p') !== old[0] && world.pid('t') !== old[1]);
    world.crash('t', ExitReason.normal);
    assert.deepEqual(await count(), { specs: 1, active: 1, supervisors: 0, workers: 1 });
  });

  test('one too many: all are stopped, and it ends with shutdown', () => {
    const { world, supervisor, start } = setUp({ intensity: 1 });
    start('a', { restart: 'permanent' });
    start('b');
    world.crash('a');
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom', 'end b shutdown']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(supervisor)), 'shutdown');
  });

  test('one that fails is tried again and counts; meanwhile it can be taken off under its old pid', async () => {
    const { world, supervisor, start, count } = setUp({ intensity: 3 });
    start('a', { restart: 'permanent' });
    const failing = { error: ExitReason.custom('no') };
    world.nextStarts.set('a', [failing, failing]);
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom', 'try a', 'try a', 'start a']);
    world.advance(5001);
    world.nextStarts.set('a', [failing, failing, failing]);
    const old = world.pid('a');
    world.runtime.finish(world.runtime.local(old)!, ExitReason.custom('boom'));
    const counted = DynamicSupervisor.countChildren(world.runtime, supervisor);
    const stopped = DynamicSupervisor.terminateChild(world.runtime, supervisor, old);
    world.runtime.flush();
    assert.deepEqual([(await counted).specs, (await counted).active, await stopped], [1, 0, done]);
    assert.equal((await count()).specs, 0);
    assert.deepEqual(world.take(), ['end a boom', 'try a']);
  });
});

describe('stopping', () => {
  test('all at the same time, each with its own time, the timers shared', () => {
    const { world, supervisor, start } = setUp();
    for (let at = 0; at < 20; at++) start(`slow ${at}`, { shutdown: 100 }, { stopMs: 80 });
    for (let at = 0; at < 20; at++) start(`late ${at}`, { shutdown: 100 }, { naughty: true });
    start('patient', { shutdown: 'infinity' }, { stopMs: 1000 });
    start('brutal', { shutdown: 'brutal_kill' }, { stopMs: 1000 });
    start('plain');
    world.take();
    world.runtime.stop(supervisor);
    world.runtime.flush();
    // One timer for everybody with 100 ms, and those of the children themselves.
    assert.equal(world.runtime.info(supervisor)!.timers, 1);
    assert.deepEqual(world.take(), ['end brutal killed', 'end plain shutdown']);
    world.advance(80);
    assert.equal(world.take().filter((line) => /^end slow \d+ shutdown$/.test(line)).length, 20);
    world.advance(19);
    assert.deepEqual(world.take(), []);
    world.advance(1);
    assert.equal(world.take().filter((line) => /^end late \d+ killed$/.test(line)).length, 20);
    assert.ok(world.runtime.isAlive(supervisor));
    world.advance(900);
    assert.deepEqual(world.take(), ['end patient shutdown']);
    assert.equal(world.runtime.isAlive(supervisor), false);
    assert.equal(world.eventsOf('child_shutdown_failed').length, 20);
    assert.equal(world.runtime.processCount, 0);
    assert.equal(world.runtime.timers.size, 0);
  });

  test('one by its pid: ok once, then not_found; a naughty one is killed in time; one that unlinked too', async () => {
    const { world, supervisor, start } = setUp();
    const stop = (pid: Pid, ms = 0) =>
      world.settle(DynamicSupervisor.terminateChild(world.runtime, supervisor, pid), ms);
    start('a', { restart: 'permanent' });
    const a = world.pid('a');
    assert.deepEqual(await stop(a), done);
    assert.deepEqual(await stop(a), { error: { type: 'not_found' } });
    start('n', { shutdown: 100 }, { naughty: true, unlinks: true });
    assert.deepEqual(await stop(world.pid('n'), 100), done);
    assert.equal(reasonOf(world.runtime.exitReasonOf(world.pid('n'))), 'killed');
  });

  test('under another supervisor it is stopped with it, and comes again empty', async () => {
    const world = new Nursery();
    const outer = world.supervisor({
      intensity: 5,
      children: [DynamicSupervisor.child('sessions', { name: 'sessions', intensity: 0 })],
    });
    DynamicSupervisor.startChild(world.runtime, 'sessions', world.child('a', { restart: 'permanent' }));
    DynamicSupervisor.startChild(world.runtime, 'sessions', world.child('b', { restart: 'temporary' }));
    world.crash('a');
    assert.deepEqual(world.alive('a', 'b'), []);
    const count = await world.settle(DynamicSupervisor.countChildren(world.runtime, 'sessions'));
    assert.equal(count.specs, 0);
    await world.settle(world.runtime.stop(outer));
    assert.equal(world.runtime.processCount, 0);
  });
});

describe('at scale', () => {
  test('100,000 children start, end one by one, and end together', async () => {
    const { world, supervisor, count } = setUp();
    const pids: Pid<string>[] = [];
    const spec = {
      id: 'session',
      restart: 'temporary' as const,
      start: (self: Parameters<typeof GenServer.startLink>[0]) =>
        self.spawnLink<string>((child) => ({ receive: () => child.exit(ExitReason.normal) })),
    };
    for (let at = 0; at < 100_000; at++)
      pids.push(DynamicSupervisor.startChild<string>(world.runtime, supervisor, spec).ok!);
    assert.equal((await count()).active, 100_000);
    for (let at = 0; at < 50_000; at++) world.runtime.send(pids[at]!, 'end');
    world.runtime.flush();
    assert.equal((await count()).active, 50_000);
    await world.settle(world.runtime.stop(supervisor));
    assert.equal(world.runtime.processCount, 0);
  });
});
