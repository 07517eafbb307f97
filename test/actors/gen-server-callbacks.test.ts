/** Callbacks of a GenServer that wait, leave early, or say what is next; the themes of OTP's gen_server_SUITE. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CallMessage,
  call,
  Exit,
  ExitReason,
  type From,
  GenServer,
  type Pid,
  type Process,
  receive,
  settled,
  sleep,
  started,
  sys,
} from '../../src/actors/index.js';
import { brief, reasonOf, World } from './world.js';

const boom = ExitReason.custom('boom');

interface Callbacks {
  init?: (self: Process<unknown>) => unknown;
  handleCall?: (request: unknown, from: From<unknown>, state: unknown) => unknown;
  handleCast?: (message: unknown, state: unknown) => unknown;
  handleInfo?: (message: unknown, state: unknown) => unknown;
  handleContinue?: (argument: unknown, state: unknown) => unknown;
  terminate?: (reason: ExitReason, state: unknown) => unknown;
  formatStatus?: unknown;
}

/** Starts a server of whatever callbacks; they may be wrong. */
function start(world: World, callbacks: Callbacks, options = {}): Pid<unknown> {
  const server = { init: () => GenServer.ok(0), ...callbacks } as unknown as GenServer<unknown>;
  const result = GenServer.start(world.runtime, server, options);
  assert.ok(result.ok !== undefined, JSON.stringify(result));
  return result.ok as Pid<unknown>;
}

/** Lets promises settle and the world come to rest. */
async function settle(world: World): Promise<void> {
  for (let round = 0; round < 20; round++) {
    world.runtime.flush();
    await Promise.resolve();
  }
}

/** Calls from outside; what comes of it lands in the list. */
function ask(
  world: World,
  server: Pid | string,
  request: unknown,
  seen: unknown[],
  timeoutMs?: number,
): void {
  world.runtime.call(server, request, timeoutMs).then(
    (value) => seen.push(value),
    (error) => seen.push(['failed', reasonOf(error.reason)]),
  );
}

