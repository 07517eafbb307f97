import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgument, ExitReason } from '../../src/actors/index.js';
import { NameRegistry } from '../../src/registry/index.js';
import { World } from '../actors/world.js';

test('a key has one process, a process any number of keys', () => {
  const world = new World();
  const registry = new NameRegistry<number>(world.runtime);
  const [a, b] = [world.puppet(), world.puppet()];
  assert.equal(registry.register(1, a.pid), true);
  assert.equal(registry.register(1, a.pid), true);
  assert.equal(registry.register(1, b.pid), false);
  assert.equal(registry.register(2, a.pid), true);
  assert.equal(registry.register(3, a.pid), true);
  assert.deepEqual(registry.keysOf(a.pid), [1, 2, 3]);
  assert.equal(registry.unregister(2, b.pid), false);
  assert.equal(registry.unregister(2, a.pid), true);
  assert.equal(registry.lookup(2), undefined);
  assert.equal(registry.register(2, b.pid), true);
  assert.deepEqual(
    [...registry],
    [
      [1, a.pid],
      [3, a.pid],
      [2, b.pid],
    ],
  );
});

test('keys go with their process, before anybody hears of its end, and can be taken at once', () => {
  const world = new World();
  const registry = new NameRegistry<string>(world.runtime);
  const a = world.puppet();
  registry.register('x', a.pid);
  registry.register('y', a.pid);
  const seen: unknown[] = [];
  world.runtime.spawn<never>((self) => {
    self.monitor(a.pid);
    return { receive: () => void seen.push(registry.lookup('x'), registry.size) };
  });
  world.runtime.exit(a.pid, ExitReason.kill);
  const b = world.puppet();
  assert.equal(registry.register('x', b.pid), true);
  world.runtime.flush();
  assert.deepEqual(seen, [b.pid, 1]);
  assert.deepEqual(registry.keysOf(a.pid), []);
  assert.throws(() => registry.register('z', a.pid), BadArgument);
});

test('of processes that fall together none is found any more, and what one leaves another may take at once', () => {
  const world = new World();
  const registry = new NameRegistry<string>(world.runtime);
  const [a, b, c, d] = [world.puppet(), world.puppet(), world.puppet(), world.puppet()];
  registry.register('c', c.pid);
  a.run((self) => {
    self.link(b.pid);
    self.link(c.pid);
  });
  let found: unknown = 'not asked';
  // Runs when b and c are both doomed and c is not yet worked off: its key is still in the table.
  b.self.onExit({
    processExited() {
      found = registry.lookup('c');
      registry.register('c', d.pid);
    },
  });
  world.runtime.exit(a.pid, ExitReason.custom('boom'));
  assert.equal(found, undefined);
  assert.ok(registry.lookup('c') === d.pid);
  assert.equal(registry.size, 1);
});

test('a process that comes back to a key is hooked once', () => {
  const world = new World();
  const registry = new NameRegistry<number>(world.runtime);
  const a = world.puppet();
  for (let round = 0; round < 1000; round++) {
    registry.register(1, a.pid);
    registry.unregister(1, a.pid);
  }
  assert.equal(world.runtime.local(a.pid)!.hooks, registry);
  world.runtime.exit(a.pid, ExitReason.kill);
  assert.equal(registry.size, 0);
});
