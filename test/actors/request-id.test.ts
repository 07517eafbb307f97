/** Requests whose responses are messages, collections of them, and calls of several servers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  abcast,
  BadArgument,
  type Blocking,
  checkResponse,
  ExitReason,
  type From,
  GenServer,
  multiCall,
  type Pid,
  type Process,
  RequestIds,
  ResponseMessage,
  receive,
  receiveResponse,
  sendRequest,
  sleep,
  waitResponse,
} from '../../src/actors/index.js';
import { World } from './world.js';

const boom = ExitReason.custom('boom');
type Calls = readonly [string, unknown];

/** Answers `echo…` at once, `later` when it is told `answer`, and ends on `crash`. */
function echo(world: World, name?: string) {
  const waiting: From<unknown>[] = [];
  return GenServer.start<null, Calls, string, string, never>(
    world.runtime,
    {
      init: () => GenServer.ok(null),
      handleCall(request, from, state) {
        if (request.startsWith('echo')) return GenServer.reply(request, state);
        if (request === 'crash') return GenServer.stop(boom, state);
        waiting.push(from);
        return GenServer.noreply(state);
      },
      handleInfo(message, state) {
        waiting.shift()?.reply(message);
        return GenServer.noreply(state);
      },
      handleCast: (_message, state) => GenServer.noreply(state),
    },
    name === undefined ? {} : { name },
  ).ok!;
}

/** Runs a generator as a process, with a second passing; gives what it returned. */
function run<T>(world: World, body: (self: Process<unknown>) => Blocking<T>): T {
  let value: { readonly of: T } | undefined;
  const pid = world.runtime.spawn<unknown>(function* (self) {
    value = { of: yield* body(self) };
  });
  for (let step = 0; step < 100; step++) world.advance(10);
  assert.ok(value !== undefined, JSON.stringify(world.runtime.exitReasonOf(pid)));
  return value.of;
}

describe('one request', () => {
  test('reply and error, of a pid and of a name that nobody has', () => {
    const world = new World();
    const server = echo(world);
    const seen = run(world, function* (self) {
      return [
        yield* receiveResponse(sendRequest(self, server, 'echo'), 10),
        yield* waitResponse(sendRequest(self, 'nobody', 'echo'), 10),
        yield* receiveResponse(sendRequest(self, server, 'crash')),
        yield* receiveResponse(sendRequest(self, server, 'echo'), 0),
        self.messageQueueLength,
      ];
    });
    assert.deepEqual(seen, [
      { type: 'reply', value: 'echo' },
      { type: 'error', reason: ExitReason.noproc, server: 'nobody' },
      { type: 'error', reason: boom, server },
      { type: 'error', reason: ExitReason.noproc, server },
      0,
    ]);
  });

  test('waitResponse keeps, receiveResponse abandons', () => {
    const world = new World();
    const server = echo(world);
    const seen = run(world, function* (self) {
      const kept = sendRequest(self, server, 'later');
      const first = yield* waitResponse(kept, 10);
      self.send(server, 'now');
      const second = yield* waitResponse(kept, 10);
      const dropped = sendRequest(self, server, 'later');
      const third = yield* receiveResponse(dropped, 10);
      self.send(server, 'late');
      yield* sleep(10);
      return [first, second, third, self.messageQueueLength, dropped.isMonitor, dropped.isAlias];
    });
    assert.deepEqual(seen, ['timeout', { type: 'reply', value: 'now' }, 'timeout', 0, false, false]);
  });

  test('a response that comes in the moment in which the time is over is not lost', () => {
    const world = new World();
    const server = echo(world);
    for (const ms of [9, 10, 11]) {
      const seen = run(world, function* (self) {
        const id = sendRequest(self, server, 'later');
        self.runtime.sendAfter(10, server, 'now');
        const response = yield* receiveResponse(id, ms);
        yield* sleep(20);
        return [response !== 'timeout', self.messageQueueLength];
      });
      assert.equal(seen[1], 0);
      if (ms === 9) assert.equal(seen[0], false);
      if (ms === 11) assert.equal(seen[0], true);
    }
  });

  test('in a process of callbacks the response is a message like any', () => {
    const world = new World();
    const server = echo(world);
    const seen: unknown[] = [];
    const client = GenServer.start(world.runtime, {
      init: (self: Process<unknown>) => GenServer.ok(sendRequest(self, server, 'echo')),
      handleInfo(message: unknown, id: ReturnType<typeof sendRequest>) {
        assert.ok(message instanceof ResponseMessage);
        seen.push(checkResponse('other', id), checkResponse(message, id));
        return GenServer.noreply(id);
      },
    });
    world.runtime.flush();
    assert.deepEqual(seen, [null, { type: 'reply', value: 'echo' }]);
    assert.deepEqual(world.runtime.info(client.ok!)!.monitoring, []);
  });

  test('another process cannot wait for it; a bad time is refused', () => {
    const world = new World();
    const server = echo(world);
    const a = world.puppet();
    let id!: ReturnType<typeof sendRequest>;
    a.run((self) => {
      id = sendRequest(self, server, 'later');
    });
    run(world, function* () {
      try {
        yield* receiveResponse(id, 10);
        assert.fail('it waited');
      } catch (thrown) {
        assert.ok(thrown instanceof BadArgument);
      }
    });
    for (const ms of [-1, Number.NaN]) assert.throws(() => waitResponse(id, ms), BadArgument);
  });

  test('other messages stay in their order', () => {
    const world = new World();
    const server = echo(world);
    const seen = run(world, function* (self) {
      self.send(self, 'a');
      const id = sendRequest(self, server, 'echo');
      self.send(self, 'b');
      return [yield* receiveResponse(id), yield* receive(), yield* receive()];
    });
    assert.deepEqual(seen, [{ type: 'reply', value: 'echo' }, 'a', 'b']);
  });
});

