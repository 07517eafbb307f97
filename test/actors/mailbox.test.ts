/** Messages, names, slices, dispatch and the hooks of a turn. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BadArgument, ExitReason, type Pid, type Process, receive } from '../../src/actors/index.js';
import { reasonOf, World } from './world.js';

describe('messages', () => {
  test('come in order, a hundred thousand of them, and are counted', () => {
    const world = new World();
    const a = world.puppet();
    const b = world.puppet();
    b.run((self) => {
      for (let at = 0; at < 100_000; at++) self.send(a.pid, at);
      assert.equal(a.self.mailboxLength, 100_000);
    });
    assert.equal(a.inbox.length, 100_000);
    assert.ok(a.inbox.every((value, at) => value === at));
    const info = world.runtime.info(a.pid)!;
    assert.equal(info.received, 100_000);
    assert.equal(info.handled, 100_000);
    assert.equal(info.mailboxLength, 0);
    assert.equal(info.mailboxLongest, 100_000);
    assert.equal(world.runtime.info(b.pid)!.sent, 100_000);
  });

  test('that wait can be looked at, whoever has put them aside', () => {
    const world = new World();
    const plain = world.puppet();
    assert.deepEqual(plain.self.waiting(), []);
    for (const message of [1, 2, 3]) world.runtime.send(plain.pid, message);
    assert.deepEqual(plain.self.waiting(), [1, 2, 3]);
    assert.deepEqual(plain.self.waiting(2), [1, 2]);
    const selective: Pid<unknown>[] = [
      world.runtime.spawn(function* () {
        yield* receive('never', 1000);
      }),
      world.runtime.spawn(async (self) => {
        await self.wait(receive('never'));
      }),
    ];
    for (const pid of selective) {
      world.runtime.send(pid, 'a');
      world.runtime.send(pid, 'b');
      world.runtime.flush();
      world.runtime.send(pid, 'c');
      assert.deepEqual((pid as Process<unknown>).waiting(), ['a', 'b', 'c']);
      assert.equal(world.runtime.info(pid)?.mailboxLength, 3);
      world.runtime.exit(pid, ExitReason.kill);
      assert.deepEqual((pid as Process<unknown>).waiting(), []);
    }
  });

  test('to a dead process vanish, to a free name are an error', () => {
    const world = new World();
    const a = world.puppet();
    world.runtime.exit(a.pid, ExitReason.kill);
    world.runtime.send(a.pid, 'x');
    assert.throws(() => world.runtime.sendNamed('nobody', 'x'), BadArgument);
    world.runtime.flush();
    assert.deepEqual(a.inbox, []);
  });

  test('a mailbox beyond the limit ends its process, and is reported', () => {
    const world = new World({ mailboxMax: 1000 });
    const a = world.puppet();
    let sent = 0;
    while (world.runtime.isAlive(a.pid) && sent < 5000) {
      world.runtime.send(a.pid, sent++);
    }
    assert.ok(sent > 1000 && sent <= 1064 + 1, String(sent));
    assert.equal(reasonOf(world.runtime.exitReasonOf(a.pid)), 'mailbox_overflow');
    assert.equal(world.eventsOf('mailbox_overflow').length, 1);
    world.runtime.flush();
    assert.deepEqual(a.inbox, []);
  });

  test('the mailbox of a process that died in the middle of its slice is not handled', () => {
    const world = new World();
    const a = world.puppet();
    world.runtime.send(a.pid, 'seen');
    a.self.send(a.pid, 'also seen');
    const b = world.puppet();
    b.run(() => {});
    a.run((self) => {
      self.send(a.pid, 'not seen');
      throw new Error('x');
    });
    assert.deepEqual(a.inbox, ['seen', 'also seen']);
    assert.equal(world.eventsOf('crash')[0]!.mailboxLength, 1);
  });
});

describe('names', () => {
  test('one for a process, one process for a name', () => {
    const world = new World();
    const a = world.puppet({ name: 'x' });
    const b = world.puppet();
    assert.equal(world.runtime.whereis('x'), a.pid);
    assert.throws(() => world.runtime.register('x', b.pid), /the name x is taken/);
    assert.throws(() => world.runtime.register('y', a.pid), /it is x/);
    world.runtime.unregister('x');
    assert.throws(() => world.runtime.unregister('x'), BadArgument);
    world.runtime.register('y', a.pid);
    world.runtime.register('x', b.pid);
    world.runtime.exit(a.pid, ExitReason.kill);
    assert.throws(() => world.runtime.register('z', a.pid), /has ended/);
    assert.equal(world.runtime.whereis('y'), undefined);
    assert.deepEqual(
      [...world.runtime.names].map(([name]) => name),
      ['x'],
    );
    assert.equal(world.runtime.names.size, 1);
    world.runtime.sendNamed('x', 'hello');
    world.runtime.flush();
    assert.deepEqual(b.inbox, ['hello']);
  });
});

describe('slices', () => {
  test('a process with a long mailbox gives way after its slice', () => {
    const world = new World({ sliceMessages: 4 });
    const log: string[] = [];
    const make = (name: string) =>
      world.runtime.spawn<number>(() => ({ receive: () => void log.push(name) }));
    const a = make('a');
    const b = make('b');
    for (let at = 0; at < 6; at++) world.runtime.send(a, at);
    for (let at = 0; at < 6; at++) world.runtime.send(b, at);
    world.runtime.flush();
    assert.equal(log.join(''), 'aaaabbbbaabb');
  });

  test('a turn gives way to the event loop when its time is over', () => {
    for (const costMs of [0.02, 1, 0.0001]) {
      let handled = 0;
      let now = 0;
      const world = new World({ turnMs: 5, sliceMessages: 4 });
      world.clock.now = () => now;
      const pids = Array.from({ length: 100 }, () =>
        world.runtime.spawn<number>((self) => ({
          receive(message) {
            handled++;
            now += costMs;
            self.send(self, message as number);
          },
        })),
      );
      for (const pid of pids) world.runtime.send(pid, 0);
      // The first turn has to find out what a message costs.
      world.clock.runOne();
      for (let turn = 0; turn < 5; turn++) {
        const before = now;
        assert.equal(world.clock.runOne(), true);
        const tookMs = now - before;
        assert.ok(tookMs >= 5 && tookMs <= 5 + 1 + 4 * costMs, `${tookMs} ms at ${costMs} ms a message`);
      }
      assert.ok(handled > 0);
    }
  });

  test('long slices are reported with their process', () => {
    const world = new World({ longScheduleMs: 10, sliceMs: 100 });
    let now = 1;
    world.clock.now = () => now;
    const slow = world.runtime.spawn<number>(
      () => ({
        receive(ms) {
          now += ms as number;
        },
      }),
      { label: 'slow' },
    );
    world.runtime.send(slow, 9);
    world.runtime.flush();
    assert.equal(world.eventsOf('long_schedule').length, 0);
    for (const ms of [4, 5, 3]) world.runtime.send(slow, ms);
    world.runtime.flush();
    const [event, ...more] = world.eventsOf('long_schedule');
    assert.deepEqual([event!.label, event!.durationMs, event!.messages, more.length], ['slow', 12, 3, 0]);
  });
});

describe('dispatch', () => {
  const collect = (world: World) => {
    const log: unknown[] = [];
    const pid = world.runtime.spawn<unknown>(() => ({ receive: (message) => void log.push(message) }));
    return { pid, log };
  };

  test('to an idle process runs at once, and is counted like a message', () => {
    const world = new World();
    const { pid, log } = collect(world);
    assert.equal(world.runtime.dispatch(pid, 1), true);
    assert.deepEqual(log, [1]);
    const info = world.runtime.info(pid)!;
    assert.deepEqual([info.received, info.handled, info.mailboxLength, info.mailboxLongest], [1, 1, 0, 1]);
  });

  test('never overtakes what waits', () => {
    const world = new World();
    const { pid, log } = collect(world);
    world.runtime.send(pid, 1);
    assert.equal(world.runtime.tryDispatch(pid, 'nothing'), false);
    assert.equal(world.runtime.dispatch(pid, 2), false);
    assert.deepEqual(log, []);
    world.runtime.flush();
    assert.deepEqual(log, [1, 2]);
    assert.equal(world.runtime.dispatch(pid, 3), true);
  });

  test('to a process that runs is an ordinary send', () => {
    const world = new World();
    const log: unknown[] = [];
    const pid: Pid<string> = world.runtime.spawn<string>((self) => ({
      receive(message) {
        log.push(`begin ${message}`);
        if (message === 'outer') assert.equal(world.runtime.dispatch(self, 'inner'), false);
        log.push(`end ${message}`);
      },
    }));
    world.runtime.dispatch(pid, 'outer');
    world.runtime.flush();
    assert.deepEqual(log, ['begin outer', 'end outer', 'begin inner', 'end inner']);
  });

  test('isolates the crash: the caller goes on, links hear', () => {
    const world = new World();
    const a = world.puppet({ trapExit: true });
    const pid = world.runtime.spawn<string>(
      () => ({
        receive() {
          throw new Error('x');
        },
      }),
      { link: a.pid },
    );
    assert.equal(world.runtime.dispatch(pid, 'go'), true);
    assert.equal(world.runtime.isAlive(pid), false);
    assert.equal(world.runtime.dispatch(pid, 'again'), false);
    world.runtime.flush();
    assert.deepEqual(a.inbox, [['EXIT', pid, 'error: x']]);
  });

  test('what the process sends in a dispatch is in its name, and comes later', () => {
    const world = new World();
    const { pid, log } = collect(world);
    const middle = world.runtime.spawn<string>((self) => ({
      receive() {
        assert.equal(world.runtime.current, self);
        world.runtime.send(pid, 'sent');
      },
    }));
    world.runtime.dispatch(middle, 'go');
    assert.deepEqual(log, []);
    assert.equal(world.runtime.current, world.runtime.outside);
    assert.equal(world.runtime.info(middle)!.sent, 1);
    world.clock.run();
    assert.deepEqual(log, ['sent']);
  });

  test('nests sixteen deep, then becomes a send', () => {
    const world = new World();
    let depth = 0;
    let deepest = 0;
    const pids: Pid<number>[] = Array.from({ length: 40 }, (_, at) =>
      world.runtime.spawn<number>(() => ({
        receive() {
          deepest = Math.max(deepest, ++depth);
          if (pids[at + 1] !== undefined) world.runtime.dispatch(pids[at + 1]!, 0);
          depth--;
        },
      })),
    );
    world.runtime.dispatch(pids[0]!, 0);
    world.runtime.flush();
    // Sixteen dispatches on the stack, and below them one slice.
    assert.equal(deepest, 17);
    assert.equal(world.runtime.info(pids[39]!)!.handled, 1);
  });
});

describe('after a turn', () => {
  test('callbacks run once, when everybody who had messages has run', () => {
    const world = new World();
    const log: string[] = [];
    const b = world.runtime.spawn<string>(() => ({ receive: (message) => void log.push(`b ${message}`) }));
    const a = world.runtime.spawn<string>((self) => ({
      receive() {
        world.runtime.afterTurn(() => log.push('after'));
        self.send(b, 'x');
      },
    }));
    world.runtime.send(a, 'go');
    world.clock.run();
    assert.deepEqual(log, ['b x', 'after']);
    world.runtime.send(b, 'y');
    world.clock.run();
    assert.deepEqual(log, ['b x', 'after', 'b y']);
  });

  test('after dispatches from outside they run once for all of them, in the same round', () => {
    const world = new World();
    let flushed = 0;
    let dirty = false;
    const flush = () => {
      dirty = false;
      flushed++;
    };
    const a = world.runtime.spawn<string>(() => ({
      receive() {
        if (!dirty) world.runtime.afterTurn(flush);
        dirty = true;
      },
    }));
    for (let at = 0; at < 5; at++) world.runtime.dispatch(a, 'frame');
    assert.equal(flushed, 0);
    assert.equal(world.clock.runOne(), true);
    assert.equal(flushed, 1);
    assert.equal(world.clock.runOne(), false);
  });

  test('one that throws does not keep the others from running', () => {
    const world = new World();
    let ran = false;
    world.runtime.afterTurn(() => {
      throw new Error('x');
    });
    world.runtime.afterTurn(() => {
      ran = true;
    });
    world.runtime.flush();
    assert.ok(ran);
    assert.equal(world.eventsOf('hook_failed').length, 1);
  });

  test('flush is refused inside of a process', () => {
    const world = new World();
    const a = world.puppet();
    a.run(() => assert.throws(() => world.runtime.flush(), BadArgument));
    assert.ok(world.runtime.isAlive(a.pid));
  });
});

describe('inspection', () => {
  test('processes stand in a stable order, with their way through the tree', () => {
    const world = new World();
    const top = world.puppet({ label: 'top' });
    let middle!: Process<unknown>;
    top.run((self) => {
      self.spawn<unknown>(
        (process) => {
          middle = process;
          process.spawn(() => ({ receive() {} }), { label: 'leaf' });
          return { receive() {} };
        },
        { label: 'middle' },
      );
    });
    assert.deepEqual(
      [...world.runtime.processes()].map((process) =>
        [...world.runtime.pathOf(process), process.label].join('/'),
      ),
      ['top', 'top/middle', 'top/middle/leaf'],
    );
    world.runtime.exit(middle, ExitReason.kill);
    assert.deepEqual(
      [...world.runtime.processes()].map((process) => process.label),
      ['top', 'leaf'],
    );
    assert.equal(world.runtime.info(middle), null);
  });

  test('an id finds its process while it lives', () => {
    const world = new World();
    const a = world.puppet();
    assert.equal(world.runtime.process(a.pid.id), a.pid);
    world.runtime.exit(a.pid, ExitReason.kill);
    const b = world.puppet();
    assert.equal(world.runtime.process(a.pid.id), undefined);
    assert.notEqual(a.pid.id, b.pid.id);
  });
});

describe('priorities', () => {
  test('max before high before the others; low gets one slice in eight', () => {
    const world = new World({ sliceMessages: 1 });
    const log: string[] = [];
    const make = (priority: 'max' | 'high' | 'normal' | 'low') =>
      world.runtime.spawn<number>(() => ({ receive: () => void log.push(priority[0]!) }), { priority });
    const pids = (['low', 'normal', 'high', 'max'] as const).map(make);
    for (const pid of pids) for (let at = 0; at < 16; at++) world.runtime.send(pid, at);
    world.runtime.flush();
    assert.equal(log.slice(0, 32).join(''), 'm'.repeat(16) + 'h'.repeat(16));
    const shared = log.slice(32).join('');
    assert.match(shared.slice(0, 16), /^(?:n*l){1,3}n*$/);
    assert.equal(shared.split('l').length - 1, 16);
    assert.ok(shared.indexOf('l') < 8, shared);
  });
});

test('freezeMessages: who changes a message after it was sent is told where', () => {
  const world = new World({ freezeMessages: true });
  const receiver = world.puppet();
  const bytes = new Uint8Array(2);
  const message = { list: [{ n: 1 }], bytes, pid: receiver.pid };
  world.runtime.send(receiver.pid, message);
  world.runtime.flush();
  assert.equal(receiver.raw[0], message);
  assert.throws(() => {
    message.list[0]!.n = 2;
  }, TypeError);
  assert.throws(() => message.list.push({ n: 3 }), TypeError);
  bytes[0] = 1;
  assert.equal(world.runtime.isAlive(receiver.pid), true);
  assert.equal(Object.isFrozen(receiver.pid), false);
});
