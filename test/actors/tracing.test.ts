/** Every message of a process is shown while it is traced, and nothing is different for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgument, call, ExitReason, GenServer, type Pid, sleep } from '../../src/actors/index.js';
import { type TraceEvent, trace } from '../../src/actors/tracing.js';
import { World } from './world.js';

/** Events in short: `in a`, `out b`. */
const brief = (events: readonly TraceEvent[]) =>
  events.map(({ type, message }) => `${type} ${String(message)}`);

test('what comes and what goes is shown, by whichever way, and reaches whom it is for', () => {
  const world = new World();
  const { runtime } = world;
  const one = world.puppet();
  const two = world.puppet();
  const events: TraceEvent[] = [];
  runtime.send(one.pid, 'before');
  runtime.flush();
  const stop = trace(runtime, one.pid, (event) => events.push(event));
  runtime.send(one.pid, 'sent');
  runtime.dispatch(one.pid, 'dispatched');
  runtime.trySend(one.pid, 'tried');
  two.self.send(one.pid, 'by another');
  runtime.sendAfter(10, one.pid, 'later');
  world.advance(20);
  assert.deepEqual(brief(events), ['in sent', 'in dispatched', 'in tried', 'in by another', 'in later']);
  events.length = 0;
  one.run((self) => {
    self.send(two.pid, 'self.send');
    runtime.send(two.pid, 'runtime.send');
    runtime.trySend(two.pid, 'trySend');
    runtime.dispatch(two.pid, 'dispatch');
    runtime.tryDispatch(two.pid, 'tryDispatch');
  });
  assert.deepEqual(brief(events.slice(1)), [
    'out self.send',
    'out runtime.send',
    'out trySend',
    'out dispatch',
  ]);
  assert.equal((events[1] as { to: Pid }).to, two.pid);
  events.length = 0;
  two.run(() => runtime.send(one.pid, 'from two'));
  assert.deepEqual(events, [{ type: 'in', from: two.pid, scheduler: null, message: 'from two' }]);
  events.length = 0;
  runtime.suspend(one.pid);
  runtime.send(one.pid, 'a');
  runtime.sendFirst(one.pid, 'first');
  runtime.resume(one.pid);
  runtime.flush();
  assert.deepEqual(brief(events), ['in a', 'in first']);
  stop();
  runtime.send(one.pid, 'after');
  runtime.flush();
  assert.equal(events.length, 2);
  assert.deepEqual(one.inbox.slice(0, 2), ['before', 'sent']);
  assert.equal(one.inbox.at(-1), 'after');
  assert.deepEqual(two.inbox, ['self.send', 'runtime.send', 'trySend', 'dispatch']);
});

test('a server: its casts, calls and replies; what the core says to itself is not shown', () => {
  const world = new World();
  const { runtime } = world;
  const server = GenServer.start(runtime, {
    init: () => GenServer.ok(0),
    handleCall: (request: number, _from: unknown, state: number) => GenServer.reply(request * 2, state),
    handleCast: (_message: unknown, state: number) => GenServer.noreply(state),
  }).ok!;
  const events: TraceEvent[] = [];
  trace(runtime, server, (event) => events.push(event));
  let reply: unknown;
  runtime.spawn<never>(function* () {
    reply = yield* call(server, 21);
  });
  GenServer.cast(runtime, server, 'x');
  runtime.flush();
  assert.equal(reply, 42);
  assert.deepEqual(
    events.map(({ type, message }) => [type, (message as object).constructor.name]),
    [
      ['in', 'CastMessage'],
      ['in', 'CallMessage'],
      ['out', 'Number'],
    ],
  );
  const waiting: TraceEvent[] = [];
  const sleeper = runtime.spawn<unknown>(function* () {
    yield* sleep(10);
    yield* sleep(10);
  });
  trace(runtime, sleeper, (event) => waiting.push(event));
  world.advance(50);
  assert.equal(runtime.isAlive(sleeper), false);
  assert.deepEqual(waiting, []);
});

test('two at a time, in any order; when nobody is traced everything is as it was', () => {
  const world = new World();
  const { runtime } = world;
  const one = world.puppet();
  const two = world.puppet();
  const seen: string[] = [];
  const stopOne = trace(runtime, one.pid, ({ type, message }) => seen.push(`1 ${type} ${String(message)}`));
  const stopTwo = trace(runtime, two.pid, ({ type, message }) => seen.push(`2 ${type} ${String(message)}`));
  assert.throws(() => trace(runtime, one.pid, () => {}), /traced already/);
  one.self.send(two.pid, 'm');
  stopOne();
  stopOne();
  one.self.send(two.pid, 'n');
  stopTwo();
  one.self.send(two.pid, 'o');
  runtime.flush();
  assert.deepEqual(seen, ['1 out m', '2 in m', '2 in n']);
  assert.deepEqual(two.inbox, ['m', 'n', 'o']);
  assert.ok(runtime.tryDispatch(one.pid, 'p'));
});

test('a process that ends while it is traced; one that cannot be', () => {
  const world = new World();
  const { runtime } = world;
  const { pid } = world.puppet();
  const stop = trace(runtime, pid, () => {});
  runtime.exit(pid, ExitReason.kill);
  runtime.send(pid, 'x');
  runtime.flush();
  stop();
  assert.throws(() => trace(runtime, pid, () => {}), BadArgument);
  assert.throws(() => trace(runtime, runtime.outside, () => {}), BadArgument);
  assert.throws(() => trace(new World().runtime, world.puppet().pid, () => {}), BadArgument);
});
