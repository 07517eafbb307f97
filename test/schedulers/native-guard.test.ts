/** A runaway process is cut off, and nothing else. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource, executionAsyncId } from 'node:async_hooks';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ExitReason, type Pid, type Process, type RuntimeEvent } from '../../src/actors/index.js';
import { GuardMark } from '../../src/actors/slice-guard.js';
import { GuardRequest, interrupt, NativeGuard } from '../../src/schedulers/native-guard.js';
import { DynamicSupervisor, Supervisor } from '../../src/supervisors/index.js';
import { GuardedWorld, skip } from './guarded-world.js';

describe('a guarded runtime', { skip }, () => {
  let world: GuardedWorld;
  beforeEach(() => {
    world = new GuardedWorld();
  });
  afterEach(() => {
    assert.equal(world.guard.marks[GuardMark.depth], 0, 'nothing is left on the stack');
    assert.equal(world.runtime.current, world.runtime.outside);
    assert.equal(world.runtime.turns.depth, 0);
    world.close();
  });

  /** A process that counts what it gets. */
  function counter(): { pid: Pid<unknown>; count: number } {
    const result = { pid: null as unknown as Pid<unknown>, count: 0 };
    result.pid = world.runtime.spawn<unknown>(() => ({ receive: () => void result.count++ }));
    return result;
  }

  /** A process that does this with each message. */
  function doing(
    action: (self: Process<unknown>, message: unknown) => void,
    label = 'culprit',
  ): Pid<unknown> {
    return world.runtime.spawn<unknown>((self) => ({ receive: (message) => action(self, message) }), {
      label,
    });
  }

  test('an endless loop in a slice ends its process, and the turn goes on behind it', () => {
    const { runtime } = world;
    const before = counter();
    const behind = counter();
    const culprit = doing(() => world.loop());
    const watcher = world.puppet();
    watcher.self.monitor(culprit);
    runtime.send(before.pid, 1);
    runtime.send(culprit, 1);
    runtime.send(culprit, 2);
    runtime.send(behind.pid, 1);
    const { turns } = runtime.turns;
    world.clock.runOne();
    assert.equal(runtime.turns.turns, turns + 1);
    assert.deepEqual([before.count, behind.count], [1, 1]);
    assert.equal(runtime.isAlive(culprit), false);
    assert.deepEqual(runtime.exitReasonOf(culprit), ExitReason.killed);
    assert.deepEqual(world.crashes, ['culprit killed receive']);
    world.turns();
    assert.deepEqual(watcher.inbox, [['DOWN', culprit, 'killed']]);
    const [crash] = world.events.filter((event) => event.type === 'crash');
    assert.ok(crash?.cut !== undefined);
    assert.equal(crash.cut.ranMs, 1234);
    assert.match(crash.cut.stack[0] ?? '', /^at .*loop \(.*guarded-world\.js:\d+:\d+\)$/);
    assert.equal(crash.mailboxLength, 1);
  });

  test('in a socket callback: dispatch returns, the message counts as handled', () => {
    const culprit = doing(() => world.loop());
    assert.equal(world.runtime.tryDispatch(culprit, { type: 'socket' }), true);
    assert.deepEqual(world.crashes, ['culprit killed receive(socket)']);
    assert.equal(world.runtime.isAlive(culprit), false);
  });

  test('a class names its handler', () => {
    class Session {
      receive(): void {
        world.loop();
      }
    }
    world.runtime.dispatch(
      world.runtime.spawn<unknown>(() => new Session()),
      'x',
    );
    assert.deepEqual(world.crashes, ['process killed Session.receive']);
  });

  test('whoever calls a runaway on its own stack lives on', () => {
    const { runtime } = world;
    const culprit = doing(() => world.loop());
    let handled: boolean | null = null;
    const caller = doing(() => {
      handled = runtime.tryDispatch(culprit, 'x');
    }, 'caller');
    runtime.send(caller, 'go');
    world.turns();
    assert.equal(handled, true);
    assert.equal(runtime.isAlive(caller), true);
    assert.deepEqual(world.crashes, ['culprit killed receive']);
  });

  test('callNow of a runaway says that it was killed', () => {
    const culprit = doing(() => world.loop());
    assert.deepEqual(world.runtime.callNow(culprit, 'x'), { ok: false, reason: ExitReason.killed });
  });

  test('a start function that never returns fails; its supervisor and siblings live on', () => {
    const { runtime } = world;
    const supervisor = DynamicSupervisor.start(runtime, {}).ok!;
    const sibling = DynamicSupervisor.startChild(runtime, supervisor, {
      id: 'sibling',
      start: (parent) => parent.spawnLink(() => ({ receive() {} })),
    }).ok!;
    const started = DynamicSupervisor.startChild(runtime, supervisor, {
      id: 'culprit',
      restart: 'temporary',
      start: (parent) => parent.spawnLink(() => world.loop(), { label: 'culprit' }),
    });
    assert.equal(started.ok, undefined);
    assert.equal(runtime.isAlive(supervisor), true);
    assert.equal(runtime.isAlive(sibling), true);
    assert.deepEqual(world.crashes, ['culprit killed start']);
  });

  test('its supervisor starts it anew', () => {
    const { runtime } = world;
    const pids: Pid<unknown>[] = [];
    Supervisor.start(runtime, {
      children: [
        {
          id: 'child',
          start: (parent) => {
            const pid = parent.spawnLink<unknown>(() => ({
              receive: (message) => void (message === 'loop' && world.loop()),
            }));
            pids.push(pid);
            return pid;
          },
        },
      ],
    });
    runtime.send(pids[0]!, 'loop');
    world.turns();
    assert.equal(pids.length, 2);
    assert.equal(runtime.isAlive(pids[1]!), true);
    assert.deepEqual(world.crashes, ['process killed receive']);
  });

  test('terminate, exit hooks and after-turn callbacks are cut off, too; the rest of them runs', () => {
    const { runtime } = world;
    const seen: string[] = [];
    const culprit = runtime.spawn<unknown>(
      (self) => {
        self.onExit({ processExited: () => void seen.push('hook 1') });
        self.onExit({ processExited: () => world.loop() });
        self.onExit({ processExited: () => void seen.push('hook 3') });
        return {
          receive() {
            throw new Error('broken');
          },
          terminate: () => world.loop(),
        };
      },
      { label: 'culprit' },
    );
    const watcher = world.puppet({ trapExit: true });
    watcher.self.link(culprit);
    runtime.afterTurn(() => void seen.push('after 1'));
    runtime.afterTurn(() => world.loop());
    runtime.afterTurn(() => void seen.push('after 3'));
    runtime.send(culprit, 'x');
    world.turns();
    assert.deepEqual(seen, ['hook 1', 'hook 3', 'after 1', 'after 3']);
    assert.deepEqual(world.crashes, ['culprit killed receive']);
    assert.deepEqual(watcher.inbox, [['EXIT', culprit, 'killed']]);
    const failed = world.events.filter((event) => event.type === 'hook_failed');
    assert.deepEqual(
      failed.map((event) => String(event.error)),
      ['CutOff: cut off after 1234 ms', 'CutOff: cut off after 1234 ms'],
    );
  });

  test('terminate of a process that is finished from outside', () => {
    const culprit = world.runtime.spawn<unknown>(() => ({ receive() {}, terminate: () => world.loop() }));
    world.runtime.finish(culprit, ExitReason.normal);
    assert.deepEqual(world.crashes, ['process killed terminate']);
  });

  test('catch and finally do not keep it', () => {
    let finallies = 0;
    const culprit = doing(() => {
      for (;;) {
        try {
          world.loop();
        } catch {
        } finally {
          finallies++;
        }
      }
    });
    world.runtime.send(culprit, 'x');
    world.turns();
    assert.equal(finallies, 0);
    assert.equal(world.runtime.isAlive(culprit), false);
  });

  test('what has ended when the request arrives is left alone, and so is what comes behind it', () => {
    const { runtime } = world;
    let spun = 0;
    const first = doing(() => world.cut(), 'first');
    const second = doing(() => {
      for (let at = 0; at < 1000; at++) spun++;
    }, 'second');
    runtime.send(first, 1);
    runtime.send(second, 1);
    world.turns();
    runtime.dispatch(first, 2);
    for (let at = 0; at < 1000; at++) spun++;
    assert.equal(spun, 2000);
    assert.deepEqual(world.crashes, []);
    assert.equal(runtime.isAlive(first), true);
    assert.ok(world.guard.marks[GuardMark.answered]! >= 2);
  });

  test('a request for what lies below is refused while something else is on top', () => {
    const { runtime } = world;
    const { marks } = world.guard;
    let spun = 0;
    const innocent = doing(() => {
      interrupt(world.guard.handle, GuardRequest.cut, 0, marks[GuardMark.levels]!, 5);
      for (let at = 0; at < 1000; at++) spun++;
    }, 'innocent');
    const caller = doing(() => void runtime.dispatch(innocent, 'x'), 'caller');
    runtime.send(caller, 'x');
    world.turns();
    assert.equal(spun, 1000);
    assert.equal(marks[GuardMark.refused], 1);
    assert.deepEqual(world.crashes, []);
  });

  test('what takes long and comes to its end is reported with a sample of its stack', () => {
    const { runtime } = world;
    const slow = doing(function takesLong() {
      world.ask(GuardRequest.sample, 150);
      for (let at = 0; at < 1000; at++) Math.sqrt(at);
    }, 'slow');
    runtime.send(slow, 1);
    runtime.send(slow, 2);
    world.turns();
    runtime.dispatch(slow, 3);
    runtime.spawn(
      () => {
        world.ask(GuardRequest.sample, 160);
        for (let at = 0; at < 1000; at++) Math.sqrt(at);
        return { receive() {} };
      },
      { label: 'slow start' },
    );
    const long = world.events.filter(
      (event): event is Extract<RuntimeEvent, { type: 'long_schedule' }> => event.type === 'long_schedule',
    );
    assert.deepEqual(
      long.map(({ label, messages }) => `${label} ${messages}`),
      ['slow 2', 'slow 1', 'slow start 0'],
    );
    for (const { durationMs } of long) assert.ok(durationMs >= 150 && durationMs < 60_000, `${durationMs}`);
    assert.match(long[0]?.stack?.[0] ?? '', /^at takesLong \(/);
  });

  test('errors pass through a guarded call', () => {
    const error = new Error('mine');
    const throws = () => {
      throw error;
    };
    assert.throws(() => world.guard.run(throws, null, null, null), error);
    assert.throws(() => world.guard.run(undefined as never, null, null, null), /run takes a function/);
  });

  test('within a scope of asynchronous resources nothing is cut off; within a storage it is', () => {
    const { marks } = world.guard;
    const resource = new AsyncResource('test');
    let spun = 0;
    const scoped = doing(() => {
      resource.runInAsyncScope(() => {
        world.cut();
        for (let at = 0; at < 1000; at++) spun++;
      });
    });
    world.runtime.dispatch(scoped, 'x');
    assert.deepEqual([spun, marks[GuardMark.refused]], [1000, 1]);
    assert.deepEqual(world.crashes, []);
    const storage = new AsyncLocalStorage<number>();
    world.runtime.dispatch(
      doing(() => storage.run(7, () => world.loop())),
      'x',
    );
    assert.deepEqual(world.crashes, ['culprit killed receive']);
  });

  test('an event sink that never returns: what it was told of goes on, and its fault shows', () => {
    const thrown: unknown[] = [];
    const pid = doing(() => {
      throw new Error('broken');
    });
    world.events.push = () => world.loop();
    world.runtime.dispatch(pid, 'x');
    world.events.push = Array.prototype.push;
    assert.equal(world.runtime.isAlive(pid), false);
    try {
      world.turns();
    } catch (error) {
      thrown.push(error);
    }
    assert.deepEqual(thrown.map(String), ['CutOff: cut off after 1234 ms']);
  });

  test('one guard for a thread; bad arguments', () => {
    assert.throws(() => NativeGuard.attach(), /this thread has a guard already/);
    world.guard.run(() => assert.throws(() => world.guard.detach(), /from within/), null, null, null);
  });

  test('the asynchronous context is as before', async () => {
    const culprit = doing(() => world.loop());
    const ids = await new Promise((resolve) => {
      setImmediate(() => {
        const before = executionAsyncId();
        world.runtime.dispatch(culprit, 'x');
        const after = executionAsyncId();
        void Promise.resolve().then(() => setTimeout(() => resolve([before === after, before > 0]), 1));
      });
    });
    assert.deepEqual(ids, [true, true]);
    assert.deepEqual(world.crashes, ['culprit killed receive']);
  });
});
