/** Supervisors as behaviours: suspended, looked at, changed while they run. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitReason, type Pid, sys } from '../../src/actors/index.js';
import { DynamicSupervisor, Supervisor, type SupervisorSpec } from '../../src/supervisors/index.js';
import { reasonOf } from '../actors/world.js';
import { Nursery } from './nursery.js';

/** What a change of code gives, made while the supervisor is suspended. */
async function change(world: Nursery, supervisor: Pid, callbacks: unknown): Promise<unknown> {
  const { runtime } = world;
  const settle = <T>(what: Parameters<typeof runtime.wait<T>>[0]) => world.settle(runtime.wait(what));
  await settle(sys.suspend(supervisor));
  const { error } = await settle(sys.changeCode(supervisor, { callbacks }));
  await settle(sys.resume(supervisor));
  return error === undefined ? 'ok' : reasonOf(error);
}

describe('a change of code', () => {
  test('replaces specifications and flags, and starts and stops nobody', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      intensity: 9,
      children: ['a', 'b', 'c'].map((id) => world.child(id)),
    });
    world.take();
    const next: SupervisorSpec = {
      strategy: 'rest_for_one',
      intensity: 9,
      children: [
        world.child('d'),
        { ...world.child('c'), start: (self) => world.child('new c').start(self) },
        world.child('a'),
      ],
    };
    assert.equal(await change(world, supervisor, next), 'ok');
    assert.deepEqual(world.take(), []);
    const children = await world.settle(Supervisor.whichChildren(world.runtime, supervisor));
    assert.deepEqual(
      children.map(({ id, pid }) => [id, pid === null ? null : pid === world.pid(id)]),
      [
        ['b', true],
        ['a', true],
        ['c', true],
        ['d', null],
      ],
      'in the new order; who is not named stays, behind the others',
    );
    world.crash('c');
    assert.deepEqual(world.take(), [
      'end c boom',
      'end b shutdown',
      'end a shutdown',
      'start new c',
      'start a',
      'start b',
    ]);
  });

  test('runs the init again if there is nothing new; ignore changes nothing', async () => {
    const world = new Nursery();
    let spec: unknown = { children: [world.child('a')] };
    const supervisor = Supervisor.start(world.runtime, () => spec as SupervisorSpec).ok!;
    const ids = async () =>
      (await world.settle(Supervisor.whichChildren(world.runtime, supervisor))).map(({ id }) => id);
    spec = { children: [world.child('b')] };
    assert.equal(await change(world, supervisor, null), 'ok');
    assert.deepEqual(await ids(), ['a', 'b']);
    spec = Supervisor.ignore;
    assert.equal(await change(world, supervisor, null), 'ok');
    assert.deepEqual(await ids(), ['a', 'b']);
    assert.equal(await change(world, supervisor, { children: [world.child('c')] }), 'ok');
    assert.equal(await change(world, supervisor, null), 'ok', 'what was given is the specification now');
    assert.deepEqual(await ids(), ['a', 'b', 'c']);
  });

  test('that brings what is wrong changes nothing', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ children: [world.child('a')] });
    for (const [spec, expected] of [
      [{ strategy: 'x' }, ['bad_spec', 'supervisor_data', 'invalid_strategy', 'x']],
      [
        { strategy: 'simple_one_for_one' },
        ['bad_spec', 'supervisor_data', 'invalid_strategy', 'simple_one_for_one'],
      ],
      [{ intensity: 0, children: [{ id: 'b' }] }, ['bad_spec', 'start_spec', 'missing_start', { id: 'b' }]],
      [() => 7, ['bad_return', 7]],
    ] as const) {
      assert.deepEqual(await change(world, supervisor, spec), expected);
    }
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom', 'start a'], 'with the intensity that it had');
  });

  test('makes children significant, and ends that', async () => {
    const world = new Nursery();
    const spec = { children: [world.child('a', { restart: 'transient' }), world.child('b')] };
    const supervisor = world.supervisor(spec);
    const significant = {
      autoShutdown: 'all_significant',
      children: [{ ...world.child('a'), restart: 'transient', significant: true }, world.child('b')],
    };
    assert.equal(await change(world, supervisor, significant), 'ok');
    assert.equal(await change(world, supervisor, spec), 'ok');
    assert.equal(await change(world, supervisor, significant), 'ok');
    world.crash('a', ExitReason.normal);
    assert.equal(reasonOf(world.runtime.exitReasonOf(supervisor)), 'shutdown');
  });

  test('of a template and of the limits of a dynamic supervisor', async () => {
    const world = new Nursery();
    const template = (shutdown: number) => ({
      strategy: 'simple_one_for_one' as const,
      children: [{ ...world.child('x'), shutdown }] as const,
    });
    const simple = Supervisor.start(world.runtime, template(1)).ok!;
    Supervisor.startChild(world.runtime, simple, []);
    assert.equal(await change(world, simple, template(2)), 'ok');
    const { ok } = await world.settle(Supervisor.getChildSpec(world.runtime, simple, world.pid('x')));
    assert.equal(ok!.shutdown, 2);
    assert.deepEqual(await change(world, simple, { strategy: 'simple_one_for_one' }), [
      'bad_spec',
      'start_spec',
      'bad_start_spec',
      [],
    ]);
    const dynamic = DynamicSupervisor.start(world.runtime, { maxChildren: 1 }).ok!;
    const start = () => DynamicSupervisor.startChild(world.runtime, dynamic, world.child('y')).error?.type;
    assert.deepEqual([start(), start()], [undefined, 'max_children']);
    assert.equal(await change(world, dynamic, { maxChildren: 2 }), 'ok');
    assert.deepEqual([start(), start()], [undefined, 'max_children']);
    assert.deepEqual(await change(world, dynamic, { maxChildren: 'x' }), [
      'bad_spec',
      'supervisor_data',
      'invalid_max_children',
      'x',
    ]);
  });
});

