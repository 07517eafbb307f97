/** nact's own supervision goes on as nact has it, and our side hears of what comes of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Ref, stop } from 'nact';
import { ExitReason, sys } from '../../src/actors/index.js';
import { pidOf } from '../../src/nact/index.js';
import { NactWorld, spawnActor, tell } from './nact-world.js';

type Decide = (message: unknown, error: unknown, context: Record<string, symbol>, child?: unknown) => unknown;

/** Adds what it is told, and fails at a text. */
const adder = (state = 0, message: unknown) => {
  if (typeof message === 'string') throw new Error(message);
  return state + (message as number);
};

/** A parent with this policy and two children that escalate; `made` counts how often its state was made. */
function family(world: NactWorld, onCrash: Decide, above: Ref<never> = world.system()) {
  const stopped: string[] = [];
  let made = 0;
  const parent = spawnActor(above, adder as never, 'parent', {
    onCrash,
    initialStateFunc: () => {
      made++;
      return 0;
    },
    afterStop: (state: unknown) => stopped.push(`parent ${String(state)}`),
  });
  const child = (name: string) =>
    spawnActor(parent as Ref<never>, adder as never, name, {
      onCrash: (_message: unknown, _error: unknown, context: Record<string, symbol>) => context['escalate'],
      initialState: 0,
      afterStop: (state: unknown) => stopped.push(`${name} ${String(state)}`),
    });
  const children = { a: child('a'), b: child('b') };
  const pids = { parent: world.process(parent), a: world.process(children.a), b: world.process(children.b) };
  const alive = () =>
    Object.entries(pids).flatMap(([name, pid]) => (world.runtime.isAlive(pid) ? [name] : []));
  return { parent, ...children, pids, stopped, alive, made: () => made };
}

const decide =
  (decision: string): Decide =>
  (_message, _error, context) =>
    context[decision];

const stateOf = async (world: NactWorld, pid: Parameters<typeof sys.getState>[0]): Promise<unknown> => {
  const state = world.runtime.wait(sys.getState(pid));
  await world.quiet();
  return state;
};

