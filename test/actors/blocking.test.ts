import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BadArgument,
  call,
  DownMessage,
  Exit,
  ExitReason,
  GenServer,
  type Process,
  type Ref,
  receive,
  settled,
  sleep,
  started,
  startProcess,
  stop,
  sys,
} from '../../src/actors/index.js';
import { World } from './world.js';

class Ping {
  constructor(readonly n: number) {}
}

const counter = {
  init: () => GenServer.ok(0),
  handleCall: (request: 'get' | 'add', _from: unknown, n: number) =>
    request === 'add' ? GenServer.reply(n + 1, n + 1) : GenServer.reply(n, n),
  handleCast: (n: number) => GenServer.noreply(n),
};

test('a generator takes messages that match in their order and leaves the others', () => {
  const world = new World();
  const seen: unknown[] = [];
  const pid = world.runtime.spawn<unknown>(function* (self) {
    seen.push((yield* receive(Ping)).n);
    seen.push(yield* receive('b'));
    seen.push(yield receive((message) => message === 'd'));
    seen.push(yield* receive<{ type: string }>({ type: 'x', inner: { y: 1 } }));
    seen.push(self.messageQueueLength);
    for (let left = self.messageQueueLength; left > 0; left--) seen.push(yield* receive());
  });
  for (const message of [
    'a',
    'b',
    'c',
    { type: 'x', inner: { y: 2 } },
    new Ping(1),
    'd',
    { type: 'x', inner: { y: 1 } },
    'e',
  ]) {
    world.runtime.send(pid, message);
  }
  world.runtime.flush();
  assert.deepEqual(seen, [
    1,
    'b',
    'd',
    { type: 'x', inner: { y: 1 } },
    4,
    'a',
    'c',
    { type: 'x', inner: { y: 2 } },
    'e',
  ]);
  assert.equal(world.runtime.isAlive(pid), false);
  assert.deepEqual(world.runtime.exitReasonOf(pid), ExitReason.normal);
});

test('a generator begins in its own slice, not on the stack of who starts it', () => {
  const world = new World();
  const order: string[] = [];
  const spawnChain = (depth: number) => {
    world.runtime.spawn(function* () {
      yield* receive('none', 0);
      order.push(`runs ${depth}`);
      if (depth < 3) spawnChain(depth + 1);
      order.push(`ran ${depth}`);
    });
  };
  spawnChain(1);
  order.push('spawned');
  world.runtime.flush();
  assert.deepEqual(order, ['spawned', 'runs 1', 'ran 1', 'runs 2', 'ran 2', 'runs 3', 'ran 3']);
});

test('after 0 takes what is there, after T is not begun anew by what does not match', () => {
  const world = new World();
  const seen: unknown[] = [];
  const pid = world.runtime.spawn<unknown>(function* (self) {
    seen.push(yield* receive('none', 0));
    yield* receive('go');
    seen.push(yield* receive('late', 0));
    seen.push(yield* receive('late', 0));
    seen.push(yield* receive('never', 100));
    seen.push(self.runtime.clock.now());
    seen.push(self.messageQueueLength);
    yield* sleep(50);
    seen.push(self.runtime.clock.now());
  });
  world.runtime.flush();
  const from = world.clock.now();
  for (const message of ['x', 'late', 'go', 'y']) world.runtime.send(pid, message);
  world.runtime.flush();
  world.clock.advance(60);
  world.runtime.send(pid, 'z');
  world.clock.advance(60);
  world.runtime.flush();
  world.clock.advance(100);
  world.runtime.flush();
  assert.deepEqual(seen, [undefined, 'late', undefined, undefined, from + 100, 3, from + 150]);
});

test('a message and the end of the time in one moment: what came first counts, and nothing is left over', () => {
  const world = new World();
  const seen: unknown[] = [];
  const pid = world.runtime.spawn<unknown>(function* () {
    for (;;) seen.push(yield* receive('hit', 10));
  });
  world.runtime.flush();
  world.runtime.sendAfter(10, pid, 'hit');
  world.clock.advance(10);
  world.runtime.flush();
  world.clock.advance(9);
  world.runtime.flush();
  const info = world.runtime.info(pid)!;
  assert.equal(info.mailboxLength, 0);
  assert.ok(seen.length >= 1 && seen.includes('hit'), String(seen));
});

