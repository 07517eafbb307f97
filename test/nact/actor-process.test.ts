/** nact's actors as processes: messages, counters, names, links, monitors. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { query, type Ref, spawn, start, stop } from 'nact';
import { ExitReason, sys } from '../../src/actors/index.js';
import { actorCounts, joinSystem, pidOf, refOf, selfOf } from '../../src/nact/index.js';
import { NactWorld, spawnActor, systemName, tell } from './nact-world.js';

/** An actor that keeps what it is told. */
function keeper(world: NactWorld) {
  const kept: unknown[] = [];
  const ref = spawnActor(world.system(), (state: number, message: unknown) => {
    kept.push(message);
    return (state ?? 0) + 1;
  });
  return { ref, kept, process: world.process(ref) };
}

describe('messages of an actor', () => {
  test('wait in its process’s mailbox, and are counted there', () => {
    const world = new NactWorld();
    const { ref, kept, process } = keeper(world);
    for (const message of [1, 2, 3]) tell(ref, message);
    const before = world.runtime.info(process)!;
    assert.deepEqual(
      [before.mailboxLength, before.mailboxLongest, before.received, before.handled],
      [3, 3, 3, 0],
    );
    assert.deepEqual(kept, [], 'a dispatch is handled later');
    world.runtime.flush();
    const after = world.runtime.info(process)!;
    assert.deepEqual(
      [after.mailboxLength, after.mailboxLongest, after.received, after.handled],
      [0, 3, 3, 3],
    );
    assert.deepEqual(kept, [1, 2, 3]);
  });

  test('come by dispatch and by our own ways, in one order', () => {
    const world = new NactWorld();
    const { ref, kept, process } = keeper(world);
    world.runtime.register('keeper', process);
    tell(ref, 'dispatched');
    world.runtime.send(process, 'sent');
    world.runtime.sendNamed('keeper', 'by name');
    world.runtime.cast(process, 'cast');
    tell(ref, 'last');
    world.runtime.sendAfter(50, process, 'later');
    world.advance(50);
    assert.deepEqual(kept, ['dispatched', 'sent', 'by name', 'cast', 'last', 'later']);
  });

  test('wait while its function is async, one is handled at a time', async () => {
    const world = new NactWorld();
    const gates = [world.gate(), world.gate(), world.gate()];
    const began: number[] = [];
    const ref = spawnActor(world.system(), async (_state, n: number) => {
      began.push(n);
      await gates[n]!.opened;
    });
    const process = world.process(ref);
    const counters = () => {
      const { mailboxLength, mailboxLongest, received, handled } = world.runtime.info(process)!;
      return { mailboxLength, mailboxLongest, received, handled };
    };
    for (const n of [0, 1]) tell(ref, n);
    world.runtime.flush();
    tell(ref, 2);
    assert.deepEqual(counters(), { mailboxLength: 2, mailboxLongest: 2, received: 3, handled: 1 });
    world.runtime.flush();
    assert.deepEqual(counters(), { mailboxLength: 2, mailboxLongest: 2, received: 3, handled: 1 });
    assert.deepEqual(process.waiting().length, 2);
    for (let n = 0; n < 3; n++) {
      assert.deepEqual(began, [0, 1, 2].slice(0, n + 1));
      gates[n]!.open();
      await world.until('the next one', () => began.length > n + 1 || n === 2);
    }
    await world.quiet();
    assert.deepEqual(counters(), { mailboxLength: 0, mailboxLongest: 2, received: 3, handled: 3 });
  });

  test('are counted exactly, also in the moment in which it becomes idle', async () => {
    const world = new NactWorld();
    const gate = world.gate();
    const ref = spawnActor(world.system(), () => gate.opened);
    const process = world.process(ref);
    tell(ref, 1);
    world.runtime.flush();
    gate.open();
    // The function is done, and another message came before the process could look.
    tell(ref, 2);
    await new Promise((resolve) => setImmediate(resolve));
    world.runtime.flush();
    await world.quiet();
    const { mailboxLongest, received, handled } = world.runtime.info(process)!;
    assert.deepEqual([mailboxLongest, received, handled], [1, 2, 2]);
  });

  test('beyond the limit of a mailbox end it, as any process', async () => {
    const world = new NactWorld({ mailboxMax: 1000 });
    const gate = world.gate();
    const ref = spawnActor(world.system(), () => gate.opened);
    const process = world.process(ref);
    for (let n = 0; n < 3000 && world.runtime.isAlive(process); n++) {
      tell(ref, n);
      if (n === 0) world.runtime.flush();
    }
    assert.equal(await world.endOf(process), 'mailbox_overflow');
    assert.equal(pidOf(ref), undefined);
    assert.doesNotThrow(() => tell(ref, 'nobody'));
  });

  test('carry their sender, who may be one of ours that calls', async () => {
    const world = new NactWorld();
    const system = world.system();
    const echo = spawnActor(system, (_state, message: { sender?: Ref<unknown>; text: string }, context) => {
      tell(message.sender ?? context.sender, `${message.text}!`);
    });
    const answers: unknown[] = [];
    const asker = spawnActor(system, (_state, message) => {
      answers.push(message);
    });
    tell(echo, { text: 'to the sender' }, asker);
    const called = world.runtime.call(world.process(echo), { text: 'called' });
    const asked = world.runtime.call(world.process(echo), (sender: Ref<unknown>) => ({
      sender,
      text: 'asked',
    }));
    const queried = query(echo as never, { text: 'queried' } as never, 5000);
    await world.quiet();
    assert.deepEqual(answers, ['to the sender!']);
    assert.deepEqual(await Promise.all([called, asked, queried]), ['called!', 'asked!', 'queried!']);
    const outcome = world.runtime.callNow<string>(world.process(echo), { text: 'now' });
    assert.deepEqual(outcome, { ok: true, value: 'now!' });
  });

  test('that it sends in its function are counted as its own', () => {
    const world = new NactWorld();
    const { ref: target } = keeper(world);
    const ref = spawnActor(world.system(), () => {
      for (let n = 0; n < 5; n++) tell(target, n);
    });
    const process = world.process(ref);
    tell(ref, 'go');
    world.runtime.flush();
    assert.equal(process.sent, 5);
  });
});