describe('a failure of an actor’s own', () => {
  test('by default stops it: its process exits with the error, and that is a crash', async (t) => {
    const log = t.mock.method(console, 'log', () => {});
    const world = new NactWorld();
    const ref = spawnActor(world.system(), adder as never, 'adder');
    const process = world.process(ref);
    const watcher = world.puppet();
    watcher.run((self) => self.monitor(process));
    tell(ref, 1);
    tell(ref, 'bad news');
    tell(ref, 2);
    assert.equal(await world.endOf(process), 'error: bad news');
    assert.deepEqual(watcher.inbox, [['DOWN', process, 'error: bad news']]);
    const [crash] = world.eventsOf('crash');
    assert.equal(crash?.label, 'adder');
    assert.equal(world.eventsOf('behaviour_terminated')[0]?.state, 1);
    assert.equal(log.mock.callCount(), 0, 'events tell it, not the console');
  });

  test('of an async function, and of what is no Error', async () => {
    const world = new NactWorld();
    const rejecting = spawnActor(world.system(), () => Promise.reject(new Error('later')));
    const throwing = spawnActor(world.system(), () => {
      throw 'a text';
    });
    const pids = [world.process(rejecting), world.process(throwing)] as const;
    for (const ref of [rejecting, throwing]) tell(ref, 0);
    assert.equal(await world.endOf(pids[0]), 'error: later');
    assert.deepEqual(await world.endOf(pids[1]), ['nocatch', 'a text']);
  });

  test('resume goes on with the next message, in the same process', async () => {
    const world = new NactWorld();
    const { parent, pids } = family(world, decide('resume'));
    for (const message of [1, 'bad', 2]) tell(parent, message);
    await world.quiet();
    assert.equal(await stateOf(world, pids.parent), 3);
    assert.deepEqual(world.eventsOf('crash'), []);
  });

  test('reset begins anew in the same process, without its children', async () => {
    const world = new NactWorld();
    const { parent, pids, alive, made } = family(world, decide('reset'));
    for (const message of [1, 'bad', 2]) tell(parent, message);
    assert.equal(await world.endOf(pids.a), 'shutdown');
    assert.equal(await world.endOf(pids.b), 'shutdown');
    assert.equal(await stateOf(world, pids.parent), 2);
    assert.deepEqual([alive(), made()], [['parent'], 2]);
  });

  for (const decision of ['stopAllChildren', 'resetAllChildren']) {
    test(`${decision} says nothing about itself: it goes on`, async () => {
      const world = new NactWorld();
      const { parent, a, pids } = family(world, decide(decision));
      tell(a, 3);
      for (const message of [1, 'bad', 2]) tell(parent, message);
      await world.quiet();
      assert.equal(await stateOf(world, pids.parent), 3);
      if (decision === 'stopAllChildren') assert.equal(await world.endOf(pids.a), 'shutdown');
      else assert.equal(await stateOf(world, pids.a), 0);
    });
  }

  test('a policy may be async; what comes meanwhile waits', async () => {
    const world = new NactWorld();
    const gate = world.gate();
    const { parent, pids } = family(world, async (_message, _error, context) => {
      await gate.opened;
      return context['resume'];
    });
    for (const message of [1, 'bad', 2]) tell(parent, message);
    await world.quiet();
    assert.equal(world.runtime.info(pids.parent)?.mailboxLength, 1);
    gate.open();
    await world.until('it goes on', () => world.runtime.info(pids.parent)?.mailboxLength === 0);
    assert.equal(await stateOf(world, pids.parent), 3);
  });

  test('a policy that fails ends it with that error; one that cannot be done, too', async () => {
    const world = new NactWorld();
    const failing = family(world, () => {
      throw new Error('no idea');
    });
    tell(failing.parent, 'bad');
    assert.equal(await world.endOf(failing.pids.parent), 'error: no idea');
    const impossible = family(world, decide('stopChild'));
    tell(impossible.parent, 'bad');
    assert.match(String(await world.endOf(impossible.pids.parent)), /^error: Cannot read/);
  });

  test('afterStop sees the state and what waited, and is waited for', async () => {
    const world = new NactWorld();
    const gate = world.gate();
    const seen: unknown[] = [];
    const ref = spawnActor(world.system(), adder as never, 'adder', {
      afterStop: async (state: unknown, { mailbox }: { mailbox: { message: unknown }[] }) => {
        seen.push(
          state,
          mailbox.map(({ message }) => message),
        );
        await gate.opened;
      },
    });
    const process = world.process(ref);
    for (const message of [1, 'bad', 2]) tell(ref, message);
    world.runtime.send(process, 3);
    world.runtime.cast(process, 4);
    world.runtime.exit(process, ExitReason.normal);
    await world.until('afterStop', () => seen.length > 0);
    assert.deepEqual(seen, [1, [2, 3, 4]]);
    assert.ok(world.runtime.isAlive(process));
    gate.open();
    assert.equal(await world.endOf(process), 'error: bad');
  });

  test('an afterStop that fails is the reason, and harms nobody else', async () => {
    const world = new NactWorld();
    const ref = spawnActor(world.system(), adder as never, 'adder', {
      afterStop: () => {
        throw new Error('badly stopped');
      },
    });
    const process = world.process(ref);
    stop(ref);
    assert.equal(await world.endOf(process), 'error: badly stopped');
  });

  test('of the function that makes its state ends it', async () => {
    const world = new NactWorld();
    const ref = spawnActor(world.system(), adder as never, 'adder', {
      initialStateFunc: () => {
        throw new Error('no state');
      },
    });
    assert.equal(await world.endOf(world.process(ref)), 'error: no state');
  });
});

