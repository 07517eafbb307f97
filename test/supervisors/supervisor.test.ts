/** Supervisor; the themes are those of OTP's supervisor_SUITE, the expectations those of its traces. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitReason, type Pid } from '../../src/actors/index.js';
import {
  type ChildInfo,
  type ChildSpec,
  childSpec,
  Supervisor,
  type SupervisorSpec,
} from '../../src/supervisors/index.js';
import { reasonOf } from '../actors/world.js';
import { Nursery } from './nursery.js';

type Which = readonly ChildInfo[];

const boom = ExitReason.custom('boom');
const failing = { error: ExitReason.custom('no') } as const;
const done = { ok: true } as const;
const refused = (type: string) => ({ error: { type } });

const ids = async (world: Nursery, supervisor: Pid): Promise<unknown[]> =>
  (await world.settle(Supervisor.whichChildren(world.runtime, supervisor))).map(({ id, pid }) =>
    pid === null ? `${id} -` : pid === 'restarting' ? `${id} restarting` : id,
  );

describe('starting and stopping', () => {
  test('children start from left to right and stop in reverse', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ children: ['a', 'b', 'c'].map((id) => world.child(id)) });
    assert.deepEqual(world.take(), ['start a', 'start b', 'start c']);
    assert.deepEqual(await ids(world, supervisor), ['c', 'b', 'a']);
    await world.settle(world.runtime.stop(supervisor));
    assert.deepEqual(world.take(), ['end c shutdown', 'end b shutdown', 'end a shutdown']);
  });

  test('a start that fails stops what was started, in reverse, and says which child it was', () => {
    const world = new Nursery();
    world.nextStarts.set('c', [failing]);
    const parent = world.puppet({ trapExit: true });
    parent.run((self) => {
      const started = Supervisor.startLink(self, {
        children: ['a', 'b', 'c', 'd'].map((id) => world.child(id)),
      });
      assert.deepEqual(reasonOf(started.error!), ['shutdown', ['failed_to_start_child', 'c', 'no']]);
    });
    assert.deepEqual(world.take(), ['start a', 'start b', 'try c', 'end b shutdown', 'end a shutdown']);
    assert.deepEqual(parent.inbox, []);
    assert.equal(world.runtime.processCount, 1);
  });

  test('the same with children that take their time: the start waits for them', () => {
    const world = new Nursery();
    world.nextStarts.set('c', [failing]);
    const started = Supervisor.start(world.runtime, {
      children: [
        world.child('a', {}, { stopMs: 50 }),
        world.child('b', {}, { stopMs: 50 }),
        world.child('c'),
      ],
    });
    const outcome = world.outcomeOf(started);
    world.advance(49);
    assert.deepEqual(world.alive('a', 'b'), ['a', 'b']);
    world.advance(1);
    assert.deepEqual(world.alive('a', 'b'), ['a']);
    assert.deepEqual(outcome, []);
    world.advance(50);
    assert.deepEqual(
      outcome.map(({ error }) => reasonOf(error!)),
      [['shutdown', ['failed_to_start_child', 'c', 'no']]],
    );
    assert.equal(world.runtime.processCount, 0);
  });

  test('a start function that throws, returns garbage, or starts a process that dies at once', () => {
    const world = new Nursery();
    const reasonFor = (start: ChildSpec['start']) =>
      reasonOf(Supervisor.start(world.runtime, { children: [{ id: 'x', start }] }).error!);
    const failed = (reason: unknown) => ['shutdown', ['failed_to_start_child', 'x', reason]];
    assert.deepEqual(
      reasonFor(() => {
        throw new Error('oops');
      }),
      failed(['start_crashed', 'error: oops']),
    );
    assert.deepEqual(
      reasonFor(() => 'garbage' as never),
      failed(['bad_start_result', 'garbage']),
    );
    assert.deepEqual(
      reasonFor(() => ({ ok: 'garbage' }) as never),
      failed(['bad_start_result', { ok: 'garbage' }]),
    );
    assert.deepEqual(
      reasonFor((supervisor) =>
        supervisor.spawnLink(() => {
          throw new Error('init');
        }),
      ),
      failed('error: init'),
    );
  });

  test('bad specifications are refused by name', () => {
    const world = new Nursery();
    const start = (spec: object): unknown =>
      reasonOf(Supervisor.start(world.runtime, spec as SupervisorSpec).error!);
    const child = (spec: object) => start({ children: [{ id: 'x', start: () => assert.fail(), ...spec }] });
    const data = (problem: string, value: unknown) => ['bad_spec', 'supervisor_data', problem, value];
    const specs = (problem: string, value: unknown) => ['bad_spec', 'start_spec', problem, value];
    assert.deepEqual(start({ strategy: 'all' }), data('invalid_strategy', 'all'));
    assert.deepEqual(start({ intensity: -1 }), data('invalid_intensity', -1));
    assert.deepEqual(start({ intensity: 1.5 }), data('invalid_intensity', 1.5));
    assert.deepEqual(start({ periodMs: 0 }), data('invalid_period', 0));
    assert.deepEqual(start({ autoShutdown: 'x' }), data('invalid_auto_shutdown', 'x'));
    assert.deepEqual(
      start({ strategy: 'simple_one_for_one', autoShutdown: 'any_significant' }),
      data('bad_combination', [
        ['auto_shutdown', 'any_significant'],
        ['strategy', 'simple_one_for_one'],
      ]),
    );
    assert.deepEqual(start({ strategy: 'simple_one_for_one' }), specs('bad_start_spec', []));
    assert.deepEqual(start({ children: 7 }), specs('invalid_children', 7));
    assert.deepEqual(start({ children: [7] }), specs('invalid_child_spec', 7));
    assert.deepEqual(start({ children: [{}] }), specs('missing_id', {}));
    assert.deepEqual(start({ children: [{ id: 'x' }] }), specs('missing_start', { id: 'x' }));
    assert.deepEqual(child({ id: 7 }), specs('invalid_id', 7));
    assert.deepEqual(child({ start: 'main' }), specs('invalid_start', 'main'));
    assert.deepEqual(child({ restart: 'always' }), specs('invalid_restart_type', 'always'));
    assert.deepEqual(child({ shutdown: -1 }), specs('invalid_shutdown', -1));
    assert.deepEqual(child({ type: 'boss' }), specs('invalid_child_type', 'boss'));
    assert.deepEqual(child({ modules: 'm' }), specs('invalid_modules', 'm'));
    assert.deepEqual(child({ modules: ['m', 7] }), specs('invalid_module', 7));
    assert.deepEqual(child({ significant: 'yes' }), specs('invalid_significant', 'yes'));
    assert.deepEqual(
      child({ significant: true, restart: 'transient' }),
      specs('bad_combination', [
        ['auto_shutdown', 'never'],
        ['significant', true],
      ]),
    );
    assert.deepEqual(
      start({
        autoShutdown: 'any_significant',
        children: [{ id: 'x', start: () => assert.fail(), significant: true }],
      }),
      specs('bad_combination', [
        ['restart', 'permanent'],
        ['significant', true],
      ]),
    );
    assert.deepEqual(
      start({ children: [world.child('x'), world.child('x')] }),
      specs('duplicate_child_name', 'x'),
    );
    assert.deepEqual(start((() => 'garbage') as object), ['bad_return', 'garbage']);
    assert.deepEqual(world.take(), []);
    assert.equal(world.runtime.processCount, 0);
  });

  test('a child that ignores is kept without a process, unless it is temporary', async () => {
    const world = new Nursery();
    world.nextStarts.set('a', [{ ignore: true }]).set('b', [{ ignore: true }]);
    const supervisor = world.supervisor({
      children: [world.child('a'), world.child('b', { restart: 'temporary' }), world.child('c')],
    });
    assert.deepEqual(await ids(world, supervisor), ['c', 'a -']);
    const started = await world.settle(Supervisor.restartChild(world.runtime, supervisor, 'a'));
    assert.deepEqual(started, { ok: world.pid('a') });
  });

  test('a taken name is already_started', () => {
    const world = new Nursery();
    const first = world.supervisor({ name: 'x' });
    assert.deepEqual(Supervisor.start(world.runtime, { name: 'x' }).error, {
      type: 'already_started',
      pid: first,
    });
  });
});

describe('restarting', () => {
  test('one_for_one restarts only the child that ended', () => {
    const world = new Nursery();
    world.supervisor({ children: ['a', 'b', 'c'].map((id) => world.child(id)) });
    world.take();
    world.crash('b');
    assert.deepEqual(world.take(), ['end b boom', 'start b']);
  });

  test('one_for_all stops the others in reverse and starts all in order', () => {
    const world = new Nursery();
    world.supervisor({ strategy: 'one_for_all', children: ['a', 'b', 'c'].map((id) => world.child(id)) });
    world.take();
    world.crash('b');
    assert.deepEqual(world.take(), [
      'end b boom',
      'end c shutdown',
      'end a shutdown',
      'start a',
      'start b',
      'start c',
    ]);
  });

  test('rest_for_one takes only those after it', () => {
    const world = new Nursery();
    world.supervisor({
      strategy: 'rest_for_one',
      children: ['a', 'b', 'c', 'd'].map((id) => world.child(id)),
    });
    world.take();
    world.crash('b');
    assert.deepEqual(world.take(), [
      'end b boom',
      'end d shutdown',
      'end c shutdown',
      'start b',
      'start c',
      'start d',
    ]);
  });

  for (const [restart, reason, again] of [
    ['permanent', ExitReason.normal, true],
    ['permanent', ExitReason.shutdown, true],
    ['permanent', boom, true],
    ['transient', ExitReason.normal, false],
    ['transient', ExitReason.shutdown, false],
    ['transient', ExitReason.shutdownWith('why'), false],
    ['transient', boom, true],
    ['transient', ExitReason.killed, true],
    ['temporary', boom, false],
  ] as const) {
    test(`${restart} after ${String(reasonOf(reason))}: ${again ? 'again' : 'not again'}`, async () => {
      const world = new Nursery();
      const supervisor = world.supervisor({ children: [world.child('a', { restart })] });
      world.take();
      world.crash('a', reason);
      assert.equal(world.take().includes('start a'), again);
      assert.deepEqual(await ids(world, supervisor), again ? ['a'] : restart === 'transient' ? ['a -'] : []);
    });
  }

  test('a temporary child is not restarted as a bystander, and its specification goes', async () => {
    for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
      const world = new Nursery();
      const supervisor = world.supervisor({
        strategy,
        children: [world.child('a'), world.child('t', { restart: 'temporary' }), world.child('b')],
      });
      world.take();
      world.crash('a');
      assert.deepEqual(world.take(), [
        'end a boom',
        'end b shutdown',
        'end t shutdown',
        'start a',
        'start b',
      ]);
      assert.deepEqual(await ids(world, supervisor), ['b', 'a']);
      // And its own crash disturbs nobody.
      const other = new Nursery();
      other.supervisor({
        strategy,
        children: [other.child('t', { restart: 'temporary' }), other.child('b')],
      });
      other.take();
      other.crash('t');
      assert.deepEqual(other.take(), ['end t boom']);
    }
  });

  test('siblings that fall at the same time make one restart each under one_for_one, one for all under one_for_all', () => {
    for (const [strategy, starts] of [
      ['one_for_one', ['start a', 'start b']],
      ['one_for_all', ['start a', 'start b']],
    ] as const) {
      const world = new Nursery();
      // Two children, linked with each other: one_for_all counts one restart, one_for_one two.
      const supervisor = world.supervisor({
        strategy,
        intensity: strategy === 'one_for_all' ? 1 : 2,
        children: [world.child('a'), world.child('b')],
      });
      world.runtime.local(world.pid('a'))!.link(world.pid('b'));
      world.take();
      world.crash('a');
      assert.deepEqual(
        world.take().filter((line) => line.startsWith('start')),
        starts,
      );
      assert.ok(world.runtime.isAlive(supervisor));
    }
  });

  test('a child may unlink itself: it is stopped all the same', () => {
    const world = new Nursery();
    world.supervisor({
      strategy: 'one_for_all',
      children: [world.child('a'), world.child('b', { shutdown: 100 }, { naughty: true, unlinks: true })],
    });
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom']);
    world.advance(100);
    assert.deepEqual(world.take(), ['end b killed', 'start a', 'start b']);
    assert.equal(world.eventsOf('child_shutdown_failed')[0]?.id, 'b');
  });
});

describe('intensity', () => {
  test('one more than allowed in the period: the rest stops in reverse, and it ends with shutdown', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      intensity: 3,
      children: ['a', 'b', 'c'].map((id) => world.child(id)),
    });
    for (const id of ['a', 'b', 'a']) world.crash(id);
    assert.ok(world.runtime.isAlive(supervisor));
    world.take();
    world.crash('b');
    assert.deepEqual(world.take(), ['end b boom', 'end c shutdown', 'end a shutdown']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(supervisor)), 'shutdown');
    assert.equal(world.eventsOf('supervisor_gave_up').length, 1);
  });

  test('restarts older than the period are forgotten', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ intensity: 1, periodMs: 1000, children: [world.child('a')] });
    for (let round = 0; round < 5; round++) {
      world.crash('a');
      world.advance(1001);
    }
    assert.ok(world.runtime.isAlive(supervisor));
    world.crash('a');
    world.advance(1000);
    world.crash('a');
    assert.equal(world.runtime.isAlive(supervisor), false);
  });

  test('0 allows none; 1 in 5 s is the default; bystanders and ends without restart do not count', () => {
    const world = new Nursery();
    const none = world.supervisor({ intensity: 0, children: [world.child('a')] });
    world.crash('a');
    assert.equal(world.runtime.isAlive(none), false);
    const one = world.supervisor({
      strategy: 'one_for_all',
      children: ['a', 'b', 'c'].map((id) => world.child(id)),
    });
    world.crash('a');
    assert.ok(world.runtime.isAlive(one));
    world.crash('b');
    assert.equal(world.runtime.isAlive(one), false);
    const temporary = world.supervisor({
      intensity: 0,
      children: ['a', 'b'].map((id) => world.child(id, { restart: 'temporary' })),
    });
    world.crash('a');
    world.crash('b');
    assert.ok(world.runtime.isAlive(temporary));
  });
});

describe('restarts that fail', () => {
  test('are tried again, each try counts', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ intensity: 3, children: [world.child('a')] });
    world.nextStarts.set('a', [failing, failing]);
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom', 'try a', 'try a', 'start a']);
    assert.ok(world.runtime.isAlive(supervisor));
    world.crash('a');
    assert.equal(world.runtime.isAlive(supervisor), false);
  });

  test('a supervisor whose child cannot start any more gives up, and its own supervisor starts it anew', () => {
    const world = new Nursery();
    world.supervisor({
      children: [Supervisor.child('inner', { intensity: 2, children: [world.child('a'), world.child('b')] })],
    });
    world.nextStarts.set('b', [failing, failing]);
    world.take();
    world.crash('b');
    assert.deepEqual(world.take(), ['end b boom', 'try b', 'try b', 'end a shutdown', 'start a', 'start b']);
  });

  test('between two tries other messages have their turn: the child reads restarting, and can be taken off', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ intensity: 5, children: [world.child('a'), world.child('b')] });
    world.nextStarts.set('a', [failing, failing, failing]);
    world.take();
    const asked = [
      () => Supervisor.whichChildren(world.runtime, supervisor),
      () => Supervisor.restartChild(world.runtime, supervisor, 'a'),
      () => Supervisor.deleteChild(world.runtime, supervisor, 'a'),
      () => Supervisor.terminateChild(world.runtime, supervisor, 'a'),
      () => Supervisor.whichChildren(world.runtime, supervisor),
    ];
    // The EXIT is in the mailbox before the questions, and the message to try again comes behind them.
    world.runtime.finish(world.runtime.local(world.pid('a'))!, boom);
    const answers = asked.map((ask): Promise<unknown> => ask());
    world.runtime.flush();
    const [before, restart, remove, stop, after] = (await Promise.all(answers)) as [
      Which,
      unknown,
      unknown,
      unknown,
      Which,
    ];
    assert.equal(before.find((child) => child.id === 'a')?.pid, 'restarting');
    assert.deepEqual([restart, remove, stop], [refused('restarting'), refused('restarting'), done]);
    assert.equal(after.find((child) => child.id === 'a')?.pid, null);
    assert.deepEqual(world.take(), ['end a boom', 'try a']);
    assert.deepEqual(Supervisor.startChild(world.runtime, supervisor, world.child('a')).error, {
      type: 'already_present',
    });
  });

  test('rest_for_one resumes at the child that failed', () => {
    const world = new Nursery();
    world.supervisor({
      strategy: 'rest_for_one',
      intensity: 5,
      children: ['a', 'b', 'c', 'd'].map((id) => world.child(id)),
    });
    world.nextStarts.set('c', [failing]);
    world.take();
    world.crash('b');
    assert.deepEqual(world.take(), [
      'end b boom',
      'end d shutdown',
      'end c shutdown',
      'start b',
      'try c',
      'start c',
      'start d',
    ]);
  });

  test('one_for_all stops and starts everything again', () => {
    const world = new Nursery();
    world.supervisor({
      strategy: 'one_for_all',
      intensity: 5,
      children: ['a', 'b', 'c'].map((id) => world.child(id)),
    });
    world.nextStarts.set('c', [failing]);
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), [
      'end a boom',
      'end c shutdown',
      'end b shutdown',
      'start a',
      'start b',
      'try c',
      'end b shutdown',
      'end a shutdown',
      'start a',
      'start b',
      'start c',
    ]);
  });
});

describe('stopping a child', () => {
  test('brutal_kill does not ask', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      children: [world.child('a', { shutdown: 'brutal_kill' }, { stopMs: 50 })],
    });
    world.take();
    world.runtime.stop(supervisor);
    world.runtime.flush();
    assert.deepEqual(world.take(), ['end a killed']);
    assert.equal(world.eventsOf('child_shutdown_failed').length, 0);
  });

  test('in time it is not killed, too late it is, and infinity waits', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      children: [
        world.child('a', { shutdown: 'infinity' }, { stopMs: 10_000_000 }),
        world.child('b', { shutdown: 100 }, { stopMs: 200 }),
        world.child('c', { shutdown: 100 }, { stopMs: 99 }),
      ],
    });
    world.take();
    world.runtime.stop(supervisor);
    world.advance(98);
    assert.deepEqual(world.take(), []);
    world.advance(1);
    assert.deepEqual(world.take(), ['end c shutdown']);
    world.advance(99);
    assert.deepEqual(world.take(), []);
    world.advance(1);
    assert.deepEqual(world.take(), ['end b killed']);
    world.advance(9_999_999);
    assert.ok(world.runtime.isAlive(supervisor));
    world.advance(1);
    assert.deepEqual(world.take(), ['end a shutdown']);
    assert.equal(world.runtime.isAlive(supervisor), false);
    assert.equal(world.runtime.timers.size, 0);
  });

  test('what comes while it waits is done afterwards, in order; a synchronous start is refused', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      children: [world.child('a', {}, { stopMs: 100 }), world.child('b')],
    });
    world.take();
    const stopped = Supervisor.terminateChild(world.runtime, supervisor, 'a');
    world.runtime.flush();
    world.crash('b');
    const deleted = Supervisor.deleteChild(world.runtime, supervisor, 'a');
    const counted = Supervisor.countChildren(world.runtime, supervisor);
    world.runtime.flush();
    assert.deepEqual(Supervisor.startChild(world.runtime, supervisor, world.child('c')), {
      error: ExitReason.busy,
    });
    assert.deepEqual(world.take(), ['end b boom']);
    world.advance(100);
    assert.deepEqual(world.take(), ['end a shutdown', 'start b']);
    assert.deepEqual([await stopped, await deleted], [done, done]);
    assert.deepEqual(await counted, { specs: 1, active: 1, supervisors: 0, workers: 1 });
    assert.deepEqual(await ids(world, supervisor), ['b']);
  });

  test('what it keeps meanwhile has the bound of a mailbox', () => {
    const world = new Nursery({ mailboxMax: 200 });
    const supervisor = world.supervisor({ children: [world.child('a', {}, { naughty: true })] });
    void Supervisor.terminateChild(world.runtime, supervisor, 'a').catch(() => {});
    world.runtime.flush();
    for (let at = 0; at < 201 && world.runtime.isAlive(supervisor); at++) {
      world.runtime.send(supervisor as Pid<unknown>, at);
      world.runtime.flush();
    }
    assert.equal(reasonOf(world.runtime.exitReasonOf(supervisor)), 'mailbox_overflow');
  });

  test('one_for_all waits for a naughty sibling before it starts anything', () => {
    const world = new Nursery();
    world.supervisor({
      strategy: 'one_for_all',
      children: [world.child('a'), world.child('n', { shutdown: 100 }, { naughty: true }), world.child('c')],
    });
    world.take();
    world.crash('a');
    assert.deepEqual(world.take(), ['end a boom', 'end c shutdown']);
    world.advance(100);
    assert.deepEqual(world.take(), ['end n killed', 'start a', 'start n', 'start c']);
  });

  test('the end of its parent ends it, with its reason, whatever that is; kill leaves no one but the naughty', () => {
    for (const reason of [ExitReason.normal, boom, ExitReason.kill]) {
      const world = new Nursery();
      const parent = world.puppet();
      let supervisor!: Pid;
      parent.run((self) => {
        const children = [world.child('a'), world.child('b', {}, { traps: true })];
        supervisor = Supervisor.startLink(self, { children }).ok!;
      });
      world.take();
      world.runtime.finish(world.runtime.local(parent.pid)!, reason);
      world.runtime.flush();
      assert.deepEqual(world.take(), ['end b shutdown', 'end a shutdown']);
      assert.equal(reasonOf(world.runtime.exitReasonOf(supervisor)), reasonOf(reason));
    }
    const world = new Nursery();
    const supervisor = world.supervisor({
      children: [world.child('a'), world.child('n', {}, { naughty: true })],
    });
    world.take();
    world.runtime.exit(supervisor, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(world.take(), ['end a killed']);
    assert.deepEqual(world.alive('n'), ['n']);
  });

  test('a transient inner supervisor that gives up is not restarted', async () => {
    const world = new Nursery();
    const outer = world.supervisor({
      children: [
        Supervisor.child('inner', { intensity: 0, children: [world.child('a')] }, { restart: 'transient' }),
        world.child('b'),
      ],
    });
    world.crash('a');
    assert.deepEqual(await ids(world, outer), ['b', 'inner -']);
  });
});

describe('children by request', () => {
  test('start, terminate, restart, delete, and what they say', async () => {
    const world = new Nursery();
    const { runtime } = world;
    const supervisor = world.supervisor({ children: [world.child('a')] });
    const started = Supervisor.startChild(runtime, supervisor, world.child('b'));
    assert.deepEqual(started, { ok: world.pid('b') });
    assert.deepEqual(Supervisor.startChild(runtime, supervisor, world.child('b')).error, {
      type: 'already_started',
      pid: world.pid('b'),
    });
    assert.deepEqual(await ids(world, supervisor), ['b', 'a']);
    assert.deepEqual(
      await world.settle(Supervisor.deleteChild(runtime, supervisor, 'b')),
      refused('running'),
    );
    assert.deepEqual(
      await world.settle(Supervisor.restartChild(runtime, supervisor, 'b')),
      refused('running'),
    );
    assert.deepEqual(await world.settle(Supervisor.terminateChild(runtime, supervisor, 'b')), done);
    assert.deepEqual(await world.settle(Supervisor.terminateChild(runtime, supervisor, 'b')), done);
    assert.deepEqual(Supervisor.startChild(runtime, supervisor, world.child('b')).error, {
      type: 'already_present',
    });
    assert.deepEqual(await ids(world, supervisor), ['b -', 'a']);
    const again = await world.settle(Supervisor.restartChild(runtime, supervisor, 'b'));
    assert.deepEqual(again, { ok: world.pid('b') });
    await world.settle(Supervisor.terminateChild(runtime, supervisor, 'b'));
    assert.deepEqual(await world.settle(Supervisor.deleteChild(runtime, supervisor, 'b')), done);
    for (const ask of [Supervisor.deleteChild, Supervisor.restartChild, Supervisor.terminateChild]) {
      assert.deepEqual(
        await world.settle(ask(runtime, supervisor, 'b') as Promise<unknown>),
        refused('not_found'),
      );
    }
    assert.deepEqual(await ids(world, supervisor), ['a']);
  });

  test('restarts by request do not count; a failed one leaves the child stopped, a failed start no trace', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({ intensity: 0, children: [world.child('a')] });
    for (let round = 0; round < 3; round++) {
      await world.settle(Supervisor.terminateChild(world.runtime, supervisor, 'a'));
      await world.settle(Supervisor.restartChild(world.runtime, supervisor, 'a'));
    }
    await world.settle(Supervisor.terminateChild(world.runtime, supervisor, 'a'));
    world.nextStarts.set('a', [failing]).set('b', [failing]);
    assert.deepEqual(await world.settle(Supervisor.restartChild(world.runtime, supervisor, 'a')), failing);
    assert.deepEqual(Supervisor.startChild(world.runtime, supervisor, world.child('b')), {
      error: { type: 'failed_to_start_child', id: 'b', reason: failing.error },
    });
    assert.deepEqual(await ids(world, supervisor), ['a -']);
  });

  test('terminating a temporary child forgets it; the end of a terminated child starts nothing', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      children: [world.child('t', { restart: 'temporary' }), world.child('a')],
    });
    await world.settle(Supervisor.terminateChild(world.runtime, supervisor, 't'));
    await world.settle(Supervisor.terminateChild(world.runtime, supervisor, 'a'));
    world.take();
    world.advance(10_000);
    assert.deepEqual(world.take(), []);
    assert.deepEqual(await ids(world, supervisor), ['a -']);
  });

  test('questions to one that is gone: noproc', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({});
    world.runtime.exit(supervisor, ExitReason.kill);
    assert.deepEqual(Supervisor.startChild(world.runtime, supervisor, world.child('a')), {
      error: ExitReason.noproc,
    });
    await assert.rejects(world.settle(Supervisor.whichChildren(world.runtime, supervisor)), /noproc/);
  });
});

describe('automatic shutdown', () => {
  const significant = (world: Nursery, ...ids: string[]) =>
    ids.map((id) => childSpec(world.child(id), { restart: 'transient', significant: true }));

  test('any_significant: the first significant child that ends by itself ends the supervisor', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      autoShutdown: 'any_significant',
      children: [world.child('a', { restart: 'transient' }), ...significant(world, 's', 't')],
    });
    world.crash('a', ExitReason.normal);
    assert.ok(world.runtime.isAlive(supervisor));
    world.crash('s');
    assert.ok(world.runtime.isAlive(supervisor), 'restarted');
    world.crash('s', ExitReason.normal);
    assert.equal(reasonOf(world.runtime.exitReasonOf(supervisor)), 'shutdown');
    assert.deepEqual(world.alive('t'), []);
  });

  test('all_significant: the last one', () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      autoShutdown: 'all_significant',
      children: [world.child('a'), ...significant(world, 's', 't')],
    });
    world.crash('s', ExitReason.normal);
    assert.ok(world.runtime.isAlive(supervisor));
    world.crash('t', ExitReason.shutdown);
    assert.equal(world.runtime.isAlive(supervisor), false);
  });

  test('terminating one by request, or as a sibling, is no reason', async () => {
    const world = new Nursery();
    const supervisor = world.supervisor({
      strategy: 'one_for_all',
      autoShutdown: 'any_significant',
      children: [world.child('a'), ...significant(world, 's')],
    });
    await world.settle(Supervisor.terminateChild(world.runtime, supervisor, 's'));
    assert.ok(world.runtime.isAlive(supervisor));
    world.crash('a');
    assert.ok(world.runtime.isAlive(supervisor));
  });
});

describe('reports', () => {
  test('name the supervisor, the child and the reason', () => {
    const world = new Nursery();
    world.supervisor({ label: 'top', intensity: 5, children: [world.child('a')] });
    const first = world.pid('a');
    world.nextStarts.set('a', [failing]);
    world.crash('a');
    assert.deepEqual(
      world.events.filter(({ type }) => type !== 'crash').map(({ type }) => type),
      ['child_started', 'child_terminated', 'child_start_failed', 'child_started'],
    );
    const [terminated] = world.eventsOf('child_terminated');
    assert.deepEqual(
      [terminated!.label, terminated!.id, terminated!.pid === first, reasonOf(terminated!.reason)],
      ['top', 'a', true, 'boom'],
    );
  });
});