describe('callbacks that wait', () => {
  test('generators: the server handles nothing else until they are done, and then all in order', async () => {
    const world = new World();
    const seen: unknown[] = [];
    const server = start(world, {
      *handleCall(request, _from, state) {
        seen.push(['begins', request]);
        const answer = yield* receive('answer');
        return GenServer.reply([request, answer], state);
      },
      handleInfo(message, state) {
        seen.push(['info', message]);
        return GenServer.noreply(state);
      },
    });
    ask(world, server, 'a', seen);
    world.runtime.send(server, 'other');
    ask(world, server, 'b', seen);
    await settle(world);
    assert.deepEqual(seen, [['begins', 'a']]);
    world.runtime.send(server, 'answer');
    await settle(world);
    assert.deepEqual(seen.slice(1), [
      ['info', 'other'],
      ['begins', 'b'],
      ['a', 'answer'],
    ]);
  });

  test('async functions, and generators that wait for promises', async () => {
    const world = new World();
    const seen: unknown[] = [];
    const server = start(world, {
      handleCall: async (request, _from, state) => {
        if (request === 'fail') throw new Error('refused');
        return GenServer.reply(`${request} async`, state);
      },
      *handleCast(message) {
        return GenServer.noreply(yield* settled(Promise.resolve(message)));
      },
    });
    ask(world, server, 'x', seen);
    world.runtime.cast(server, 'state');
    await settle(world);
    assert.deepEqual(seen, ['x async']);
    ask(world, server, 'fail', seen);
    await settle(world);
    assert.deepEqual(seen[1], ['failed', 'error: refused']);
    assert.equal(world.runtime.isAlive(server), false);
  });

  test('one that is killed while its callback waits never goes on; its promise changes nothing', async () => {
    const world = new World();
    let release!: (value: unknown) => void;
    const terminated: ExitReason[] = [];
    const server = start(world, {
      handleCast: () => new Promise((resolve) => (release = resolve)),
      terminate: (reason) => terminated.push(reason),
    });
    world.runtime.cast(server, 'x');
    await settle(world);
    world.runtime.exit(server, ExitReason.kill);
    release(GenServer.stop(boom, 0));
    await settle(world);
    assert.deepEqual(world.runtime.exitReasonOf(server), ExitReason.killed);
    assert.deepEqual(terminated, []);
  });

  test('init: the start is pending, and what comes of it is waited for', async () => {
    for (const kind of ['generator', 'async'] as const) {
      const world = new World();
      const seen: unknown[] = [];
      const slow = (result: unknown) => ({
        init:
          kind === 'async'
            ? async () => {
                if (result instanceof Error) throw result;
                return result;
              }
            : function* () {
                yield* sleep(10);
                if (result instanceof Error) throw result;
                return result;
              },
        handleCast: (_message: unknown, state: unknown) => GenServer.noreply(state),
      });
      const results = [
        GenServer.ok('state'),
        GenServer.ignore,
        GenServer.stop(boom),
        GenServer.error(ExitReason.custom('no')),
        new Error('oops'),
        'bad',
      ];
      for (const result of results) {
        const name = `n${seen.length}`;
        const start = GenServer.start(world.runtime, slow(result) as unknown as GenServer<unknown>, { name });
        assert.ok(start.pending !== undefined);
        assert.ok(world.runtime.whereis(name) !== undefined);
        const outcome = world.runtime.wait(started(start));
        world.advance(10);
        await settle(world);
        const { ok, ignore, error } = await outcome;
        seen.push(ok !== undefined ? 'ok' : ignore ? 'ignore' : reasonOf(error!));
        assert.equal(world.runtime.whereis(name), ok);
      }
      assert.deepEqual(seen, ['ok', 'ignore', 'boom', 'no', 'error: oops', ['bad_return_value', 'bad']]);
      // What error says is no crash.
      assert.deepEqual(
        world.eventsOf('crash').map(({ reason }) => reason.type),
        ['custom', 'error', 'bad_return_value'],
      );
    }
  });

  test('a start that takes too long is killed, and its name is free', async () => {
    const world = new World();
    const start = GenServer.start(
      world.runtime,
      { init: () => sleep(1000)[Symbol.iterator]() as never },
      {
        name: 'slow',
        timeoutMs: 100,
      },
    );
    const outcome = world.runtime.wait(started(start));
    world.advance(100);
    assert.deepEqual((await outcome).error, ExitReason.timeout);
    assert.equal(world.runtime.whereis('slow'), undefined);
    assert.equal(world.runtime.processCount, 0);
  });

  test('terminate: the process lives until it is done, and its error is the reason', async () => {
    const world = new World();
    const seen: unknown[] = [];
    const server = start(world, {
      handleCall: (_request, _from, state) => GenServer.stopReply(ExitReason.normal, 'bye', state),
      *terminate(reason) {
        seen.push(['terminate', reasonOf(reason)]);
        yield* receive('done');
        throw new Error('at last');
      },
    });
    ask(world, server, 'x', seen);
    await settle(world);
    assert.deepEqual(seen, [['terminate', 'normal']]);
    world.runtime.send(server, 'done');
    await settle(world);
    // Answered all the same.
    assert.deepEqual(seen.slice(1), ['bye']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(server)), 'error: at last');
    let ended = false;
    const other = start(world, {
      terminate: async () => {
        ended = true;
      },
    });
    const stopping = world.runtime.stop(other);
    await settle(world);
    await stopping;
    assert.ok(ended);
  });

  test('a server calls another and goes on with the reply', async () => {
    const world = new World();
    const seen: unknown[] = [];
    start(
      world,
      { handleCall: (n, _from, state) => GenServer.reply((n as number) * 2, state) },
      { name: 'double' },
    );
    const front = start(world, {
      *handleCall(n, _from, state) {
        return GenServer.reply(1 + (yield* call<number>('double', n)), state);
      },
    });
    ask(world, front, 20, seen);
    await settle(world);
    assert.deepEqual(seen, [41]);
  });
});