test('the counters are those of messages, not of looks at them', () => {
  const world = new World();
  const pid = world.runtime.spawn<unknown>(function* () {
    yield* receive('b');
    yield* receive('b');
    yield* receive('never');
  });
  for (const message of ['a', 'a', 'b', 'a', 'b', 'a']) world.runtime.send(pid, message);
  world.runtime.flush();
  const info = world.runtime.info(pid)!;
  assert.deepEqual([info.mailboxLength, info.received, info.handled], [4, 6, 2]);
});

test('calls: the reply, why there is none, and how to catch it', () => {
  const world = new World();
  const server = GenServer.start(world.runtime, counter).ok!;
  const seen: unknown[] = [];
  world.runtime.spawn(function* (self) {
    seen.push(yield* call(server, 'add'));
    seen.push(yield* call(server, 'get'));
    yield* stop(server);
    try {
      yield* call(server, 'get');
    } catch (thrown) {
      assert.ok(thrown instanceof Exit);
      seen.push(thrown.reason);
    }
    try {
      yield* call('nobody', 'get');
    } catch (thrown) {
      seen.push((thrown as Exit).reason);
    }
    yield* call(self as never, 'get' as never);
  });
  world.runtime.flush();
  assert.deepEqual(seen, [
    1,
    1,
    { type: 'call', reason: ExitReason.noproc, target: server },
    { type: 'call', reason: ExitReason.noproc, target: 'nobody' },
  ]);
  const crash = world.events.find((event) => event.type === 'crash');
  assert.equal(
    crash?.type === 'crash' && crash.reason.type === 'call' && crash.reason.reason.type,
    'calling_self',
  );
});

test('a call over a long mailbox does not look at it', () => {
  const world = new World();
  let looks = 0;
  const server = GenServer.start(world.runtime, counter).ok!;
  const pid = world.runtime.spawn<unknown>(function* () {
    yield* receive('go');
    for (let left = 100; left > 0; left--) yield* call(server, 'add');
    yield* receive((message): message is string => {
      looks++;
      return message === 'last';
    });
  });
  world.runtime.send(pid, 'go');
  for (let i = 0; i < 10_000; i++) world.runtime.send(pid, i);
  world.runtime.send(pid, 'last');
  const before = world.runtime.turns.slices;
  world.runtime.flush();
  assert.equal(looks, 10_001);
  // 10,001 looks take 157 slices; a hundred calls that look at everything would take 15,700 more.
  assert.ok(world.runtime.turns.slices - before < 1_000, String(world.runtime.turns.slices - before));
});

test('who is killed while it waits never goes on, and its finally does not run', () => {
  const world = new World();
  const seen: string[] = [];
  const pid = world.runtime.spawn(function* () {
    try {
      seen.push('waits');
      yield* receive();
    } finally {
      seen.push('finally');
    }
  });
  world.runtime.flush();
  world.runtime.exit(pid, ExitReason.kill);
  world.runtime.send(pid as never, 'x' as never);
  world.runtime.flush();
  assert.deepEqual(seen, ['waits']);
});

test('what escapes from a generator ends the process after its finally', () => {
  const world = new World();
  const seen: unknown[] = [];
  const pid = world.runtime.spawn(function* () {
    try {
      yield* sleep(1);
      throw new Error('boom');
    } finally {
      seen.push('finally');
    }
  });
  world.runtime.flush();
  world.clock.advance(1);
  world.runtime.flush();
  const reason = world.runtime.exitReasonOf(pid);
  assert.equal(reason?.type === 'error' && reason.error.message, 'boom');
  assert.deepEqual(seen, ['finally']);
});

test('what is yielded and is no wait is refused at the yield', () => {
  const world = new World();
  const pid = world.runtime.spawn(function* () {
    yield 7 as never;
  });
  world.runtime.flush();
  const reason = world.runtime.exitReasonOf(pid);
  assert.ok(reason?.type === 'error' && reason.error instanceof BadArgument);
});

