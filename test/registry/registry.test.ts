import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BadArgument,
  ExitReason,
  type From,
  GenServer,
  type Pid,
  type ServerPid,
} from '../../src/actors/index.js';
import { RegisterMessage, Registry, UnregisterMessage } from '../../src/registry/index.js';
import { World } from '../actors/world.js';

type AnyPid = Pid<unknown>;

function pidsOf(registered: readonly { readonly pid: AnyPid }[]): AnyPid[] {
  return registered.map(({ pid }) => pid);
}

describe('unique keys', () => {
  test('a key has one process, a process any number of keys', () => {
    const world = new World();
    const registry = new Registry<number>(world.runtime);
    const [a, b] = [world.puppet(), world.puppet()];
    assert.deepEqual(registry.register(a.pid, 1), { ok: true });
    assert.deepEqual(registry.register(a.pid, 1), { error: { type: 'already_registered', pid: a.pid } });
    assert.deepEqual(registry.register(b.pid, 1), { error: { type: 'already_registered', pid: a.pid } });
    registry.register(a.pid, 2);
    registry.register(a.pid, 3);
    assert.deepEqual(registry.keys(a.pid), [1, 2, 3]);
    assert.equal(registry.unregister(b.pid, 2), false);
    assert.equal(registry.unregister(a.pid, 2), true);
    assert.equal(registry.whereis(2), undefined);
    registry.register(b.pid, 2);
    assert.deepEqual(
      registry.select((key, pid) => [key, pid]),
      [
        [1, a.pid],
        [3, a.pid],
        [2, b.pid],
      ],
    );
    assert.equal(registry.count, 3);
  });

  test('values: looked up, matched, replaced by their process only', () => {
    const world = new World();
    const registry = new Registry<string, number>(world.runtime);
    const [a, b] = [world.puppet(), world.puppet()];
    registry.register(a.pid, 'x', 1);
    assert.deepEqual(registry.lookup('x'), [{ pid: a.pid, value: 1 }]);
    const before = registry.lookup('x');
    assert.deepEqual(
      registry.updateValue(a.pid, 'x', (value) => value + 1),
      { value: 2, old: 1 },
    );
    assert.deepEqual(registry.lookup('x'), [{ pid: a.pid, value: 2 }]);
    assert.deepEqual(before, [{ pid: a.pid, value: 1 }]);
    assert.equal(
      registry.updateValue(b.pid, 'x', () => 9),
      undefined,
    );
    assert.equal(
      registry.updateValue(a.pid, 'y', () => 9),
      undefined,
    );
    assert.deepEqual(
      registry.match('x', (value) => value === 1),
      [],
    );
    assert.equal(
      registry.countMatch('x', (value, pid) => value === 2 && pid === a.pid),
      1,
    );
    assert.deepEqual(registry.values(a.pid, 'x'), [2]);
    assert.deepEqual(registry.values(b.pid, 'x'), []);
  });

  test('strings, numbers and symbols are the same by value, objects by identity', () => {
    const world = new World();
    for (const partitions of [1, 7]) {
      const registry = new Registry<unknown>(world.runtime, { partitions });
      const a = world.puppet();
      const symbol = Symbol('s');
      const object = { k: 1 };
      const keys = [
        'text',
        1,
        -0,
        Number.NaN,
        2n ** 70n,
        symbol,
        Symbol.for('shared'),
        object,
        null,
        undefined,
        true,
      ];
      for (const key of keys) assert.equal(registry.register(a.pid, key).ok, true, String(key));
      const same = [
        `te${'xt'}`,
        1.0,
        0,
        0 / 0,
        2n ** 70n,
        symbol,
        Symbol.for('shared'),
        object,
        null,
        undefined,
        true,
      ];
      for (const key of same) assert.equal(registry.whereis(key), a.pid, String(key));
      for (const key of ['1', Symbol('s'), { k: 1 }, false, 1n])
        assert.equal(registry.whereis(key), undefined);
      assert.equal(registry.keys(a.pid).length, keys.length);
      for (const key of same) assert.equal(registry.unregister(a.pid, key), true, String(key));
      assert.equal(registry.count, 0);
    }
  });

  test('entries go with their process, before anybody hears of its end, and keys can be taken at once', () => {
    const world = new World();
    const registry = new Registry<string>(world.runtime);
    const a = world.puppet();
    registry.register(a.pid, 'x');
    registry.register(a.pid, 'y');
    const seen: unknown[] = [];
    world.runtime.spawn<never>((self) => {
      self.monitor(a.pid);
      return { receive: () => void seen.push(registry.whereis('x'), registry.count) };
    });
    // Runs on the stack of the death: what it finds is what a link or monitor could find.
    const linked = world.puppet({ trapExit: true });
    linked.run((self) => self.link(a.pid));
    world.runtime.exit(a.pid, ExitReason.kill);
    const b = world.puppet();
    assert.equal(registry.register(b.pid, 'x').ok, true);
    world.runtime.flush();
    assert.deepEqual(seen, [b.pid, 1]);
    assert.deepEqual(registry.keys(a.pid), []);
    assert.throws(() => registry.register(a.pid, 'z'), BadArgument);
  });

  test('of processes that fall together none is found any more, and what one leaves another may take at once', () => {
    const world = new World();
    const registry = new Registry<string>(world.runtime);
    const [a, b, c, d] = [world.puppet(), world.puppet(), world.puppet(), world.puppet()];
    registry.register(c.pid, 'c');
    registry.register(c.pid, 'c too');
    a.run((self) => {
      self.link(b.pid);
      self.link(c.pid);
    });
    let found: unknown = 'not asked';
    // Runs when b and c are both doomed and c is not yet worked off: its key is still in the table.
    b.self.onExit({
      processExited() {
        found = [registry.whereis('c'), registry.keys(c.pid), registry.lookup('c'), [...registry]];
        registry.register(d.pid, 'c');
      },
    });
    world.runtime.exit(a.pid, ExitReason.custom('boom'));
    assert.deepEqual(found, [undefined, [], [], []]);
    assert.equal(registry.whereis('c'), d.pid);
    assert.equal(registry.count, 1);
  });

  test('a process that comes back to a key is hooked once', () => {
    const world = new World();
    const registry = new Registry<number>(world.runtime);
    const a = world.puppet();
    for (let round = 0; round < 1000; round++) {
      registry.register(a.pid, 1);
      registry.unregister(a.pid, 1);
    }
    assert.equal(Array.isArray(world.runtime.local(a.pid)!.hooks), false);
    world.runtime.exit(a.pid, ExitReason.kill);
    assert.equal(registry.count, 0);
  });
});