describe('an actor as a process', () => {
  test('is found by its reference, and its reference by the process', () => {
    const world = new NactWorld();
    const { ref, process } = keeper(world);
    assert.equal(pidOf(ref), process);
    assert.equal(refOf(process), ref);
    assert.equal(refOf(world.puppet().pid), undefined);
    assert.equal(pidOf(start(systemName())), undefined, 'a system of which we know nothing');
  });

  test('stands in the tree, with its children below it', async () => {
    const world = new NactWorld();
    const system = world.system();
    const parent = spawnActor(
      system,
      (_state, name: string, context) => {
        spawnActor(context.self as Ref<never>, () => undefined, name);
      },
      'parent',
    );
    for (const name of ['one', 'two']) tell(parent, name);
    world.runtime.flush();
    const systemPid = pidOf(system)!;
    assert.deepEqual(actorCounts(systemPid), { children: 1, descendants: 3 });
    assert.deepEqual(actorCounts(world.process(parent)), { children: 2, descendants: 2 });
    assert.equal(actorCounts(world.puppet().pid), null);
    const one = [...world.runtime.processes()].find(({ label }) => label === 'one')!;
    assert.deepEqual(world.runtime.pathOf(one).slice(-1), ['parent']);
    const process = world.process(parent);
    stop(parent);
    assert.equal(await world.endOf(process), 'normal');
    await world.quiet();
    assert.deepEqual(actorCounts(systemPid), { children: 0, descendants: 0 });
    assert.equal(world.runtime.isAlive(one), false);
  });

  test('can be monitored, linked and have a name', async () => {
    const world = new NactWorld();
    const { ref, process } = keeper(world);
    const watcher = world.puppet({ trapExit: true });
    world.runtime.register('keeper', process);
    watcher.run((self) => {
      self.monitor(process);
      self.monitor('keeper');
      self.link(process);
    });
    stop(ref);
    assert.equal(await world.endOf(process), 'normal');
    assert.deepEqual(watcher.inbox, [
      ['EXIT', process, 'normal'],
      ['DOWN', 'keeper', 'normal'],
      ['DOWN', process, 'normal'],
    ]);
    assert.equal(world.runtime.whereis('keeper'), undefined);
  });

  test('links and monitors for itself, and gets DOWN as a message', async () => {
    const world = new NactWorld();
    const kept: unknown[] = [];
    const other = world.puppet();
    const linked = world.puppet();
    const ref = spawnActor(world.system(), (_state, message: { type?: string }, context) => {
      if (message.type === 'DOWN') kept.push(message.type);
      else {
        selfOf(context).monitor(other.pid);
        selfOf(context).link(linked.pid);
      }
    });
    const process = world.process(ref);
    tell(ref, {});
    world.runtime.flush();
    world.runtime.exit(other.pid, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(kept, ['DOWN']);
    world.runtime.exit(linked.pid, ExitReason.custom('gone'));
    assert.equal(await world.endOf(process), 'gone');
  });

  test('takes exit signals in its turn: normal means nothing, others end it', async () => {
    const world = new NactWorld();
    const { ref, kept, process } = keeper(world);
    world.runtime.exit(process, ExitReason.normal);
    tell(ref, 'before');
    world.runtime.exit(process, ExitReason.custom('enough'));
    tell(ref, 'behind');
    assert.equal(await world.endOf(process), 'enough');
    assert.deepEqual(kept, ['before']);
  });

  test('is stopped by runtime.stop and by itself', async () => {
    const world = new NactWorld();
    const { process } = keeper(world);
    const stopped = world.runtime.stop(process);
    await world.until('it stops', () => !world.runtime.isAlive(process));
    await stopped;
    for (const how of ['stop', 'exit'] as const) {
      const ref = spawnActor(world.system(), (_state, _message, context) => {
        if (how === 'stop') stop(context.self);
        else selfOf(context).exit(ExitReason.custom('done'));
        return 'the last state';
      });
      const pid = world.process(ref);
      tell(ref, 'go');
      assert.equal(await world.endOf(pid), how === 'stop' ? 'normal' : 'done');
    }
  });

  test('stops when it was idle for its shutdownAfter, by the runtime’s clock', async () => {
    const world = new NactWorld();
    const ref = spawnActor(world.system(), () => undefined, 'idle', { shutdownAfter: 1000 });
    const process = world.process(ref);
    world.advance(900);
    tell(ref, 'hello');
    world.advance(900);
    world.runtime.send(process, 'hello');
    world.advance(999);
    assert.ok(world.runtime.isAlive(process));
    world.advance(1);
    assert.equal(await world.endOf(process), 'normal');
  });

  test('does not stop for idleness while something waits', async () => {
    const world = new NactWorld();
    const ref = spawnActor(world.system(), () => undefined, 'idle', { shutdownAfter: 1000 });
    const process = world.process(ref);
    const suspended = world.runtime.wait(sys.suspend(process));
    await world.quiet();
    await suspended;
    world.runtime.send(process, 'hello');
    world.advance(5000);
    await world.quiet();
    assert.ok(world.runtime.isAlive(process));
    const resumed = world.runtime.wait(sys.resume(process));
    await world.quiet();
    await resumed;
    world.advance(1000);
    assert.equal(await world.endOf(process), 'normal');
  });

  test('answers sys: its state, its status, suspended, traced, with other code', async () => {
    const world = new NactWorld();
    const { ref, kept, process } = keeper(world);
    tell(ref, 'one');
    const ask = async <T>(what: Promise<T>): Promise<T> => {
      await world.quiet();
      return what;
    };
    const runtime = world.runtime;
    assert.equal(await ask(runtime.wait(sys.getState(process))), 1);
    assert.equal(await ask(runtime.wait(sys.replaceState(process, (state) => (state as number) + 10))), 11);
    const status = await ask(runtime.wait(sys.getStatus(process)));
    assert.equal(status.behaviour, 'NactActor');
    await ask(runtime.wait(sys.suspend(process)));
    tell(ref, 'two');
    await world.quiet();
    assert.deepEqual(kept, ['one']);
    assert.equal(runtime.info(process)?.mailboxLength, 1);
    await ask(runtime.wait(sys.changeCode(process, { callbacks: (state: number) => state * 2 })));
    await ask(runtime.wait(sys.resume(process)));
    assert.deepEqual(kept, ['one'], 'the new function keeps nothing');
    assert.equal(await ask(runtime.wait(sys.getState(process))), 22);
  });

  test('is made of an actor at work, too: nothing that waits is lost', async () => {
    const world = new NactWorld();
    const system = start(systemName());
    const gate = world.gate();
    const handled: unknown[] = [];
    const f = async (_state: unknown, message: unknown) => {
      if (message === 0) await gate.opened;
      handled.push(message);
    };
    const parent = spawn(system, f as never, 'parent');
    const child = spawnActor(parent as Ref<never>, f as never, 'child');
    for (const n of [0, 1, 2]) tell(parent, n);
    tell(child, 'c');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(handled, ['c']);
    joinSystem(world.runtime, system);
    const process = world.process(parent);
    assert.equal(world.runtime.info(process)?.mailboxLength, 2);
    tell(parent, 3);
    world.runtime.send(process, 4);
    await world.quiet();
    assert.deepEqual(handled, ['c']);
    gate.open();
    await world.until('all are handled', () => handled.length === 6);
    assert.deepEqual(handled, ['c', 0, 1, 2, 3, 4]);
    tell(child, 'c2');
    world.runtime.flush();
    assert.deepEqual(handled.at(-1), 'c2');
    const info = world.runtime.info(process)!;
    assert.deepEqual([info.received, info.handled, info.mailboxLength], [4, 4, 0]);
  });
});