test('a callback process is blocked by a generator and takes its other messages afterwards', () => {
  const world = new World();
  const seen: unknown[] = [];
  const pid = world.runtime.spawn<unknown>((self) => ({
    receive(message) {
      seen.push(message);
      if (message !== 'block') return;
      self.block(
        (function* () {
          return yield* receive('answer');
        })(),
        (value) => seen.push(`got ${value}`),
      );
    },
  }));
  for (const message of ['1', 'block', '2', 'answer', '3']) world.runtime.send(pid, message);
  world.runtime.flush();
  assert.deepEqual(seen, ['1', 'block', 'got answer', '2', '3']);
});

test('terminate may wait; a second reason does not run it again', () => {
  const world = new World();
  const seen: unknown[] = [];
  const make = (log: string) =>
    world.runtime.spawn<unknown>(() => ({
      receive(message) {
        throw new Exit(ExitReason.custom(message));
      },
      *terminate(reason) {
        seen.push([log, reason]);
        yield* receive('done');
        seen.push(`${log} terminated`);
      },
    }));
  const orderly = make('orderly');
  world.runtime.send(orderly, 'x');
  world.runtime.flush();
  assert.equal(world.runtime.isAlive(orderly), true);
  world.runtime.send(orderly, 'done');
  world.runtime.flush();
  assert.deepEqual(world.runtime.exitReasonOf(orderly), ExitReason.custom('x'));
  const killed = make('killed');
  world.runtime.send(killed, 'x');
  world.runtime.flush();
  world.runtime.exit(killed, ExitReason.kill);
  assert.deepEqual(world.runtime.exitReasonOf(killed), ExitReason.killed);
  assert.deepEqual(seen, [
    ['orderly', ExitReason.custom('x')],
    'orderly terminated',
    ['killed', ExitReason.custom('x')],
  ]);
});

test('callNow finds a blocked server busy, and it never sees that request', () => {
  const world = new World();
  const seen: unknown[] = [];
  const pid = world.runtime.spawn<unknown>((self) => ({
    receive(message) {
      seen.push(message);
      if (message === 'block') self.block(receive('on')[Symbol.iterator]() as never);
    },
  }));
  world.runtime.send(pid, 'block');
  world.runtime.flush();
  assert.deepEqual(world.runtime.callNow(pid, 'now'), { ok: false, reason: ExitReason.busy });
  world.runtime.send(pid, 'on');
  world.runtime.flush();
  assert.deepEqual(seen, ['block']);
});

test('what waits is handed nothing on the stack of the sender: it might put it aside', async () => {
  const world = new World();
  const generator = world.runtime.spawn<unknown>(function* () {
    for (;;) yield* receive('never');
  });
  const asynchronous = world.runtime.spawn<unknown>(async (self) => {
    await self.wait(receive('never'));
  });
  const blocked = world.runtime.spawn<unknown>((self) => ({
    receive(message) {
      if (message === 'block') self.block(receive('on')[Symbol.iterator]() as never);
    },
  }));
  world.runtime.flush();
  assert.equal(world.runtime.tryDispatch(generator, 'x'), false);
  assert.equal(world.runtime.tryDispatch(asynchronous, 'x'), false);
  assert.equal(world.runtime.tryDispatch(blocked, 'block'), true);
  assert.equal(world.runtime.tryDispatch(blocked, 'x'), false);
  world.runtime.send(blocked, 'on');
  world.runtime.flush();
  assert.equal(world.runtime.tryDispatch(blocked, 'x'), true);
});

test('monitors carry a tag', () => {
  const world = new World();
  let down: DownMessage | undefined;
  let ref: Ref | undefined;
  world.runtime.spawn(function* (self) {
    ref = self.monitor('nobody', undefined, 'mine');
    down = yield* receive(DownMessage);
  });
  world.runtime.flush();
  assert.equal(down?.ref, ref);
  assert.equal(down?.tag, 'mine');
});