describe('duplicate keys', () => {
  test('any number of processes are under a key, and each any number of times', () => {
    const world = new World();
    const registry = new Registry<string, string>(world.runtime, { keys: 'duplicate' });
    const [a, b] = [world.puppet(), world.puppet()];
    registry.register(a.pid, 'x', 'one');
    registry.register(b.pid, 'x', 'two');
    registry.register(a.pid, 'x', 'three');
    registry.register(a.pid, 'y', 'four');
    assert.deepEqual(registry.lookup('x'), [
      { pid: a.pid, value: 'one' },
      { pid: b.pid, value: 'two' },
      { pid: a.pid, value: 'three' },
    ]);
    assert.deepEqual(registry.keys(a.pid).sort(), ['x', 'x', 'y']);
    assert.deepEqual(registry.values(a.pid, 'x'), ['three', 'one']);
    assert.equal(
      registry.unregisterMatch(a.pid, 'x', (value) => value === 'one'),
      true,
    );
    assert.deepEqual(registry.values(a.pid, 'x'), ['three']);
    assert.equal(
      registry.unregisterMatch(a.pid, 'x', (value) => value === 'one'),
      false,
    );
    registry.register(a.pid, 'x', 'five');
    assert.equal(registry.unregister(a.pid, 'x'), true);
    assert.deepEqual(registry.lookup('x'), [{ pid: b.pid, value: 'two' }]);
    assert.deepEqual(registry.keys(a.pid), ['y']);
    world.runtime.exit(b.pid, ExitReason.kill);
    assert.deepEqual(registry.lookup('x'), []);
    assert.equal(registry.count, 1);
  });

  test('dispatch hands over all entries of a key, once for each partition, and not at all if there are none', () => {
    const world = new World();
    for (const partitions of [1, 3]) {
      const registry = new Registry<string>(world.runtime, { keys: 'duplicate', partitions });
      const puppets = Array.from({ length: 12 }, () => world.puppet());
      for (const { pid } of puppets) registry.register(pid, 'news');
      const batches: AnyPid[][] = [];
      registry.dispatch('news', (entries) => {
        batches.push(pidsOf(entries));
        for (const { pid } of entries) world.runtime.send(pid, 'hello');
      });
      registry.dispatch('nothing', () => assert.fail('nobody is there'));
      world.runtime.flush();
      assert.equal(batches.length, partitions);
      assert.deepEqual(new Set(batches.flat()), new Set(puppets.map(({ pid }) => pid)));
      assert.equal(batches.flat().length, 12);
      for (const { inbox } of puppets) assert.deepEqual(inbox, ['hello']);
      assert.throws(
        () =>
          registry.dispatch('news', () => {
            throw new Error('of the callback');
          }),
        /of the callback/,
      );
    }
  });

  test('what takes one process for a key is refused', () => {
    const world = new World();
    const registry = new Registry<string>(world.runtime, { keys: 'duplicate', label: 'topics' });
    const { pid } = world.puppet();
    for (const refused of [
      () => registry.whereis('x'),
      () => registry.via('x'),
      () => registry.updateValue(pid, 'x', () => undefined),
      () => world.runtime.whereis({ via: registry, key: 'x' }),
    ]) {
      assert.throws(
        refused,
        (error: Error) => error instanceof BadArgument && /topics has duplicate/.test(error.message),
      );
    }
    assert.throws(
      () => world.runtime.spawn(() => ({ receive() {} }), { name: { via: registry, key: 'x' } }),
      BadArgument,
    );
  });
});