describe('collections', () => {
  test('responses come in whatever order, with their labels, until there are no requests', () => {
    const world = new World();
    const [quick, slow, crashing] = [echo(world), echo(world), echo(world)];
    const seen = run(world, function* (self) {
      const ids = new RequestIds<unknown, number>();
      ids.send(self, slow, 'later', 1);
      ids.send(self, quick, 'echo 2', 2);
      ids.send(self, crashing, 'crash', 3);
      ids.add(sendRequest(self, 'nobody', 'x'), 4);
      assert.equal(ids.size, 4);
      assert.deepEqual(
        ids.toList().map(([, label]) => label),
        [1, 2, 3, 4],
      );
      self.runtime.sendAfter(50, slow, 'at last');
      const labels: unknown[] = [];
      for (;;) {
        const response = yield* ids.receive(500);
        if (response === 'no_request' || response === 'timeout') return [labels, response, ids.size];
        labels.push([response.label, response.type]);
      }
    });
    assert.deepEqual(seen, [
      [
        [4, 'error'],
        [2, 'reply'],
        [3, 'error'],
        [1, 'reply'],
      ],
      'no_request',
      0,
    ]);
  });

  test('receive abandons all when the time is over, wait keeps them', () => {
    const world = new World();
    const server = echo(world);
    const seen = run(world, function* (self) {
      const ids = new RequestIds<unknown, string>();
      ids.send(self, server, 'later', 'x');
      ids.send(self, server, 'later', 'y');
      const kept = yield* ids.wait(10);
      self.send(server, 'one');
      const one = yield* ids.wait(10);
      const abandoned = yield* ids.receive(10);
      self.send(server, 'two');
      yield* sleep(10);
      return [kept, one, abandoned, self.messageQueueLength, ids.size];
    });
    assert.deepEqual(seen, ['timeout', { type: 'reply', value: 'one', label: 'x' }, 'timeout', 0, 1]);
  });

  test('kept requests stay in the collection, and are waited for in vain', () => {
    const world = new World();
    const server = echo(world);
    const seen = run(world, function* (self) {
      const ids = new RequestIds<unknown, string>();
      ids.send(self, server, 'echo', 'x');
      const first = yield* ids.receive(10, { keep: true });
      const size = ids.size;
      return [first, size, yield* ids.wait(10)];
    });
    assert.deepEqual(seen, [{ type: 'reply', value: 'echo', label: 'x' }, 1, 'timeout']);
  });

  test('check tells which message is a response', () => {
    const world = new World();
    const server = echo(world);
    const seen = run(world, function* (self) {
      const ids = new RequestIds<unknown, string>();
      const empty = ids.check('x');
      ids.send(self, server, 'echo', 'x');
      const message = yield* receive();
      return [empty, ids.check('other'), ids.check(message), ids.check(message)];
    });
    assert.deepEqual(seen, ['no_request', null, { type: 'reply', value: 'echo', label: 'x' }, 'no_request']);
  });

  test('adding twice is refused; an empty collection does not look at the mailbox for long', () => {
    const world = new World();
    const server = echo(world);
    const seen = run(world, function* (self) {
      const ids = new RequestIds<unknown, string>();
      for (let n = 0; n < 100; n++) self.send(self, n);
      const none = yield* ids.receive(1000);
      const id = sendRequest(self, server, 'later');
      ids.add(id, 'x');
      assert.throws(() => ids.add(id, 'y'), BadArgument);
      return [none, self.messageQueueLength];
    });
    assert.deepEqual(seen, ['no_request', 100]);
  });
});

