/** nact's actors and systems as children of our supervisors. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ActorSystemRef, type Ref, stop } from 'nact';
import { ExitReason, type Pid, started } from '../../src/actors/index.js';
import { nactActor, nactSystem, pidOf, refOf } from '../../src/nact/index.js';
import { systemMap } from '../../src/nact/nact-internals.js';
import { Supervisor } from '../../src/supervisors/index.js';
import { reasonOf } from '../actors/world.js';
import { NactWorld, spawnActor, startSystem, systemName, tell } from './nact-world.js';

const counter = (state = 0, message: unknown) => {
  if (message === 'bad') throw new Error('bad');
  return state + 1;
};
const escalate = {
  onCrash: (_message: unknown, _error: unknown, context: Record<string, symbol>) => context['escalate'],
};

/** A child with the name `counter`, its references, and what happened to it. */
function supervisedCounter(world: NactWorld, options: object = {}, properties: object = {}) {
  const stopped: unknown[] = [];
  const f = counter as never;
  const afterStop = (state: unknown) => stopped.push(state);
  const child = nactActor(
    'counter',
    (system) => spawnActor(system, f, 'counter', { afterStop, ...properties }),
    { name: 'counter', ...options },
  );
  const top = world.supervise(child);
  const pid = () => world.runtime.whereis('counter');
  return { top, pid, stopped, send: (message: unknown) => world.runtime.sendNamed('counter', message) };
}