describe('a registry', () => {
  test('tells its listeners who came and who went by himself', () => {
    const world = new World();
    const listener = world.puppet({ name: 'listener' });
    const registry = new Registry<string, number>(world.runtime, { listeners: ['listener', 'nobody'] });
    const a = world.puppet();
    registry.register(a.pid, 'x', 1);
    registry.register(a.pid, 'y', 2);
    registry.register(a.pid, 'x', 3);
    registry.unregister(a.pid, 'x');
    registry.unregister(a.pid, 'x');
    world.runtime.exit(a.pid, ExitReason.kill);
    world.runtime.flush();
    assert.deepEqual(listener.raw, [
      new RegisterMessage(registry, 'x', a.pid, 1),
      new RegisterMessage(registry, 'y', a.pid, 2),
      new UnregisterMessage(registry, 'x', a.pid),
    ]);
  });

  test('has metadata', () => {
    const world = new World();
    const registry = new Registry<string>(world.runtime, { meta: [['owner', 'chat']] });
    assert.equal(registry.meta('owner'), 'chat');
    assert.equal(registry.meta('other'), undefined);
    registry.putMeta('other', { a: 1 });
    assert.deepEqual(registry.meta('other'), { a: 1 });
    registry.deleteMeta('other');
    assert.equal(registry.meta('other'), undefined);
  });

  test('refuses bad options, with the value', () => {
    const { runtime } = new World();
    assert.throws(() => new Registry(runtime, { partitions: 0 }), /bad number of partitions: 0/);
    assert.throws(() => new Registry(runtime, { partitions: 1.5 }), /bad number of partitions: 1.5/);
    assert.throws(() => new Registry(runtime, { keys: 'many' as 'unique' }), /bad keys: many/);
  });
});