describe('a failure that was escalated', () => {
  const run = async (decision: string) => {
    const world = new NactWorld();
    const it = family(world, decide(decision));
    tell(it.parent, 5);
    tell(it.b, 7);
    for (const message of [1, 'bad', 2]) tell(it.a, message);
    await world.quiet();
    const ends = async (name: 'parent' | 'a' | 'b') =>
      world.runtime.isAlive(it.pids[name]) ? await stateOf(world, it.pids[name]) : world.endOf(it.pids[name]);
    return { ...it, outcome: [await ends('parent'), await ends('a'), await ends('b')] };
  };

  test('stop: the parent ends with the error, its children with it', async () => {
    const { outcome, stopped } = await run('stop');
    assert.deepEqual(outcome, ['error: bad', 'error: bad', 'shutdown']);
    assert.deepEqual(stopped, ['parent 5', 'a 1', 'b 7']);
  });

  test('stopChild: only that child ends', async () => {
    assert.deepEqual((await run('stopChild')).outcome, [5, 'error: bad', 7]);
  });

  test('stopAllChildren', async () => {
    assert.deepEqual((await run('stopAllChildren')).outcome, [5, 'error: bad', 'shutdown']);
  });

  test('resetChild: it goes on with a new state', async () => {
    assert.deepEqual((await run('resetChild')).outcome, [5, 2, 7]);
  });

  test('resetAllChildren', async () => {
    assert.deepEqual((await run('resetAllChildren')).outcome, [5, 2, 0]);
  });

  test('resume: the child goes on, too', async () => {
    assert.deepEqual((await run('resume')).outcome, [5, 3, 7]);
  });

  test('resume from further above: everybody goes on who had escalated it', async () => {
    const world = new NactWorld();
    const top = spawnActor(world.system(), adder as never, 'top', { onCrash: decide('resume') });
    const { a, pids } = family(world, decide('escalate'), top as Ref<never>);
    for (const message of [1, 'bad', 2]) tell(a, message);
    await world.quiet();
    assert.equal(await stateOf(world, pids.a), 3);
    assert.equal(await stateOf(world, pids.parent), 0);
  });

  test('reset: the parent begins anew, without its children', async () => {
    assert.deepEqual((await run('reset')).outcome, [0, 'error: bad', 'shutdown']);
  });

  test('stopAll: the parent and its peers end', async () => {
    const world = new NactWorld();
    const system = world.system();
    const peer = spawnActor(system, adder as never, 'peer');
    const peerPid = world.process(peer);
    const { parent, pids } = family(world, decide('stopAll'), system);
    tell(parent, 'bad');
    assert.equal(await world.endOf(pids.parent), 'error: bad');
    assert.equal(await world.endOf(peerPid), 'shutdown');
    assert.ok(world.runtime.isAlive(pidOf(system)!));
  });

  test('to a system that nobody supervises stops the actor, as nact does', async () => {
    const world = new NactWorld();
    const system = world.system();
    const peer = spawnActor(system, adder as never, 'peer');
    const { parent, pids } = family(world, decide('escalate'), system);
    tell(parent, 'bad');
    assert.equal(await world.endOf(pids.parent), 'error: bad');
    await world.quiet();
    assert.ok(world.runtime.isAlive(world.process(peer)));
  });

  test('of a child that is stopped before anybody has decided is of no interest', async () => {
    const world = new NactWorld();
    const gate = world.gate();
    const { a, b, pids } = family(world, async (_message, _error, context) => {
      await gate.opened;
      return context['stopChild'];
    });
    tell(a, 'bad');
    await world.quiet();
    stop(a);
    gate.open();
    // It had failed before it was stopped.
    assert.equal(await world.endOf(pids.a), 'error: bad');
    tell(b, 3);
    assert.equal(await stateOf(world, pids.b), 3);
    assert.ok(world.runtime.isAlive(pids.parent));
  });

  test('does not let its parent handle two messages at a time', async () => {
    const world = new NactWorld();
    const gate = world.gate();
    const began: unknown[] = [];
    const parent = spawnActor(
      world.system(),
      async (_state, message) => {
        began.push(message);
        await gate.opened;
      },
      'parent',
      { onCrash: decide('resume') },
    );
    const child = spawnActor(parent as Ref<never>, adder as never, 'child', { onCrash: decide('escalate') });
    for (const message of [1, 2]) tell(parent, message);
    world.runtime.flush();
    tell(child, 'bad');
    await world.quiet();
    assert.deepEqual(began, [1]);
    gate.open();
    await world.until('the second', () => began.length === 2);
  });

  test('to a parent that is about to end ends the child: nobody waits for a decision', async () => {
    const world = new NactWorld();
    const { a, pids } = family(world, decide('escalate'));
    world.runtime.exit(pids.parent, ExitReason.shutdown);
    tell(a, 'bad');
    assert.equal(await world.endOf(pids.parent), 'shutdown');
    assert.equal(await world.endOf(pids.a), 'error: bad');
  });

  test('is forgotten once it was dealt with', async () => {
    const world = new NactWorld();
    const { a, pids } = family(world, decide('resume'));
    tell(a, 'bad');
    await world.quiet();
    stop(a);
    assert.equal(await world.endOf(pids.a), 'normal');
  });
});
