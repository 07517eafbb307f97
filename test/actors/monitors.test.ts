/** Monitors and aliases; the expectations are those of OTP's traces. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DownMessage, ExitReason, type Ref } from '../../src/actors/index.js';
import { World } from './world.js';

const boom = ExitReason.custom('boom');

describe('monitors', () => {
  test('they stack, fire once each, with their own reference', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    const refs: Ref[] = [];
    a.run((self) => refs.push(self.monitor(b.pid), self.monitor(b.pid)));
    b.run((self) => self.exit(ExitReason.normal));
    assert.deepEqual(a.inbox, [
      ['DOWN', b.pid, 'normal'],
      ['DOWN', b.pid, 'normal'],
    ]);
    assert.deepEqual(new Set(a.raw.map((down) => (down as DownMessage).ref)), new Set(refs));
  });

  test('a dead process and a free name give noproc at once', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    b.run((self) => self.exit(boom));
    a.run((self) => {
      self.monitor(b.pid);
      self.monitor('nobody');
    });
    assert.deepEqual(a.inbox, [
      ['DOWN', b.pid, 'noproc'],
      ['DOWN', 'nobody', 'noproc'],
    ]);
  });

  test('a monitor by name is on the process that had it', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet({ name: 'x' });
    a.run((self) => self.monitor('x'));
    world.runtime.unregister('x');
    const c = world.puppet({ name: 'x' });
    world.runtime.exit(c.pid, boom);
    world.runtime.flush();
    assert.deepEqual(a.inbox, []);
    world.runtime.exit(b.pid, boom);
    world.runtime.flush();
    assert.deepEqual(a.inbox, [['DOWN', 'x', 'boom']]);
  });

  test('demonitor: of two the other stays; flush removes a DOWN that waits; the result says whether it was there', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    a.run((self) => {
      const one = self.monitor(b.pid);
      const two = self.monitor(b.pid);
      const three = self.monitor(b.pid);
      assert.equal(self.demonitor(one), true);
      assert.equal(self.demonitor(one), false);
      world.runtime.exit(b.pid, boom);
      assert.equal(self.mailboxLength, 2);
      assert.equal(self.demonitor(two, true), false);
      assert.equal(self.mailboxLength, 1);
      assert.equal(self.demonitor(three), false);
    });
    assert.deepEqual(a.inbox, [['DOWN', b.pid, 'boom']]);
  });

  test('flush finds a DOWN wherever it stands in the mailbox, and counts it as handled', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    a.run((self) => {
      const ref = self.monitor(b.pid);
      for (let at = 0; at < 200; at++) self.send(a.pid, at);
      world.runtime.exit(b.pid, boom);
      for (let at = 200; at < 400; at++) self.send(a.pid, at);
      self.demonitor(ref, true);
    });
    assert.deepEqual(
      a.inbox,
      Array.from({ length: 400 }, (_, at) => at),
    );
    const info = world.runtime.info(a.pid)!;
    assert.equal(info.received, info.handled);
    assert.equal(info.mailboxLength, 0);
  });

  test('a watcher that ended hears nothing, and leaves no trace', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    a.run((self) => {
      self.monitor(b.pid);
      self.alias();
    });
    assert.equal(world.runtime.info(b.pid)!.monitoredBy.length, 1);
    world.runtime.exit(a.pid, ExitReason.kill);
    assert.equal(world.runtime.info(b.pid)!.monitoredBy.length, 0);
  });

  test('monitoring each other, and oneself', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    a.run((self) => {
      self.monitor(b.pid);
      self.monitor(a.pid);
    });
    b.run((self) => self.monitor(a.pid));
    world.runtime.exit(a.pid, boom);
    world.runtime.flush();
    assert.deepEqual(b.inbox, [['DOWN', a.pid, 'boom']]);
  });
});

describe('aliases', () => {
  test('explicit: until taken back, by its owner', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    const ref = a.self.alias();
    world.runtime.sendAlias(ref, 1);
    world.runtime.sendAlias(ref, 2);
    assert.equal(b.self.unalias(ref), false);
    assert.equal(a.self.unalias(ref), true);
    assert.equal(a.self.unalias(ref), false);
    world.runtime.sendAlias(ref, 3);
    world.runtime.flush();
    assert.deepEqual(a.inbox, [1, 2]);
  });

  test('reply: one message', () => {
    const world = new World();
    const a = world.puppet();
    const ref = a.self.alias('reply');
    world.runtime.sendAlias(ref, 1);
    world.runtime.sendAlias(ref, 2);
    world.runtime.flush();
    assert.deepEqual(a.inbox, [1]);
    assert.equal(a.self.unalias(ref), false);
  });

  test('of a dead process: nothing happens', () => {
    const world = new World();
    const a = world.puppet();
    const ref = a.self.alias();
    world.runtime.exit(a.pid, ExitReason.kill);
    world.runtime.sendAlias(ref, 1);
    assert.equal(ref.isAlias, false);
  });

  for (const [mode, afterDown, afterDemonitor] of [
    ['explicit_unalias', [1], [1]],
    ['demonitor', [], []],
    ['reply_demonitor', [], []],
  ] as const) {
    test(`with a monitor, ${mode}: after DOWN and after demonitor`, () => {
      const world = new World();
      const a = world.puppet();
      const b = world.puppet();
      const ref = a.self.monitor(b.pid, mode);
      world.runtime.exit(b.pid, boom);
      world.runtime.sendAlias(ref, 1);
      world.runtime.flush();
      assert.deepEqual(a.inbox, [['DOWN', b.pid, 'boom'], ...afterDown]);
      const c = world.puppet();
      const other = c.self.monitor(world.puppet().pid, mode);
      c.self.demonitor(other);
      world.runtime.sendAlias(other, 1);
      world.runtime.flush();
      assert.deepEqual(c.inbox, afterDemonitor);
    });
  }

  test('reply_demonitor: the first message ends the monitor too', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    const ref = a.self.monitor(b.pid, 'reply_demonitor');
    world.runtime.sendAlias(ref, 'reply');
    world.runtime.exit(b.pid, boom);
    world.runtime.sendAlias(ref, 'late');
    world.runtime.flush();
    assert.deepEqual(a.inbox, ['reply']);
    assert.equal(world.runtime.info(a.pid)!.monitoring.length, 0);
  });

  test('unalias keeps the monitor', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    const ref = a.self.monitor(b.pid, 'demonitor');
    a.self.unalias(ref);
    world.runtime.exit(b.pid, boom);
    world.runtime.flush();
    assert.deepEqual(a.inbox, [['DOWN', b.pid, 'boom']]);
  });
});
