/** Children of one template: OTP's simple_one_for_one. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BadArgument, ExitReason, type Pid } from '../../src/actors/index.js';
import { type ChildSpec, Supervisor } from '../../src/supervisors/index.js';
import { reasonOf } from '../actors/world.js';
import { type Behaviour, Nursery } from './nursery.js';

const failing = { error: ExitReason.custom('no') } as const;

function setUp(spec: Partial<ChildSpec> = {}, behaviour: Behaviour = {}, intensity = 5) {
  const world = new Nursery();
  const top = Supervisor.start(world.runtime, {
    strategy: 'simple_one_for_one',
    intensity,
    children: [{ ...spec, id: 'x', start: (self, id: string) => world.child(id, {}, behaviour).start(self) }],
  }).ok!;
  const start = (id: string) => Supervisor.startChild(world.runtime, top, [id]);
  const stop = (child: Pid | string, ms = 0) =>
    world.settle(Supervisor.terminateChild(world.runtime, top, child), ms);
  const count = () => world.settle(Supervisor.countChildren(world.runtime, top));
  return { world, top, start, stop, count };
}

describe('simple_one_for_one', () => {
  test('starts each child with its arguments, again and again', async () => {
    const { world, start, count } = setUp();
    assert.deepEqual(start('a'), { ok: world.pid('a') });
    start('b');
    const old = world.pid('a');
    world.crash('a');
    assert.notEqual(world.pid('a'), old);
    assert.deepEqual(world.take(), ['start a', 'start b', 'end a boom', 'start a']);
    assert.deepEqual(await count(), { specs: 1, active: 2, supervisors: 0, workers: 2 });
  });

  test('a start that fails shows the bare reason; ignore is not kept, neither at a restart', async () => {
    const { world, top, start, count } = setUp();
    world.nextStarts.set('a', [failing, { ignore: true }]);
    assert.deepEqual(start('a'), failing);
    assert.deepEqual(start('a'), { ignore: true });
    start('b');
    world.nextStarts.set('b', [{ ignore: true }]);
    world.crash('b');
    assert.equal((await count()).workers, 0);
    const garbage = Supervisor.startChild(world.runtime, top, 'b' as never).error!;
    assert.ok(garbage.type === 'start_crashed' && garbage.reason.type === 'error');
    assert.ok(garbage.reason.error instanceof BadArgument);
  });

  test('a child is stopped by its pid; one that has ended is ok, a stranger is not found', async () => {
    const { world, top, start, stop } = setUp({ shutdown: 100 }, { naughty: true });
    start('a');
    const stranger = world.puppet();
    assert.deepEqual(await stop(stranger.pid), { error: { type: 'not_found' } });
    assert.deepEqual(await stop('x'), { error: { type: 'simple_one_for_one' } });
    assert.deepEqual(await stop(world.pid('a'), 100), { ok: true });
    assert.deepEqual(await stop(world.pid('a')), { ok: true });
    assert.equal(reasonOf(world.runtime.exitReasonOf(world.pid('a'))), 'killed');
    assert.equal(world.eventsOf('child_shutdown_failed').length, 1);
    const refused = { error: { type: 'simple_one_for_one' } };
    assert.deepEqual(await world.settle(Supervisor.restartChild(world.runtime, top, 'x')), refused);
    assert.deepEqual(await world.settle(Supervisor.deleteChild(world.runtime, top, 'x')), refused);
    assert.deepEqual(await world.settle(Supervisor.whichChild(world.runtime, top, 'x')), refused);
  });

  test('one that is restarting is known under its old pid, and can be called off', async () => {
    const { world, top, start, count } = setUp();
    start('a');
    const old = world.pid('a');
    world.nextStarts.set('a', [failing, failing]);
    world.runtime.finish(old, ExitReason.custom('boom'));
    const children = Supervisor.whichChildren(world.runtime, top);
    const counted = Supervisor.countChildren(world.runtime, top);
    const stopped = Supervisor.terminateChild(world.runtime, top, old);
    world.runtime.flush();
    assert.deepEqual(
      (await children).map(({ pid }) => pid),
      ['restarting'],
    );
    assert.deepEqual(await counted, { specs: 1, active: 0, supervisors: 0, workers: 1 });
    assert.deepEqual(await stopped, { ok: true });
    assert.equal((await count()).workers, 0);
  });

  test('temporary children are not started again, and their arguments not kept', async () => {
    const { world, start, count } = setUp({ restart: 'temporary', type: 'supervisor' });
    start('a');
    assert.equal((await count()).supervisors, 1);
    world.crash('a');
    assert.deepEqual(world.take(), ['start a', 'end a boom']);
    assert.equal((await count()).supervisors, 0);
  });

  test('too many restarts end it; all are stopped at the same time', () => {
    const { world, top, start } = setUp({ shutdown: 100 }, { stopMs: 50 }, 0);
    for (const id of ['a', 'b', 'c']) start(id);
    world.take();
    world.crash('a');
    assert.equal(world.eventsOf('supervisor_gave_up')[0]?.id, 'x');
    world.advance(50);
    assert.deepEqual(world.take(), ['end a boom', 'end b shutdown', 'end c shutdown']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(top)), 'shutdown');
    assert.equal(world.runtime.timers.size, 0);
  });

  test('its specification', async () => {
    const { world, top, start } = setUp({ shutdown: 7, modules: 'dynamic' });
    start('a');
    const spec = async (child: string | Pid) =>
      (await world.settle(Supervisor.getChildSpec(world.runtime, top, child))).ok?.shutdown;
    assert.deepEqual([await spec('x'), await spec(world.pid('a')), await spec('y')], [7, 7, undefined]);
    const [child] = await world.settle(Supervisor.whichChildren(world.runtime, top));
    assert.deepEqual(child, { id: 'x', pid: world.pid('a'), type: 'worker', modules: 'dynamic' });
  });
});