describe('several servers', () => {
  test('multiCall: who answered, and who did not and why; nothing comes late', () => {
    const world = new World();
    const [quick, slow, crashing] = [echo(world, 'quick'), echo(world), echo(world)];
    const seen = run(world, function* (self) {
      const servers: Pid[] = [quick, slow, crashing, self];
      const all = yield* multiCall([...servers, 'nobody', 'quick'] as never, 'echo' as never, 50);
      world.runtime.send(crashing as Pid<string>, 'x');
      world.runtime.exit(crashing, boom);
      const some = yield* multiCall<Calls, string>([slow, crashing, quick], 'later', 50);
      self.send(slow as Pid<string>, 'late');
      yield* sleep(10);
      return [all, some, self.messageQueueLength];
    });
    const self = (seen[0] as { failed: readonly { server: unknown }[] }).failed[0]!.server;
    assert.deepEqual(seen, [
      {
        replies: [quick, 'quick', slow, crashing].map((server) => ({ server, value: 'echo' })),
        failed: [
          { server: self, reason: ExitReason.callingSelf },
          { server: 'nobody', reason: ExitReason.noproc },
        ],
      },
      {
        replies: [],
        failed: [
          { server: crashing, reason: ExitReason.noproc },
          { server: slow, reason: ExitReason.timeout },
          { server: quick, reason: ExitReason.timeout },
        ],
      },
      0,
    ]);
  });

  test('from outside, and of nobody', async () => {
    const world = new World();
    const server = echo(world);
    const calling = world.runtime.wait(multiCall<Calls, string>([server], 'echo'));
    const none = world.runtime.wait(multiCall([], 'x' as never));
    world.runtime.flush();
    assert.deepEqual((await calling).replies, [{ server, value: 'echo' }]);
    assert.deepEqual(await none, { replies: [], failed: [] });
  });

  test('abcast reaches all that are there', () => {
    const world = new World();
    const seen: unknown[] = [];
    const servers = ['a', 'b'].map(
      (name) =>
        GenServer.start<null, never, string, never, never>(
          world.runtime,
          {
            init: () => GenServer.ok(null),
            handleCast(message, state) {
              seen.push([name, message]);
              return GenServer.noreply(state);
            },
          },
          { name },
        ).ok!,
    );
    abcast<string>(world.runtime, [servers[0]!, 'b', 'nobody'], 'x');
    world.runtime.flush();
    assert.deepEqual(seen, [
      ['a', 'x'],
      ['b', 'x'],
    ]);
  });
});
