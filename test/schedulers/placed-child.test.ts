import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  type Blocking,
  Exit,
  ExitReason,
  GenServer,
  type Pid,
  type Process,
  type StartResult,
  sleep,
} from '../../src/actors/index.js';
import { placedChild, RingRouter, SchedulerPool, StartTable, startOn } from '../../src/schedulers/index.js';
import { START_SERVER_ID } from '../../src/schedulers/start-server.js';
import { Supervisor, type SupervisorPid } from '../../src/supervisors/index.js';
import { reasonOf, World } from '../actors/world.js';
import { RingWorlds } from './ring-pair.js';

type CounterCalls = ['next', number] | ['crash', never] | ['parent', Pid | null];

/** Counts up from where it was told; traps exits and writes down how it was ended. */
class Counter implements GenServer<number, CounterCalls, never, never, never> {
  static readonly ends: unknown[] = [];
  #self: Process<never> | null = null;

  constructor(private readonly from: number) {}

  init(self: Process<never>) {
    this.#self = self;
    self.trapExit = true;
    if (this.from < 0) throw new Exit(ExitReason.custom('negative'));
    return GenServer.ok(this.from);
  }

  handleCall(request: CounterCalls[0], _from: unknown, state: number) {
    if (request === 'crash') throw new Error('crashed');
    if (request === 'parent') return GenServer.reply(this.#self!.parent, state);
    return GenServer.reply(state + 1, state + 1);
  }

  terminate(reason: ExitReason) {
    Counter.ends.push(reasonOf(reason));
  }
}

const starts = new StartTable({
  counter: (parent, from: number) => GenServer.startLink(parent, new Counter(from)),
  plain: (parent) => parent.spawnLink<unknown>(() => ({ receive() {} })),
  ignore: () => ({ ignore: true }) as StartResult,
  throws: () => {
    throw new Error('no');
  },
  *slow(parent: Process<never>): Blocking<StartResult> {
    yield* sleep(1000);
    return GenServer.startLink(parent, new Counter(1000));
  },
  unsendable: () => ({ error: ExitReason.custom(() => 'a function') }) as StartResult,
  info: (parent) => ({ ok: parent.spawnLink<never>(() => ({ receive() {} })), info: { port: 8470 } }),
});

const open: RingWorlds[] = [];
after(() => {
  for (const rings of open) rings.close();
});

function setUp(): { rings: RingWorlds; here: World; there: World } {
  const rings = new RingWorlds(2, { starts });
  open.push(rings);
  const [here, there] = rings.worlds;
  return { rings, here: here!, there: there! };
}

/** What comes of a promise when everything has settled. */
async function outcome<T>(rings: RingWorlds, promise: Promise<T>): Promise<T> {
  rings.settle();
  return promise;
}

/** Runs a generator as a process and gives its result. */
function run<T>(rings: RingWorlds, world: World, work: (self: Process<never>) => Blocking<T>): { value?: T } {
  const result: { value?: T } = {};
  world.runtime.spawn<never>(function* (self) {
    self.trapExit = true;
    result.value = yield* work(self);
  });
  rings.settle();
  return result;
}

function supervise(rings: RingWorlds, world: World, spec: Parameters<typeof placedChild>[1]): SupervisorPid {
  const result = Supervisor.start(world.runtime, {
    label: 'top',
    intensity: 3,
    children: [placedChild(rings.routers[world.runtime.scheduler & 255]!, spec)],
  });
  rings.settle();
  let pid = result.ok;
  if (result.pending !== undefined) {
    const pending = result.pending;
    const waited = run(rings, world, function* () {
      return yield* pending;
    });
    pid = waited.value?.ok;
  }
  assert.ok(pid);
  return pid;
}

async function childOf(rings: RingWorlds, world: World, supervisor: SupervisorPid): Promise<Pid> {
  const [child] = await outcome(rings, Supervisor.whichChildren(world.runtime, supervisor));
  return child!.pid as Pid;
}

describe('a child on another scheduler', () => {
  test('is started there, linked with its supervisor, which is its parent, and nothing else is left', async () => {
    const { rings, here, there } = setUp();
    const processes = there.runtime.processCount;
    const top = supervise(rings, here, { id: 'counter', place: 1, start: 'counter', args: [41] });
    const pid = await childOf(rings, here, top);
    assert.equal(pid.scheduler, 1);
    assert.equal(there.runtime.processCount, processes + 1);
    const child = there.runtime.process(pid.id)!;
    assert.equal(child.label, 'Counter');
    const parent = there.runtime.pid(0, top.id);
    assert.deepEqual(there.runtime.info(child)!.links, [parent]);
    assert.equal(child.parent, parent);
    assert.equal(await outcome(rings, here.runtime.call(pid, 'next')), 42);
    const server = there.runtime.process(START_SERVER_ID)!;
    assert.deepEqual(there.runtime.info(server)!.monitoring, []);
    assert.deepEqual(here.runtime.info(top)!.monitoring, []);
  });

  test('is restarted there when it crashes', async () => {
    const { rings, here } = setUp();
    const top = supervise(rings, here, { id: 'counter', place: 1, start: 'counter', args: [1] });
    const first = await childOf(rings, here, top);
    await assert.rejects(outcome(rings, here.runtime.call(first, 'crash')));
    rings.settle();
    const second = await childOf(rings, here, top);
    assert.notEqual(second, first);
    assert.equal(second.scheduler, 1);
    assert.equal(await outcome(rings, here.runtime.call(second, 'next')), 2);
    const [terminated] = here.eventsOf('child_terminated');
    assert.equal(reasonOf(terminated!.reason), 'error: crashed');
  });

  test('is stopped in order: it takes the EXIT of its supervisor for that of its parent', async () => {
    const { rings, here, there } = setUp();
    const top = supervise(rings, here, { id: 'counter', place: 1, start: 'counter', args: [1] });
    const pid = await childOf(rings, here, top);
    Counter.ends.length = 0;
    const stopped = Supervisor.terminateChild(here.runtime, top, 'counter');
    assert.deepEqual(await outcome(rings, stopped), { ok: true });
    assert.deepEqual(Counter.ends, ['shutdown']);
    assert.equal(there.runtime.process(pid.id), undefined);
    const again = await outcome(rings, Supervisor.restartChild(here.runtime, top, 'counter'));
    assert.ok(typeof again === 'object');
    assert.notEqual(await childOf(rings, here, top), pid);
  });

  test('ends when its supervisor is killed', async () => {
    const { rings, here, there } = setUp();
    const top = supervise(rings, here, { id: 'counter', place: 1, start: 'counter', args: [1] });
    const pid = await childOf(rings, here, top);
    Counter.ends.length = 0;
    here.runtime.exit(top, ExitReason.kill);
    rings.settle();
    assert.deepEqual(Counter.ends, ['killed']);
    assert.equal(there.runtime.process(pid.id), undefined);
  });

  test('comes back on the next incarnation of its scheduler, for which its supervisor waits', async () => {
    const { rings, here } = setUp();
    const top = supervise(rings, here, { id: 'counter', place: 1, start: 'counter', args: [1] });
    await childOf(rings, here, top);
    rings.lose(1);
    rings.settle();
    assert.equal(reasonOf(here.eventsOf('child_terminated')[0]!.reason), 'noconnection');
    here.advance(3000);
    const replacement = rings.open(1);
    rings.settle();
    const pid = await childOf(rings, here, top);
    assert.equal(pid.scheduler, replacement.runtime.scheduler);
    assert.equal(await outcome(rings, here.runtime.call(pid, 'next')), 2);
    assert.equal(here.eventsOf('child_start_failed').length, 0);
  });

  test('and fails to start when none comes in time', () => {
    const { rings, here } = setUp();
    rings.lose(1);
    const result = run(rings, here, (self) => startOn(self, rings.routers[0]!, 1, 'plain', [], 500));
    here.advance(499);
    assert.equal(result.value, undefined);
    here.advance(1);
    assert.deepEqual(result.value, { error: ExitReason.noconnection });
  });

  test('a bad specification names the bad value', () => {
    const { rings } = setUp();
    const [router] = rings.routers;
    assert.throws(
      () => placedChild(router!, { id: 'x', place: -1, start: 'plain' }),
      /child x: bad place: -1/,
    );
    assert.throws(
      () => placedChild(router!, { id: 'x', place: 1, start: 5 as unknown as string }),
      /child x: bad start: 5/,
    );
    assert.throws(
      () => placedChild(router!, { id: 'x', place: 1, start: 'plain', waitMs: -1 }),
      /child x: bad waitMs: -1/,
    );
  });
});

describe('a start on another scheduler', () => {
  const results: readonly (readonly [string, unknown[], unknown])[] = [
    ['ignore', [], { ignore: true }],
    ['counter', [-5], ['error', 'negative']],
    ['nothing', [], ['error', 'error: scheduler 1 has no start function nothing']],
    ['unsendable', [], ['error', '[a function]']],
  ];
  for (const [start, args, expected] of results) {
    test(`${start} ${args}`, () => {
      const { rings, here, there } = setUp();
      const processes = there.runtime.processCount;
      const { value } = run(rings, here, (self) => startOn(self, rings.routers[0]!, 1, start, args));
      assert.deepEqual(value!.error === undefined ? value : ['error', reasonOf(value!.error)], expected);
      assert.equal(there.runtime.processCount, processes);
      assert.deepEqual(there.runtime.info(there.runtime.process(START_SERVER_ID)!)!.monitoring, []);
    });
  }

  test('one that throws is a crash of the start', () => {
    const { rings, here } = setUp();
    const { value } = run(rings, here, (self) => startOn(self, rings.routers[0]!, 1, 'throws'));
    assert.equal(value!.error!.type, 'start_crashed');
  });

  test('what it has to say beside the pid comes too', () => {
    const { rings, here } = setUp();
    const { value } = run(rings, here, (self) => startOn(self, rings.routers[0]!, 1, 'info'));
    assert.deepEqual(value?.ok !== undefined && value.info, { port: 8470 });
  });

  test('arguments that cannot travel are the error of whoever asks', () => {
    const { rings, here } = setUp();
    run(rings, here, (self) => startOn(self, rings.routers[0]!, 1, 'plain', [{ f: () => 1 }]));
    const [crash] = here.eventsOf('crash');
    assert.match(
      String(reasonOf(crash!.reason)),
      /message\.args\[0\]\.f: the function f cannot leave its scheduler/,
    );
  });

  test('takes its time while everybody else goes on; whoever asked may end meanwhile, and then nothing is left', () => {
    const { rings, here, there } = setUp();
    const processes = there.runtime.processCount;
    const slow = run(rings, here, (self) => startOn(self, rings.routers[0]!, 1, 'slow'));
    assert.equal(there.runtime.processCount, processes + 1);
    there.advance(1000);
    rings.settle();
    assert.ok(slow.value!.ok);
    // A second one, whose asker is killed in the middle.
    let asker!: Process<never>;
    run(rings, here, (self) => {
      asker = self;
      return startOn(self, rings.routers[0]!, 1, 'slow');
    });
    here.runtime.exit(asker, ExitReason.kill);
    rings.settle();
    there.advance(2000);
    rings.settle();
    // The first child is gone with its asker, too: that one had ended when it had its answer.
    assert.equal(there.runtime.processCount, processes);
  });

  test('a scheduler that is lost in the middle: noconnection', () => {
    const { rings, here } = setUp();
    const slow = run(rings, here, (self) => startOn(self, rings.routers[0]!, 1, 'slow'));
    rings.lose(1);
    rings.settle();
    assert.deepEqual(slow.value, { error: ExitReason.noconnection });
  });

  test('a supervisor can be asked from another scheduler; a specification with functions cannot be sent', async () => {
    const { rings, here, there } = setUp();
    const top = supervise(rings, here, { id: 'counter', place: 1, start: 'counter', args: [1] });
    const remote = there.runtime.pid(0, top.id) as SupervisorPid;
    const children = await outcome(rings, Supervisor.whichChildren(there.runtime, remote));
    assert.equal(there.runtime.local(children[0]!.pid as Pid)!.label, 'Counter');
    assert.equal((await outcome(rings, Supervisor.countChildren(there.runtime, remote))).active, 1);
    assert.deepEqual(await outcome(rings, Supervisor.terminateChild(there.runtime, remote, 'counter')), {
      ok: true,
    });
    // Its answer holds a function. That fails the call, and not the supervisor.
    const refused = assert.rejects(
      there.runtime.call(remote, { op: 'get_childspec', child: 'counter' }),
      /start/,
    );
    rings.settle();
    await refused;
    assert.ok(here.runtime.isAlive(top));
    const stopped = there.runtime.stop(remote, ExitReason.shutdown);
    await outcome(rings, stopped);
    assert.equal(here.runtime.isAlive(top), false);
  });

  test('the router must be started before the first process, and once', () => {
    const pool = new SchedulerPool({ ringBytes: 64 * 1024 });
    const router = new RingRouter({ links: pool.open(0) });
    const world = new World({ router, names: router.names });
    world.puppet();
    assert.throws(() => router.start(world.runtime), /before the first process/);
    assert.throws(() => router.start(new World({ scheduler: 7 }).runtime), /bad scheduler: 7/);
    router.start(new World({ router, names: router.names }).runtime);
    assert.throws(() => router.start(new World({ router }).runtime), /already/);
    router.close();
  });
});
