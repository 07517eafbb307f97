/** Links, exit signals and exit reasons; the expectations are those of OTP's traces for links. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BadArgument, ExitReason, type Pid } from '../../src/actors/index.js';
import { reasonOf, World } from './world.js';

const boom = ExitReason.custom('boom');

function chain(world: World, length: number, trapAt = -1) {
  const puppets = Array.from({ length }, (_, at) => world.puppet({ trapExit: at === trapAt }));
  for (let at = 1; at < length; at++) puppets[at - 1]!.run((self) => self.link(puppets[at]!.pid));
  return puppets;
}

describe('links', () => {
  test('a crash runs along a chain, in both directions, with the first reason', () => {
    const world = new World();
    const puppets = chain(world, 5);
    puppets[2]!.run(() => {
      throw new Error('oops');
    });
    for (const { pid } of puppets) assert.equal(reasonOf(world.runtime.exitReasonOf(pid)), 'error: oops');
  });

  test('a trapping process in the chain gets a message and those behind it live', () => {
    const world = new World();
    const [a, b, c] = chain(world, 3, 1);
    a!.run((self) => self.exit(boom));
    assert.deepEqual(b!.inbox, [['EXIT', a!.pid, 'boom']]);
    assert.ok(world.runtime.isAlive(b!.pid) && world.runtime.isAlive(c!.pid));
  });

  test('a normal exit spares linked processes, and tells those that trap', () => {
    const world = new World();
    const [a, b, c] = chain(world, 3, 0);
    b!.run((self) => self.exit(ExitReason.normal));
    assert.deepEqual(a!.inbox, [['EXIT', b!.pid, 'normal']]);
    assert.ok(world.runtime.isAlive(c!.pid));
    assert.deepEqual(world.runtime.info(c!.pid)!.links, []);
  });

  test('linking twice makes one link, and either side may remove it', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet({ trapExit: true });
    a.run((self) => {
      self.link(b.pid);
      self.link(b.pid);
      self.link(a.pid);
    });
    assert.deepEqual(world.runtime.info(a.pid)!.links, [b.pid]);
    b.run((self) => self.unlink(a.pid));
    a.run((self) => self.exit(boom));
    assert.deepEqual(b.inbox, []);
  });

  test('an EXIT that waits survives the unlink', () => {
    const world = new World();
    const a = world.puppet({ trapExit: true });
    const b = world.puppet();
    a.run((self) => self.link(b.pid));
    a.run((self) => {
      world.runtime.exit(b.pid, boom);
      self.unlink(b.pid);
    });
    assert.deepEqual(a.inbox, [['EXIT', b.pid, 'boom']]);
  });

  test('linking to a dead process: an EXIT noproc when trapping, the error noproc when not', () => {
    const world = new World();
    const dead = world.puppet();
    dead.run((self) => self.exit(ExitReason.normal));
    const trapping = world.puppet({ trapExit: true });
    trapping.run((self) => self.link(dead.pid));
    assert.deepEqual(trapping.inbox, [['EXIT', dead.pid, 'noproc']]);
    const other = world.puppet();
    other.run((self) => self.link(dead.pid));
    assert.equal(reasonOf(world.runtime.exitReasonOf(other.pid)), 'noproc');
  });

  test('in a ring every process dies once', () => {
    const world = new World();
    const puppets = chain(world, 4);
    puppets[3]!.run((self) => self.link(puppets[0]!.pid));
    const watcher = world.puppet();
    watcher.run((self) => {
      for (const { pid } of puppets) self.monitor(pid);
    });
    puppets[1]!.run((self) => self.exit(boom));
    assert.equal(watcher.inbox.length, 4);
    assert.deepEqual(new Set(watcher.inbox.map((down) => (down as unknown[])[2])), new Set(['boom']));
  });

  test('a chain of 200,000 falls without a stack overflow', () => {
    const world = new World();
    let last: Pid | undefined;
    const first = world.runtime.spawn(() => ({ receive() {} }));
    let previous: Pid = first;
    for (let at = 0; at < 200_000; at++) {
      previous = last = world.runtime.spawn(() => ({ receive() {} }), { link: previous });
    }
    world.runtime.exit(first, boom);
    assert.equal(reasonOf(world.runtime.exitReasonOf(last!)), 'boom');
    assert.equal(world.runtime.processCount, 0);
  });
});

describe('exit signals', () => {
  test('kill cannot be trapped, and links see killed', () => {
    const world = new World();
    const [a, b] = chain(world, 2, 1);
    a!.self.trapExit = true;
    world.runtime.exit(a!.pid, ExitReason.kill);
    assert.equal(world.runtime.isAlive(a!.pid), false);
    assert.equal(reasonOf(world.runtime.exitReasonOf(a!.pid)), 'killed');
    world.runtime.flush();
    assert.deepEqual(b!.inbox, [['EXIT', a!.pid, 'killed']]);
  });

  test('kill as the reason of a process of its own is an ordinary one over links', () => {
    const world = new World();
    const [a, b, c] = chain(world, 3, 1);
    a!.run((self) => self.exit(ExitReason.kill));
    assert.deepEqual(b!.inbox, [['EXIT', a!.pid, 'kill']]);
    assert.ok(world.runtime.isAlive(c!.pid));
    const [d, e] = chain(world, 2);
    d!.run((self) => self.exit(ExitReason.kill));
    assert.equal(reasonOf(world.runtime.exitReasonOf(e!.pid)), 'kill');
  });

  test('normal from another is ignored, or a message when trapping; from oneself it ends', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet({ trapExit: true });
    const sender = world.puppet();
    sender.run(() => {
      world.runtime.exit(a.pid, ExitReason.normal);
      world.runtime.exit(b.pid, ExitReason.normal);
    });
    assert.ok(world.runtime.isAlive(a.pid));
    assert.deepEqual(b.inbox, [['EXIT', sender.pid, 'normal']]);
    a.run(() => world.runtime.exit(a.pid, ExitReason.normal));
    assert.equal(world.runtime.isAlive(a.pid), false);
    b.run(() => world.runtime.exit(b.pid, ExitReason.normal));
    assert.deepEqual(b.inbox[1], ['EXIT', b.pid, 'normal']);
    assert.ok(world.runtime.isAlive(b.pid));
  });

  test('the first signal wins, and no message that waits is seen after it', () => {
    const world = new World();
    const a = world.puppet();
    const sender = world.puppet();
    sender.run((self) => {
      self.send(a.pid, 'never');
      world.runtime.exit(a.pid, boom);
      world.runtime.exit(a.pid, ExitReason.kill);
      assert.equal(world.runtime.isAlive(a.pid), false);
    });
    assert.deepEqual(a.inbox, []);
    assert.equal(reasonOf(world.runtime.exitReasonOf(a.pid)), 'boom');
  });

  test('whether a process traps is judged when the signal comes', () => {
    const world = new World();
    const a = world.puppet({ trapExit: true });
    world.runtime.exit(a.pid, boom);
    a.self.trapExit = false;
    world.runtime.flush();
    assert.deepEqual(a.inbox, [['EXIT', world.runtime.outside, 'boom']]);
    world.runtime.exit(a.pid, boom);
    assert.equal(world.runtime.isAlive(a.pid), false);
  });

  test('messages sent before the end arrive before EXIT and DOWN', () => {
    const world = new World();
    const watcher = world.puppet({ trapExit: true });
    const a = world.puppet();
    watcher.run((self) => {
      self.link(a.pid);
      self.monitor(a.pid);
    });
    a.run((self) => {
      self.send(watcher.pid, 'last words');
      self.exit(boom);
    });
    assert.equal(watcher.inbox[0], 'last words');
    assert.deepEqual(
      new Set(watcher.inbox.slice(1).map((m) => (m as unknown[])[0])),
      new Set(['EXIT', 'DOWN']),
    );
  });
});

describe('ends', () => {
  test('throwing: an Error is error, an Exit its reason, anything else nocatch', () => {
    const world = new World();
    const ends = (action: () => void) => {
      const puppet = world.puppet();
      puppet.run(action);
      return reasonOf(world.runtime.exitReasonOf(puppet.pid));
    };
    assert.equal(
      ends(() => {
        throw new Error('e');
      }),
      'error: e',
    );
    assert.deepEqual(
      ends(() => {
        throw 'thrown';
      }),
      ['nocatch', 'thrown'],
    );
    const a = world.puppet();
    a.run((self) => self.exit(boom));
    assert.equal(reasonOf(world.runtime.exitReasonOf(a.pid)), 'boom');
  });

  test('a process that kills itself by a signal runs no further message, and what it does after has no effect', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    a.run((self) => {
      world.runtime.exit(a.pid, ExitReason.kill);
      self.send(b.pid, 'from the grave');
      self.sendAfter(10, 'nothing');
      self.link(b.pid);
      self.monitor(b.pid);
      assert.throws(() => self.spawn(() => ({ receive() {} })));
    });
    world.advance(20);
    assert.deepEqual(b.inbox, []);
    assert.equal(world.runtime.info(b.pid)!.monitoredBy.length, 0);
    assert.deepEqual(world.runtime.info(b.pid)!.links, []);
  });

  test('self.exit from outside of a turn ends at once and runs terminate', () => {
    const world = new World();
    const log: unknown[] = [];
    let exit!: () => void;
    const pid = world.runtime.spawn((self) => {
      exit = () => self.exit(boom);
      return { receive() {}, terminate: (reason) => void log.push(reasonOf(reason)) };
    });
    exit();
    assert.equal(world.runtime.isAlive(pid), false);
    assert.deepEqual(log, ['boom']);
    exit();
    assert.deepEqual(log, ['boom']);
  });

  test('terminate runs after a crash, not after a signal; its own error replaces the reason', () => {
    const world = new World();
    const log: unknown[] = [];
    const make = (terminate: (reason: ExitReason) => void) =>
      world.runtime.spawn<string>(() => ({
        receive() {
          throw new Error('first');
        },
        terminate,
      }));
    const a = make((reason) => void log.push(reasonOf(reason)));
    world.runtime.send(a, 'go');
    const b = make(() => void log.push('never'));
    world.runtime.exit(b, boom);
    const c = make(() => {
      throw new Error('second');
    });
    world.runtime.send(c, 'go');
    world.runtime.flush();
    assert.deepEqual(log, ['error: first']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(c)), 'error: second');
  });

  test('names are free before anybody hears of the end', () => {
    const world = new World();
    const seen: unknown[] = [];
    const watcher = world.runtime.spawn<never>((self) => {
      self.trapExit = true;
      return { receive: () => void seen.push(world.runtime.whereis('x')) };
    });
    const named = world.runtime.spawn(() => ({ receive() {} }), {
      name: 'x',
      link: watcher,
      monitor: watcher as never,
    });
    world.runtime.exit(named, boom);
    assert.equal(world.runtime.whereis('x'), undefined);
    world.runtime.flush();
    assert.deepEqual(seen, [undefined, undefined]);
  });

  test('exit hooks run once for any end, before links hear, and cannot do harm', () => {
    const world = new World();
    const log: unknown[] = [];
    for (const reason of [ExitReason.kill, ExitReason.normal, boom]) {
      const pid = world.runtime.spawn<never>((self) => {
        self.onExit({ processExited: (_, why) => void log.push(reasonOf(why)) });
        self.onExit({
          processExited() {
            throw new Error('hook');
          },
        });
        self.onExit({ processExited: () => void log.push('second') });
        self.trapExit = false;
        return { receive() {} };
      });
      if (reason.type === 'normal') world.runtime.finish(pid as never, reason);
      else world.runtime.exit(pid, reason);
    }
    assert.deepEqual(log, ['killed', 'second', 'normal', 'second', 'boom', 'second']);
    assert.equal(world.eventsOf('hook_failed').length, 3);
  });

  test('a crash is reported, an orderly end or a signal is not', () => {
    const world = new World();
    const parent = world.puppet({ label: 'top' });
    parent.run((self) => {
      for (const reason of [ExitReason.normal, ExitReason.shutdown, ExitReason.shutdownWith(1), boom]) {
        self.spawn((child) => ({ receive: () => child.exit(reason) }), { label: 'child' });
      }
    });
    for (const process of [...world.runtime.processes()]) {
      if (process.label === 'child') world.runtime.send(process as unknown as Pid<unknown>, 'go');
    }
    world.runtime.exit(world.puppet().pid, boom);
    world.runtime.flush();
    const crashes = world.eventsOf('crash');
    assert.equal(crashes.length, 1);
    assert.deepEqual(crashes[0]!.path, ['top']);
    assert.equal(reasonOf(crashes[0]!.reason), 'boom');
  });
});

describe('starting', () => {
  test('a start function that throws leaves a dead process; its parent hears over the link', () => {
    const world = new World();
    const parent = world.puppet({ trapExit: true });
    let child!: Pid;
    parent.run((self) => {
      child = self.spawnLink(() => {
        throw new Error('no');
      });
      assert.equal(world.runtime.isAlive(child), false);
    });
    assert.deepEqual(parent.inbox, [['EXIT', child, 'error: no']]);
  });

  test('a taken name: the start throws, nothing is left, the start function did not run', () => {
    const world = new World();
    world.puppet({ name: 'x' });
    let ran = false;
    assert.throws(
      () =>
        world.runtime.spawn(
          () => {
            ran = true;
            return { receive() {} };
          },
          { name: 'x' },
        ),
      BadArgument,
    );
    assert.equal(ran, false);
    assert.equal(world.runtime.processCount, 1);
  });

  test('messages that a process sends itself while it starts are handled afterwards', () => {
    const world = new World();
    const log: unknown[] = [];
    world.runtime.spawn<string>((self) => {
      self.send(self, 'a');
      assert.equal(world.runtime.tryDispatch(self, 'never'), false);
      return { receive: (message) => void log.push(message) };
    });
    assert.deepEqual(log, []);
    world.runtime.flush();
    assert.deepEqual(log, ['a']);
  });

  test('linking to a dead parent ends the new process before its start function runs', () => {
    const world = new World();
    const dead = world.puppet();
    world.runtime.exit(dead.pid, ExitReason.kill);
    const child = world.runtime.spawn(() => assert.fail('ran'), { link: dead.pid });
    assert.equal(reasonOf(world.runtime.exitReasonOf(child)), 'noproc');
  });
});

describe('robustness', () => {
  test('a sink that throws disturbs no death and no turn, and its error is not hidden', () => {
    const world = new World({
      events: () => {
        throw new Error('sink');
      },
    });
    const a = world.puppet({ trapExit: true });
    const b = world.puppet({ link: a.pid });
    b.run(() => {
      throw new Error('oops');
    });
    assert.deepEqual(a.inbox, [['EXIT', b.pid, 'error: oops']]);
    assert.equal(world.runtime.current, world.runtime.outside);
    assert.throws(() => world.clock.run(), /sink/);
  });

  test('outside cannot be ended', async () => {
    const world = new World();
    const a = world.puppet({ trapExit: true });
    world.runtime.exit(a.pid, boom);
    a.run((self) => {
      world.runtime.exit(world.runtime.outside, ExitReason.kill);
      self.exit(boom);
    });
    const call = world.runtime.call('nobody', 'x');
    world.runtime.flush();
    await assert.rejects(call, /noproc/);
  });
});