describe('sys', () => {
  test('a suspended supervisor restarts nobody until it is resumed', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ children: [world.child('a')] });
    await world.settle(world.runtime.wait(sys.suspend(supervisor)));
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom']);
    assert.deepEqual(Supervisor.startChild(world.runtime, supervisor, world.child('b')), {
      error: ExitReason.busy,
    });
    await world.settle(world.runtime.wait(sys.resume(supervisor)));
    assert.deepEqual(world.take(), ['start a']);
  });

  test('its state can be seen, not replaced', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ label: 'top', intensity: 3, children: [world.child('a')] });
    world.crash('a');
    const status = await world.settle(world.runtime.wait(sys.getStatus(supervisor)));
    assert.deepEqual([status.label, status.behaviour], ['top', 'Supervisor']);
    assert.deepEqual(status.state, {
      strategy: 'one_for_one',
      intensity: 3,
      periodMs: 5000,
      autoShutdown: 'never',
      restarts: 1,
      children: [{ id: 'a', pid: world.pid('a'), type: 'worker', modules: [] }],
    });
    const replaced = world.runtime.wait(sys.replaceState(supervisor, () => ({})));
    replaced.catch(() => {});
    await assert.rejects(world.settle(replaced), /not replaced/);
    assert.ok(world.runtime.isAlive(supervisor));
  });

  test('what it does not know ends it, with its children', () => {
    for (const unknown of ['call', 'cast'] as const) {
      const world = new Nursery();
      const supervisor = world.supervisor({ children: [world.child('a')] });
      world.runtime.send(supervisor as Pid<unknown>, 'what');
      world.runtime.flush();
      assert.deepEqual(world.alive('a'), ['a'], 'a mere message does not');
      if (unknown === 'call') void world.runtime.call(supervisor, 'what').catch(() => {});
      else world.runtime.cast(supervisor, 'what');
      world.runtime.flush();
      assert.equal(
        reasonOf(world.runtime.exitReasonOf(supervisor)),
        'error: a supervisor does not know the request what',
      );
      assert.deepEqual(world.alive('a'), []);
    }
  });
});