describe('leaving early', () => {
  test('a thrown value is what the callback returns, from every kind of callback', async () => {
    const world = new World();
    const seen: unknown[] = [];
    const server = start(world, {
      init: () => {
        throw GenServer.ok('thrown');
      },
      handleCall(request, _from, state) {
        if (request === 'plain') throw GenServer.reply(state, 'two');
        return (function* () {
          yield* sleep(0);
          throw GenServer.reply(state, 'three');
        })();
      },
      handleCast: async () => {
        throw GenServer.noreply('four');
      },
      handleInfo: () => {
        throw 'nonsense';
      },
      terminate: (reason) => {
        seen.push(['terminate', reasonOf(reason)]);
        throw 'ignored';
      },
    });
    for (const request of ['plain', 'generator']) ask(world, server, request, seen);
    world.runtime.cast(server, 'x');
    await settle(world);
    ask(world, server, 'plain', seen);
    await settle(world);
    world.runtime.send(server, 'x');
    await settle(world);
    assert.deepEqual(seen, ['thrown', 'two', 'four', ['terminate', ['bad_return_value', 'nonsense']]]);
    assert.deepEqual(reasonOf(world.runtime.exitReasonOf(server)), ['bad_return_value', 'nonsense']);
  });

  test('an Error and an exit are none', () => {
    const world = new World();
    for (const [thrown, reason] of [
      [new Error('oops'), 'error: oops'],
      [new Exit(boom), 'boom'],
    ] as const) {
      const server = start(world, {
        handleCast: () => {
          throw thrown;
        },
      });
      world.runtime.cast(server, 'x');
      world.runtime.flush();
      assert.equal(reasonOf(world.runtime.exitReasonOf(server)), reason);
    }
  });

  test('what is missing is said: a call without handleCall, a continuation without handleContinue', () => {
    const world = new World();
    const server = start(world, {});
    ask(world, server, 'x', []);
    world.runtime.flush();
    assert.match(String(reasonOf(world.runtime.exitReasonOf(server))), /takes no calls/);
    // Without handleInfo a message is dropped.
    const other = start(world, {});
    world.runtime.send(other, 'x');
    world.runtime.flush();
    assert.ok(world.runtime.isAlive(other));
    world.runtime.cast(other, 'x');
    world.runtime.flush();
    assert.match(String(reasonOf(world.runtime.exitReasonOf(other))), /takes no casts/);
  });
});

describe('what is next', () => {
  test('a next that is none makes the result bad: the state stays, and nobody is answered', async () => {
    for (const next of [
      'sleep',
      -1,
      Number.NaN,
      null,
      {},
      { afterMs: 5 },
      { afterMs: -1, message: 1 },
      true,
    ]) {
      const world = new World();
      const seen: unknown[] = [];
      const server = start(world, {
        handleCall: () => ({ type: 'reply', reply: 'x', state: 'new', next }),
        terminate: (_reason, state) => seen.push(state),
      });
      ask(world, server, 'x', seen);
      await settle(world);
      assert.deepEqual(seen[0], 0, JSON.stringify(next));
      assert.equal((seen[1] as unknown[])[0], 'failed');
    }
  });

  test('a continuation that never ends gives others their turn', () => {
    const world = new World({ sliceMessages: 8 });
    let turns = 0;
    let others = 0;
    const endless = start(world, {
      init: () => GenServer.ok(0, { continue: 0 }),
      handleContinue: (n) => (++turns < 1000 ? GenServer.noreply(0, { continue: n }) : GenServer.noreply(0)),
    });
    const other = world.runtime.spawn<number>((self) => ({
      receive(n) {
        if ((n as number) > 0) self.send(self, (n as number) - 1);
        if (turns < 1000) others++;
      },
    }));
    world.runtime.send(other, 1000);
    world.runtime.flush();
    assert.equal(turns, 1000);
    assert.ok(others > 50, String(others));
    assert.equal(world.runtime.info(endless)!.handled, 0);
  });

  test('timeouts with messages of their own: any message ends them, system messages do not, and 0 comes first', () => {
    const world = new World();
    const seen: unknown[] = [];
    const server = start(world, {
      init: () => GenServer.ok(0, { afterMs: 0, message: 'at once' }),
      handleCast: (next, state) => GenServer.noreply(state, next as never),
      handleInfo(message, state) {
        seen.push([brief(message), world.clock.now()]);
        return GenServer.noreply(state);
      },
    });
    world.runtime.send(server, 'queued');
    world.runtime.flush();
    const t = world.clock.now();
    assert.deepEqual(seen.splice(0), [
      ['at once', t],
      ['queued', t],
    ]);
    world.runtime.cast(server, { afterMs: 100, message: 'due' });
    world.advance(60);
    world.runtime.wait(sys.getState(server)).catch(() => {});
    world.advance(40);
    assert.deepEqual(seen.splice(0), [['due', t + 100]]);
    world.runtime.cast(server, { at: t + 150, message: 'at' });
    world.runtime.cast(server, { at: t, message: 'past' });
    world.advance(10);
    assert.deepEqual(seen.splice(0), [['past', t + 100]]);
    world.runtime.cast(server, { afterMs: 50, message: 'cancelled' });
    world.runtime.send(server, 'x');
    world.advance(100);
    assert.deepEqual(
      (seen as [unknown, number][]).map(([message]) => message),
      ['x'],
    );
  });

  test('hibernate and Infinity are no timeout', () => {
    for (const next of ['hibernate', Number.POSITIVE_INFINITY]) {
      const world = new World();
      let infos = 0;
      const server = start(world, {
        init: () => GenServer.ok(0, next as never),
        handleInfo: (_message, state) => {
          infos++;
          return GenServer.noreply(state);
        },
      });
      world.advance(1e9);
      assert.equal(infos, 0);
      assert.equal(world.runtime.info(server)!.timers, 0);
    }
  });
});

