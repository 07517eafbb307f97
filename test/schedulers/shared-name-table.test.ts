import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BadArgument, NameTableFull, NameTaken } from '../../src/actors/index.js';
import { NameTableStuck, SharedNameTable } from '../../src/schedulers/index.js';
import { createNameTable, NAME_BYTES_MAX } from '../../src/schedulers/shared-name-table.js';
import { RingWorlds } from './ring-pair.js';
import type { NameOrder } from './scheduler-thread.js';
import { TestNode, until } from './test-node.js';

describe('the table of names', () => {
  test('a name is given once, found by all, given back, and given again', () => {
    const memory = createNameTable(16);
    const one = new SharedNameTable(memory, 1);
    const two = new SharedNameTable(memory, 2);
    assert.equal(one.register('a', 5), true);
    assert.equal(two.register('a', 6), false);
    assert.deepEqual(two.whereis('a'), { scheduler: 1, id: 5 });
    // Only by its holder.
    two.unregister('a', 5);
    one.unregister('a', 4);
    assert.equal(two.size, 1);
    one.unregister('a', 5);
    assert.equal(two.whereis('a'), undefined);
    assert.equal(two.register('a', 2 ** 50), true);
    assert.deepEqual([...one], [['a', { scheduler: 2, id: 2 ** 50 }]]);
  });

  test('any text may be a name; too long a one is refused', () => {
    const table = new SharedNameTable(createNameTable(16), 1);
    for (const name of [
      '',
      'ünï',
      '名前',
      '👪',
      'x'.repeat(NAME_BYTES_MAX),
      'é'.repeat(NAME_BYTES_MAX / 2),
    ]) {
      assert.equal(table.register(name, 1), true);
      assert.deepEqual(table.whereis(name), { scheduler: 1, id: 1 });
    }
    for (const name of ['x'.repeat(NAME_BYTES_MAX + 1), 'é'.repeat(NAME_BYTES_MAX / 2 + 1)]) {
      assert.throws(() => table.register(name, 1), BadArgument);
      assert.equal(table.whereis(name), undefined);
    }
  });

  test('full is an error with the name in it, and ends when one is given back', () => {
    const table = new SharedNameTable(createNameTable(16), 1);
    for (let n = 0; n < 16; n++) table.register(`n${n}`, n);
    assert.throws(
      () => table.register('more', 1),
      (error: unknown) => error instanceof NameTableFull && error.wanted === 'more' && error.capacity === 16,
    );
    table.unregister('n3', 3);
    assert.equal(table.register('more', 1), true);
  });

  test('a bad capacity is refused with its value', () => {
    for (const capacity of [0, 15, 17, 2 ** 21, 1.5]) {
      assert.throws(() => createNameTable(capacity), new RegExp(String(capacity)));
    }
  });

  test('names that come and go do not wear it out', () => {
    const table = new SharedNameTable(createNameTable(64), 1);
    for (let n = 0; n < 40; n++) table.register(`stays ${n}`, n);
    for (let n = 0; n < 100_000; n++) {
      table.register(`goes ${n}`, n);
      table.unregister(`goes ${n}`, n);
    }
    assert.equal(table.size, 40);
    for (let n = 0; n < 40; n++) assert.deepEqual(table.whereis(`stays ${n}`), { scheduler: 1, id: n });
  });

  test('a scheduler that was cut off with the lock goes on; that of a dead one is opened', () => {
    const memory = createNameTable(16);
    const one = new SharedNameTable(memory, 1);
    const two = new SharedNameTable(memory, 2);
    one.holdLock();
    assert.equal(one.register('a', 1), true);
    one.holdLock();
    two.releaseScheduler(1);
    assert.equal(two.register('a', 2), true);
    assert.equal(two.size, 1);
  });
});

describe('names of a node', () => {
  test('processes of other schedulers by name: send, monitor, call, timer; taken is taken everywhere', () => {
    const rings = new RingWorlds(2);
    const [here, there] = rings.worlds as [(typeof rings.worlds)[0], (typeof rings.worlds)[0]];
    const a = here.puppet({ trapExit: true });
    const b = there.puppet({ name: 'b' });
    const remote = here.runtime.whereis('b')!;
    const processes = here.runtime.processCount;
    assert.equal(remote, here.runtime.pid(1, b.pid.id));
    assert.throws(() => here.puppet({ name: 'b' }), NameTaken);
    assert.throws(() => here.runtime.unregister('b'), /another scheduler/);
    assert.throws(() => a.self.register('b'), NameTaken);
    assert.equal(here.runtime.processCount, processes);
    here.runtime.sendNamed('b', 1);
    here.runtime.sendAfter(10, 'b', 2);
    a.run((self) => self.monitor('b'));
    rings.settle();
    here.advance(10);
    rings.settle();
    assert.deepEqual(b.inbox, [1, 2]);
    b.run((self) => self.exit({ type: 'normal' }));
    // Free before anybody has heard of it.
    assert.equal(here.runtime.whereis('b'), undefined);
    a.self.register('b');
    assert.equal(there.runtime.whereis('b'), there.runtime.pid(0, a.pid.id));
    rings.settle();
    assert.deepEqual(a.inbox, [['DOWN', 'b', 'normal']]);
    rings.close();
  });

  test('names of a scheduler that is lost are free', () => {
    const rings = new RingWorlds(3);
    rings.worlds[1]!.puppet({ name: 'x' });
    rings.worlds[2]!.puppet({ name: 'y' });
    rings.lose(1);
    const [here] = rings.worlds;
    assert.equal(here!.runtime.whereis('x'), undefined);
    assert.ok(here!.runtime.whereis('y'));
    here!.puppet({ name: 'x' });
    rings.close();
  });

  test('three threads fight for the same names: nobody believes to have one that another has', {
    timeout: 60_000,
  }, async () => {
    const node = new TestNode(64 * 1024);
    const names = Array.from({ length: 40 }, (_, index) => `contended ${index}`);
    const owners = new SharedArrayBuffer(4 * names.length);
    const order: NameOrder = { names, rounds: 300, owners };
    const threads = [1, 2, 3].map((place) => node.begin(place, 'names', order));
    await until(() => threads.every(({ posted }) => posted.some((message) => typeof message === 'object')));
    for (const { posted } of threads) {
      const result = posted.find((message) => typeof message === 'object') as {
        had: number[];
        clashes: number;
      };
      assert.equal(result.clashes, 0);
      assert.ok(result.had.every((count) => count > 0));
    }
    assert.equal(node.pool.names.size, 0);
    await node.close();
  });

  test('a thread that dies with the lock does not keep it', { timeout: 60_000 }, async () => {
    const node = new TestNode(64 * 1024);
    const dies = await node.start(1, 'lock');
    // Looking up needs no lock.
    assert.equal(node.runtime.whereis('free again'), undefined);
    assert.throws(
      () => new SharedNameTable(node.router.links.names, 0, 5).register('free again', 1),
      (error: unknown) => error instanceof NameTableStuck && error.holder === dies.number,
    );
    const waits = await node.start(2, 'waiter');
    dies.worker.postMessage('die');
    assert.equal(await waits.next(), true);
    node.runtime.spawn<never>(() => ({ receive() {} }), { name: 'free again' });
    assert.ok(node.runtime.whereis('free again'));
    await node.close();
  });
});