describe('an actor as a child', () => {
  test('is started under its supervisor, with its name', () => {
    const world = new NactWorld();
    const { top, pid } = supervisedCounter(world);
    const info = world.runtime.info(pid()!)!;
    assert.deepEqual([info.label, info.name, info.parent], ['counter', 'counter', top]);
    assert.ok(info.links.includes(top));
    assert.ok(refOf(pid()!) !== undefined);
  });

  for (const [policy, properties] of [
    ['stops', {}],
    ['escalates', escalate],
  ] as const) {
    test(`whose policy ${policy} is started again, with a new state`, async () => {
      const world = new NactWorld();
      const { pid, send, stopped } = supervisedCounter(world, {}, properties);
      const first = pid()!;
      for (const message of [1, 2, 'bad', 3]) send(message);
      assert.equal(await world.endOf(first), 'error: bad');
      await world.until('it is back', () => pid() !== undefined);
      assert.notEqual(pid(), first);
      assert.deepEqual(world.terminated(), [['counter', 'error: bad']]);
      assert.deepEqual(stopped, [2]);
    });
  }

  test('that fails too often ends its supervisor', async () => {
    const world = new NactWorld();
    const { top, pid, send } = supervisedCounter(world);
    for (let n = 0; n < 4; n++) {
      await world.until('it is there', () => pid() !== undefined);
      send('bad');
      await world.endOf(pid()!);
    }
    assert.equal(await world.endOf(top), 'shutdown');
  });

  test('that nact stops has ended normally: a transient one is not started again', async () => {
    const world = new NactWorld();
    const { top, pid } = supervisedCounter(world, { restart: 'transient' });
    const first = pid()!;
    stop(refOf(first)!);
    assert.equal(await world.endOf(first), 'normal');
    await world.quiet();
    assert.equal(pid(), undefined);
    assert.ok(world.runtime.isAlive(top));
  });

  test('is asked to end: handles what waits, waits for its function, its children, its afterStop', async () => {
    const world = new NactWorld();
    const gate = world.gate();
    const log: string[] = [];
    const child = nactActor(
      'parent',
      (system) =>
        spawnActor(
          system,
          async (_state, message: string, context) => {
            if (message === 'spawn') {
              for (const name of ['one', 'two']) {
                spawnActor(
                  context.self as Ref<never>,
                  async (_nothing, text: string) => {
                    await gate.opened;
                    log.push(`${name} ${text}`);
                  },
                  name,
                  { afterStop: () => log.push(`${name} stopped`) },
                );
              }
              for (const ref of context.children.values()) tell(ref, 'never');
              return;
            }
            for (const ref of context.children.values()) tell(ref, message);
            await gate.opened;
            log.push(`parent ${message}`);
          },
          'parent',
          { afterStop: () => log.push('parent stopped') },
        ),
      { name: 'parent' },
    );
    const top = world.supervise(child);
    const pid = world.runtime.whereis('parent')!;
    world.runtime.send(pid, 'spawn');
    world.runtime.send(pid, 'work');
    await world.quiet();
    const stopped = world.runtime.stop(top);
    await world.quiet();
    assert.deepEqual(log, []);
    gate.open();
    await world.until('all have ended', () => !world.runtime.isAlive(top));
    await stopped;
    assert.deepEqual(log.slice(0, 3).sort(), ['one work', 'parent work', 'two work']);
    assert.deepEqual(log.slice(3), ['two stopped', 'one stopped', 'parent stopped']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(pid)), 'shutdown');
  });

  test('that does not end in its time is killed, with its children, and hears no more', async () => {
    const world = new NactWorld();
    const gate = world.gate();
    const log: string[] = [];
    const child = nactActor(
      'slow',
      (system) =>
        spawnActor(
          system,
          async (_state, _message, context) => {
            spawnActor(context.self as Ref<never>, () => undefined, 'child', {
              afterStop: () => log.push('child stopped'),
            });
            await gate.opened;
            log.push('resumed');
          },
          'slow',
          { afterStop: () => log.push('stopped') },
        ),
      { name: 'slow', shutdown: 200 },
    );
    const top = world.supervise(child);
    world.runtime.sendNamed('slow', 'go');
    await world.quiet();
    const slow = world.runtime.whereis('slow')!;
    const childPid = [...world.runtime.processes()].find(({ label }) => label === 'child')!;
    const ref = refOf(slow)!;
    const stopped = world.runtime.stop(top);
    await world.quiet();
    world.advance(199);
    assert.ok(world.runtime.isAlive(slow));
    world.advance(1);
    assert.equal(await world.endOf(slow), 'killed');
    await stopped;
    assert.equal(world.runtime.isAlive(childPid), false);
    assert.equal(pidOf(ref), undefined);
    gate.open();
    await world.quiet();
    assert.deepEqual(log, ['resumed'], 'what was under way goes on, and nobody hears of it');
  });

  test('can live in a system of others, and is no matter of that system’s', async () => {
    const world = new NactWorld();
    const system = world.system();
    const other = spawnActor(system, counter as never, 'other');
    const { pid, send } = supervisedCounter(world, { system: () => system }, escalate);
    const first = pid()!;
    send('bad');
    assert.equal(await world.endOf(first), 'error: bad');
    await world.until('it is back', () => pid() !== undefined);
    assert.ok(world.runtime.isAlive(world.process(other)));
  });

  test('takes its own system with it', async () => {
    const world = new NactWorld();
    let system: ActorSystemRef | null = null;
    const child = nactActor('one', (own) => {
      system = own;
      return spawnActor(own, counter as never, 'one');
    });
    const top = world.supervise(child);
    const systemPid = pidOf(system!)!;
    const stopped = world.runtime.stop(top);
    await world.until('it ends', () => !world.runtime.isAlive(top));
    await stopped;
    await world.endOf(systemPid);
    assert.equal(pidOf(system!), undefined);
  });

  test('may take exit signals as messages', async () => {
    const world = new NactWorld();
    const kept: unknown[] = [];
    const child = nactActor(
      'trapping',
      (system) => spawnActor(system, (_state, message: { type: string }) => kept.push(message.type)),
      { name: 'trapping', trapExit: true },
    );
    const top = world.supervise(child);
    const pid = world.runtime.whereis('trapping')!;
    world.runtime.exit(pid, ExitReason.custom('whatever'));
    world.runtime.flush();
    assert.deepEqual(kept, ['EXIT']);
    const stopped = world.runtime.stop(top);
    assert.equal(await world.endOf(pid), 'shutdown');
    await stopped;
  });

  test('that cannot be started is a start that failed', () => {
    const world = new NactWorld();
    const failing = (child: ReturnType<typeof nactActor>) => {
      const { error } = Supervisor.start(world.runtime, { children: [child] });
      return JSON.stringify(reasonOf(error!));
    };
    const before = world.runtime.processCount;
    assert.match(
      failing(
        nactActor('bad', () => {
          throw new Error('not today');
        }),
      ),
      /not today/,
    );
    const system = world.system();
    const elsewhere = spawnActor(system, counter as never, 'elsewhere');
    assert.match(failing(nactActor('bad', () => elsewhere)), /must return the first actor that it spawns/);
    world.puppet({ name: 'taken' });
    const taken = nactActor('bad', (own) => spawnActor(own, counter as never), { name: 'taken' });
    assert.match(failing(taken), /already_started/);
    assert.ok(world.runtime.processCount <= before + 3, 'the system, its actor, and the one with the name');
  });
});