test('a start whose init waits is pending, and fails with its reason, its timeout, or succeeds', () => {
  const world = new World();
  const seen: unknown[] = [];
  const slow = (self: Process<never>, outcome: 'ok' | 'error' | 'crash' | 'never', name: string) =>
    startProcess<unknown>(world.runtime, { parent: self, link: true, name, timeoutMs: 100 }, (_child, ack) =>
      (function* () {
        yield* sleep(outcome === 'never' ? 1_000 : 10);
        if (outcome === 'ok') ack.ok();
        if (outcome === 'error') ack.error(ExitReason.custom('no'));
        if (outcome === 'crash') throw new Exit(ExitReason.custom('crash'));
        if (outcome === 'ok') yield* receive();
      })(),
    );
  world.runtime.spawn(
    function* (self) {
      for (const outcome of ['ok', 'error', 'crash', 'never'] as const) {
        const result = slow(self, outcome, outcome);
        assert.ok(result.pending !== undefined);
        const now = yield* started(result);
        seen.push(now.ok !== undefined ? 'ok' : now.error);
        seen.push(self.runtime.whereis(outcome) !== undefined);
      }
      seen.push(self.messageQueueLength);
    },
    { trapExit: true },
  );
  for (let step = 0; step < 20; step++) {
    world.runtime.flush();
    world.clock.advance(10);
  }
  world.runtime.flush();
  assert.deepEqual(seen, [
    'ok',
    true,
    ExitReason.custom('no'),
    false,
    ExitReason.custom('crash'),
    false,
    ExitReason.timeout,
    false,
    0,
  ]);
});

test('an async process waits for messages and I/O, and is fenced off when it has ended', async () => {
  const world = new World();
  const seen: unknown[] = [];
  let release!: (value: string) => void;
  const io = new Promise<string>((resolve) => {
    release = resolve;
  });
  const other = world.puppet();
  const pid = world.runtime.spawn<unknown>(async (self) => {
    self.signal.addEventListener('abort', () => seen.push(['aborted', self.signal.reason]));
    seen.push(await self.wait(receive('b')));
    seen.push(await self.wait(receive()));
    self.send(other.pid, 'before');
    seen.push(await io);
    self.send(other.pid, 'after');
    await self.wait(receive());
    seen.push('never');
  });
  world.runtime.send(pid, 'a');
  world.runtime.send(pid, 'b');
  const settle = async () => {
    for (let round = 0; round < 10; round++) {
      world.runtime.flush();
      await Promise.resolve();
    }
  };
  await settle();
  assert.deepEqual(seen, ['b', 'a']);
  world.runtime.exit(pid, ExitReason.kill);
  release('io');
  await settle();
  assert.deepEqual(seen, ['b', 'a', ['aborted', ExitReason.killed], 'io']);
  assert.deepEqual(other.inbox, ['before']);
});

test('the end of an async function is that of its process, and its error the reason', async () => {
  const world = new World();
  const fine = world.runtime.spawn(async () => {});
  const failing = world.runtime.spawn(async () => {
    throw new Error('late');
  });
  const settling = world.runtime.spawn(function* () {
    yield* settled(Promise.reject(new Error('rejected')));
  });
  for (let round = 0; round < 10; round++) {
    world.runtime.flush();
    await Promise.resolve();
  }
  assert.deepEqual(world.runtime.exitReasonOf(fine), ExitReason.normal);
  for (const [pid, message] of [
    [failing, 'late'],
    [settling, 'rejected'],
  ] as const) {
    const reason = world.runtime.exitReasonOf(pid);
    assert.equal(reason?.type === 'error' && reason.error.message, message);
  }
});

test('runtime.wait runs a wait from outside', async () => {
  const world = new World();
  const server = GenServer.start(world.runtime, counter).ok!;
  const reply = world.runtime.wait(call(server, 'add'));
  const failing = world.runtime.wait(call('nobody', 'get'));
  failing.catch(() => {});
  world.runtime.flush();
  assert.equal(await reply, 1);
  await assert.rejects(failing, {
    name: 'Exited',
    reason: { type: 'call', reason: ExitReason.noproc, target: 'nobody' },
  });
  assert.equal(typeof sys.getState, 'function');
});