describe('names in a registry', () => {
  type Calls = ['get', number] | ['fail', never];

  class Counter implements GenServer<number, Calls, number> {
    constructor(private readonly begin: number) {}
    init() {
      return GenServer.ok(this.begin);
    }
    handleCall(request: Calls[0], _from: From<Calls[1]>, count: number) {
      if (request === 'fail') throw new Error('asked to');
      return GenServer.reply(count, count);
    }
    handleCast(by: number, count: number) {
      return GenServer.noreply(count + by);
    }
  }

  function setUp() {
    const world = new World();
    const registry = new Registry<string, undefined, ServerPid<Calls, number>>(world.runtime, {
      label: 'counters',
    });
    return { world, registry, name: registry.via('a') };
  }

  test('start a process under one, and find it', async () => {
    const { world, registry, name } = setUp();
    const { ok } = GenServer.start(world.runtime, new Counter(1), { name });
    assert.ok(ok !== undefined);
    assert.equal(registry.whereis('a'), ok);
    assert.equal(world.runtime.whereis(name), ok);
    assert.equal(world.runtime.info(ok)!.label, 'counters/a');
    assert.deepEqual(GenServer.start(world.runtime, new Counter(2), { name }), {
      error: { type: 'already_started', pid: ok },
    });
    GenServer.cast(world.runtime, name, 4);
    const count = GenServer.call(world.runtime, name, 'get');
    world.runtime.flush();
    assert.equal(await count, 5);
    const monitor = world.puppet();
    monitor.run((self) => self.monitor(name));
    const stopped = world.runtime.stop(name);
    world.runtime.flush();
    await stopped;
    assert.deepEqual(monitor.inbox, [['DOWN', ok, 'normal']]);
    // The name is free again, and whoever uses it learns so, in words.
    const again = GenServer.call(world.runtime, name, 'get');
    world.runtime.flush();
    await assert.rejects(again, /call of counters\/a failed: noproc/);
    monitor.run((self) => self.monitor(name));
    assert.deepEqual(monitor.inbox[1], ['DOWN', 'counters/a', 'noproc']);
    assert.throws(() => world.runtime.sendNamed(name, 'x'), /nobody is registered as counters\/a/);
    GenServer.cast(world.runtime, name, 4);
  });

  test('a name that is taken leaves no trace of the process', () => {
    const { world, registry, name } = setUp();
    const a = world.puppet();
    registry.register(a.pid as ServerPid<Calls, number>, 'a');
    const { processCount } = world.runtime;
    let ran = false;
    const start = () => {
      ran = true;
      return { receive() {} };
    };
    assert.throws(() => world.runtime.spawn(start, { name }), /the name counters\/a is taken/);
    assert.equal(ran, false);
    assert.equal(world.runtime.processCount, processCount);
  });

  test('a process whose start fails gives its name back before anybody hears', () => {
    const { world, registry, name } = setUp();
    const { error } = GenServer.start(
      world.runtime,
      {
        init: () => {
          assert.ok(registry.whereis('a') !== undefined);
          throw new Error('no');
        },
      },
      { name },
    );
    assert.equal(error?.type, 'error');
    assert.equal(registry.whereis('a'), undefined);
    assert.equal(registry.count, 0);
  });

  test('a timer to one looks it up when the time has come', () => {
    const { world, registry, name } = setUp();
    world.runtime.sendAfter(10, name, 'late');
    world.runtime.sendAfter(10, registry.via('nobody'), 'lost');
    const a = world.puppet();
    registry.register(a.pid as ServerPid<Calls, number>, 'a');
    world.advance(10);
    assert.deepEqual(a.inbox, ['late']);
  });

  test('a value goes with it', () => {
    const { runtime } = new World();
    const registry = new Registry<string, number>(runtime);
    const pid = runtime.spawn<unknown>(() => ({ receive() {} }), { name: registry.via('x', 7) });
    assert.deepEqual(registry.lookup('x'), [{ pid, value: 7 }]);
  });

  test('one whose key cannot be made a string has a label all the same', () => {
    const { runtime } = new World();
    const registry = new Registry<object>(runtime);
    const pid = runtime.spawn<unknown>(() => ({ receive() {} }), {
      name: registry.via(Object.create(null) as object),
    });
    assert.equal(runtime.info(pid)!.label, 'registry/object');
  });
});