describe('a system as a child', () => {
  /** A system with three actors; `log` tells who stopped. */
  function bank(world: NactWorld, name: string, options: object = {}) {
    const log: string[] = [];
    const starts: ActorSystemRef[] = [];
    const child = nactSystem(
      'bank',
      () => {
        const system = startSystem(name);
        starts.push(system);
        for (const actor of ['a', 'b', 'c']) {
          spawnActor(system, counter as never, actor, {
            ...(actor === 'a' ? {} : escalate),
            afterStop: (state: unknown) => log.push(`${actor} ${String(state ?? 0)}`),
          });
        }
        return system;
      },
      options,
    );
    const top = world.supervise(child);
    const actor = (actorName: string) => {
      const process = [...world.runtime.processes()].find(({ label }) => label === actorName);
      return process as unknown as Pid<unknown>;
    };
    return { top, log, starts, actor, pid: () => pidOf(starts.at(-1)!)! };
  }

  test('is a process above its actors’, which are seen from the first message on', () => {
    const world = new NactWorld();
    const name = systemName();
    const child = nactSystem('early', () => {
      const system = startSystem(name);
      tell(spawnActor(system, counter as never, 'first'), 1);
      return system;
    });
    const top = world.supervise(child);
    const first = [...world.runtime.processes()].find(({ label }) => label === 'first')!;
    assert.deepEqual(world.runtime.pathOf(first).slice(-2), [world.runtime.info(top)!.label, 'early']);
    assert.equal(world.runtime.info(first)!.mailboxLength, 1);
    world.runtime.flush();
    assert.equal(world.runtime.info(first)!.handled, 1);
  });

  test('goes on when an actor of its is stopped', async () => {
    const world = new NactWorld();
    const { actor, pid } = bank(world, systemName());
    const system = pid();
    const a = actor('a');
    world.runtime.send(a, 'bad');
    assert.equal(await world.endOf(a), 'error: bad');
    await world.quiet();
    assert.equal(pid(), system);
    assert.deepEqual(world.terminated(), []);
  });

  test('ends with the error that is escalated to it, and is started again under its name', async () => {
    const world = new NactWorld();
    const { actor, pid, log, starts } = bank(world, systemName(), { name: 'bank' });
    const system = pid();
    world.runtime.send(actor('a'), 1);
    world.runtime.send(actor('b'), 'bad');
    assert.equal(await world.endOf(system), 'error: bad');
    await world.until('it is back', () => world.runtime.whereis('bank') !== undefined);
    assert.deepEqual(world.terminated(), [['bank', 'error: bad']]);
    assert.equal(starts.length, 2);
    assert.deepEqual(log, ['a 1', 'b 0', 'c 0']);
    await world.quiet();
    const info = world.runtime.info(actor('b'))!;
    assert.equal(info.parent, pid());
    assert.equal(world.runtime.processCount, 5, 'supervisor, system, its three');
  });

  test('ends at once when an actor hangs that has nothing to do with the error', async () => {
    const world = new NactWorld();
    const name = systemName();
    const never = new Promise<void>(() => {});
    const child = nactSystem('bank', () => {
      const system = startSystem(name);
      tell(
        spawnActor(system, () => never, 'hanging'),
        'go',
      );
      spawnActor(system, counter as never, 'failing', escalate);
      return system;
    });
    world.supervise(child);
    await world.quiet();
    const [hanging, failing] = ['hanging', 'failing'].map(
      (wanted) => [...world.runtime.processes()].find(({ label }) => label === wanted)!,
    );
    world.runtime.send(failing as unknown as Pid<unknown>, 'bad');
    await world.until('it is back', () => world.eventsOf('child_started').length === 2);
    assert.equal(await world.endOf(hanging!), 'killed');
  });

  test('is asked to end: its actors end first, the last one first', async () => {
    const world = new NactWorld();
    const name = systemName();
    const { top, actor, log } = bank(world, name);
    for (let n = 0; n < 3; n++) world.runtime.send(actor('a'), n);
    const stopped = world.runtime.stop(top);
    await world.until('all have ended', () => !world.runtime.isAlive(top));
    await stopped;
    assert.deepEqual(log, ['c 0', 'b 0', 'a 3'], 'what waited was handled');
    assert.equal(systemMap.find(name), undefined);
  });

  test('that nact stops has ended normally', async () => {
    const world = new NactWorld();
    const { pid, log, starts } = bank(world, systemName(), { restart: 'transient' });
    const system = pid();
    stop(starts[0]!);
    assert.equal(pidOf(starts[0]!), undefined, 'nobody finds it from now on');
    assert.equal(await world.endOf(system), 'normal');
    await world.quiet();
    assert.equal(starts.length, 1);
    assert.deepEqual(log, ['a 0', 'b 0', 'c 0']);
  });

  test('that is killed takes its actors with it', async () => {
    const world = new NactWorld();
    const { pid, actor, log, starts } = bank(world, systemName());
    const a = actor('a');
    const system = pid();
    world.runtime.exit(system, ExitReason.kill);
    assert.deepEqual([world.runtime.isAlive(a), pidOf(starts[0]!)], [false, undefined]);
    await world.until('it is back', () => starts.length === 2);
    assert.deepEqual(log, []);
  });

  test('may be started by an async function', async () => {
    const world = new NactWorld();
    const name = systemName();
    const gate = world.gate();
    const child = nactSystem('late', async () => {
      await gate.opened;
      const system = startSystem(name);
      spawnActor(system, counter as never, 'lately');
      return system;
    });
    const started = Supervisor.start(world.runtime, { children: [child] });
    assert.ok(started.pending !== undefined);
    await world.quiet();
    gate.open();
    await world.until('it is there', () => systemMap.find(name) !== undefined);
    await world.quiet();
    const lately = [...world.runtime.processes()].find(({ label }) => label === 'lately')!;
    assert.deepEqual(world.runtime.pathOf(lately).slice(-1), ['late']);
  });

  test('that cannot be started is a start that failed, and leaves nothing behind', async () => {
    const world = new NactWorld();
    const failing = async (starts: () => ActorSystemRef | Promise<ActorSystemRef>): Promise<string> => {
      let error: unknown = null;
      const result = Supervisor.start(world.runtime, { children: [nactSystem('bad', starts)] });
      world.runtime.spawn(function* () {
        error = (yield* started(result)).error;
      });
      await world.until('it failed', () => error !== null);
      return JSON.stringify(reasonOf(error as ExitReason));
    };
    const name = systemName();
    const half = failing(() => {
      spawnActor(startSystem(name), counter as never, 'half');
      throw new Error('not today');
    });
    assert.match(await half, /not today/);
    assert.equal(systemMap.find(name), undefined);
    assert.match(await failing(async () => Promise.reject(new Error('not today'))), /not today/);
    assert.match(await failing(() => ({}) as ActorSystemRef), /not a nact system that runs/);
    const running = world.system();
    assert.match(await failing(() => running), /is the process .* already/);
    startSystem(name);
    assert.match(await failing(() => startSystem(name)), /with the name .* runs already/);
    await world.quiet();
    assert.equal([...world.runtime.processes()].filter(({ label }) => label === 'half').length, 0);
  });
});