describe('starting', () => {
  test('the monitor of a start tells of the end; a failed start leaves none behind', async () => {
    const world = new World();
    const a = world.puppet();
    a.run((self) => {
      const { ok, ref } = GenServer.startMonitor(self, { init: () => GenServer.ok(0) });
      assert.ok(ok !== undefined && ref.isMonitor);
      world.runtime.exit(ok, boom);
      for (const init of [() => GenServer.stop(boom), () => GenServer.ignore, () => GenServer.error(boom)]) {
        assert.equal(GenServer.startMonitor(self, { init }).ok, undefined);
      }
      assert.equal(
        GenServer.startMonitor(self, { init: () => GenServer.ok(0) }, { name: 'taken' }).error,
        undefined,
      );
      const again = GenServer.startMonitor(self, { init: () => GenServer.ok(0) }, { name: 'taken' });
      assert.equal(again.error?.type, 'already_started');
    });
    assert.equal(a.inbox.length, 1);
    assert.equal(world.runtime.info(a.pid)!.monitoring.length, 1);
    // The starter is the parent, also without a link.
    world.runtime.spawn<unknown>(function* (self) {
      const slow = GenServer.startMonitor(self, {
        *init(server) {
          server.trapExit = true;
          yield* sleep(10);
          return GenServer.ok(0);
        },
      });
      const { ok, ref } = yield* started(slow);
      assert.ok(ok !== undefined && ref.isMonitor);
      self.exit(boom);
    });
    world.advance(10);
    await settle(world);
  });

  test('options: label, priority, trapExit', () => {
    const world = new World();
    class Clock {
      init() {
        return GenServer.ok(0);
      }
    }
    const label = (options: object) =>
      world.runtime.info(GenServer.start(world.runtime, new Clock(), options).ok!)!.label;
    assert.equal(label({}), 'Clock');
    assert.equal(label({ name: 'wall' }), 'wall');
    assert.equal(label({ name: 'x', label: 'y' }), 'y');
    assert.equal(world.runtime.info(start(world, {}))!.label, 'gen_server');
    const info = world.runtime.info(start(world, {}, { priority: 'high', trapExit: true }))!;
    assert.deepEqual([info.priority, info.trapExit], ['high', true]);
  });
});

describe('reports', () => {
  test('of an end out of order: the last message, who called, the state as formatStatus shows it', async () => {
    const world = new World();
    const caller = world.puppet();
    const server = start(world, {
      init: () => GenServer.ok({ password: 'secret', count: 3 }),
      handleCall: () => {
        throw new Error('oops');
      },
      formatStatus: (status: { state: { count: number } }) => ({ ...status, state: status.state.count }),
    });
    caller.run((self) => self.request(server, 'x', () => {}));
    const [report] = world.eventsOf('behaviour_terminated');
    assert.ok(report?.lastMessage instanceof CallMessage);
    assert.equal(report.lastMessage.request, 'x');
    assert.deepEqual(
      [report.behaviour, report.client, report.state, reasonOf(report.reason)],
      ['GenServer', caller.pid, 3, 'error: oops'],
    );
    for (const reason of [ExitReason.normal, ExitReason.shutdown, ExitReason.shutdownWith('x')]) {
      world.runtime.stop(start(world, {}), reason).catch(() => {});
    }
    world.runtime.flush();
    await settle(world);
    assert.equal(world.eventsOf('behaviour_terminated').length, 1);
  });

  test('a formatStatus that throws hides the state', () => {
    const world = new World();
    const server = start(world, {
      handleCast: (_message, state) => GenServer.stop(boom, state),
      formatStatus: () => {
        throw new Error('no');
      },
    });
    world.runtime.cast(server, 'x');
    world.runtime.flush();
    assert.match(String(world.eventsOf('behaviour_terminated')[0]?.state), /formatStatus failed/);
  });
});
