/** GenServer; the expectations are those of OTP's traces for gen_server. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CallFailed,
  type CallOutcome,
  type CallResult,
  type CastResult,
  ExitReason,
  type From,
  GenServer,
  type InitResult,
  type Pid,
  type Process,
  type Returned,
} from '../../src/actors/index.js';
import { brief, type Puppet, reasonOf, World } from './world.js';

const boom = ExitReason.custom('boom');

type Calls = readonly [request: string, reply: unknown];
type Script = Partial<GenServer<number, Calls, string, string, string>>;

/** A server that logs its callbacks; each may be replaced. The state counts. */
function scripted(log: unknown[], script: Script = {}): GenServer<number, Calls, string, string, string> {
  return {
    init(self) {
      log.push('init');
      return script.init?.(self) ?? GenServer.ok(0);
    },
    handleCall(request, from, state): Returned<CallResult<number, unknown, string, string>> {
      log.push(['call', request, state]);
      return script.handleCall?.(request, from, state) ?? GenServer.reply(`${request}!`, state + 1);
    },
    handleCast(message, state): Returned<CastResult<number, string, string>> {
      log.push(['cast', message, state]);
      return script.handleCast?.(message, state) ?? GenServer.noreply(state + 1);
    },
    handleInfo(message, state): Returned<CastResult<number, string, string>> {
      const short = brief(message);
      log.push(['info', (short as { type?: string })?.type ?? short, state]);
      return script.handleInfo?.(message, state) ?? GenServer.noreply(state + 1);
    },
    handleContinue(argument, state): Returned<CastResult<number, string, string>> {
      log.push(['continue', argument, state]);
      return script.handleContinue?.(argument, state) ?? GenServer.noreply(state + 1);
    },
    terminate(reason, state) {
      log.push(['terminate', reasonOf(reason), state]);
      return script.terminate?.(reason, state);
    },
  };
}

function started(world: World, log: unknown[], script: Script = {}, options = {}) {
  const result = GenServer.start(world.runtime, scripted(log, script), options);
  assert.ok(result.ok !== undefined);
  return result.ok;
}

/** Calls from a puppet; the outcome in short form lands in `outcomes`. */
function ask(puppet: Puppet, server: Pid | string, request: string, outcomes: unknown[], timeoutMs?: number) {
  puppet.run((self) => self.request(server, request, (outcome) => outcomes.push(short(outcome)), timeoutMs));
}

function short(outcome: CallOutcome<unknown>): unknown {
  return outcome.ok ? outcome.value : ['failed', reasonOf(outcome.reason)];
}

describe('calls, casts and messages', () => {
  test('reach their callbacks in the order sent, and the state is threaded through', () => {
    const world = new World();
    const log: unknown[] = [];
    const outcomes: unknown[] = [];
    const server = started(world, log);
    const a = world.puppet();
    a.run((self) => {
      self.request(server, 'one', (outcome) => outcomes.push(short(outcome)));
      world.runtime.cast(server, 'two');
      self.send(server, 'three');
      assert.deepEqual(outcomes, []);
    });
    assert.deepEqual(log, ['init', ['call', 'one', 0], ['cast', 'two', 1], ['info', 'three', 2]]);
    assert.deepEqual(outcomes, ['one!']);
  });

  test('from outside a call is a promise', async () => {
    const world = new World();
    const server = started(world, []);
    const reply = GenServer.call(world.runtime, server, 'x');
    world.runtime.flush();
    assert.equal(await reply, 'x!');
    const failing = world.runtime.call('nobody', 'x');
    world.runtime.flush();
    await assert.rejects(
      failing,
      (error: CallFailed) => error.name === 'CallFailed' && error.reason.type === 'noproc',
    );
  });

  test('the types of replies follow from the requests', () => {
    const world = new World();
    type Typed = [{ type: 'get' }, number] | [{ type: 'name' }, string];
    const server = GenServer.start<null, Typed, never, never, never>(world.runtime, {
      init: () => GenServer.ok(null),
      handleCall: (request, _from: From<Typed[1]>) => GenServer.reply(request.type === 'get' ? 1 : 'n', null),
    }).ok!;
    const number: Promise<number> = GenServer.call(world.runtime, server, { type: 'get' });
    const string: Promise<string> = GenServer.call(world.runtime, server, { type: 'name' });
    // @ts-expect-error no such request
    GenServer.call(world.runtime, server, { type: 'other' }).catch(() => {});
    world.runtime.flush();
    return Promise.all([number, string]).then((values) => assert.deepEqual(values, [1, 'n']));
  });

  test('a call that gets no reply in time fails, the server runs it to its end, the late reply is dropped', () => {
    const world = new World();
    const log: unknown[] = [];
    const outcomes: unknown[] = [];
    let pending: From<unknown> | undefined;
    const server = started(world, log, {
      handleCall(_request, from, state) {
        pending = from;
        return GenServer.noreply(state);
      },
    });
    const a = world.puppet();
    ask(a, server, 'slow', outcomes, 100);
    world.advance(99);
    assert.deepEqual(outcomes, []);
    world.advance(1);
    assert.deepEqual(outcomes, [['failed', 'timeout']]);
    pending!.reply('late');
    world.runtime.flush();
    assert.equal(outcomes.length, 1);
    assert.deepEqual(a.inbox, []);
    assert.equal(world.runtime.info(server)!.monitoredBy.length, 0);
    assert.equal(world.runtime.timers.size, 0);
  });

  test('5000 ms are the default', () => {
    const world = new World();
    const outcomes: unknown[] = [];
    const server = started(world, [], { handleCall: (_request, _from, state) => GenServer.noreply(state) });
    ask(world.puppet(), server, 'x', outcomes);
    world.advance(4999);
    assert.deepEqual(outcomes, []);
    world.advance(1);
    assert.deepEqual(outcomes, [['failed', 'timeout']]);
  });

  test('noproc, calling_self, and the reason of a server that ends, even normal', () => {
    const world = new World();
    const a = world.puppet({ name: 'a' });
    const outcomes: unknown[] = [];
    ask(a, 'nobody', 'x', outcomes);
    ask(a, a.pid, 'x', outcomes);
    ask(a, 'a', 'x', outcomes);
    for (const reason of [ExitReason.normal, boom]) {
      ask(
        a,
        started(world, [], { handleCall: (_r, _f, state) => GenServer.stop(reason, state) }),
        'x',
        outcomes,
      );
    }
    const killed = started(world, [], { handleCall: (_r, _f, state) => GenServer.noreply(state) });
    ask(a, killed, 'x', outcomes);
    world.runtime.exit(killed, ExitReason.kill);
    ask(a, killed, 'x', outcomes);
    assert.deepEqual(outcomes, [
      ['failed', 'noproc'],
      ['failed', 'calling_self'],
      ['failed', 'calling_self'],
      ['failed', 'normal'],
      ['failed', 'boom'],
      ['failed', 'killed'],
      ['failed', 'noproc'],
    ]);
  });

  test('self.call exits with {reason, call}', () => {
    const world = new World();
    const a = world.puppet();
    a.run((self) => self.call('nobody', 'x', () => assert.fail('answered')));
    assert.deepEqual(reasonOf(world.runtime.exitReasonOf(a.pid)), ['noproc', 'call']);
    const server = started(world, []);
    const b = world.puppet();
    const replies: unknown[] = [];
    b.run((self) => self.call(server, 'x', (reply) => replies.push(reply)));
    assert.deepEqual(replies, ['x!']);
    assert.ok(world.runtime.isAlive(b.pid));
  });

  test('many requests may be open and answered in any order, from inside the callback, later, or twice', () => {
    const world = new World();
    const froms: From<unknown>[] = [];
    const outcomes: unknown[] = [];
    const server = started(world, [], {
      handleCall(request, from, state) {
        if (request === 'now') {
          from.reply('first');
          return GenServer.reply('second', state);
        }
        froms.push(from);
        return GenServer.noreply(state);
      },
    });
    const a = world.puppet();
    for (const request of ['1', '2', '3', 'now']) ask(a, server, request, outcomes);
    for (const from of froms.reverse()) {
      from.reply(from.caller);
      from.reply('again');
    }
    world.runtime.flush();
    assert.deepEqual(outcomes, ['first', a.pid, a.pid, a.pid]);
  });

  test('a call behind a stop gets the reason of the stop; casts behind it are lost', () => {
    const world = new World();
    const log: unknown[] = [];
    const outcomes: unknown[] = [];
    const server = started(world, log, { handleCast: (_message, state) => GenServer.stop(boom, state) });
    const a = world.puppet();
    a.run((self) => {
      world.runtime.cast(server, 'stop');
      world.runtime.cast(server, 'lost');
      self.request(server, 'x', (outcome) => outcomes.push(short(outcome)));
    });
    assert.deepEqual(outcomes, [['failed', 'boom']]);
    assert.deepEqual(log, ['init', ['cast', 'stop', 0], ['terminate', 'boom', 0]]);
  });

  test('casts to nobody are accepted', () => {
    const world = new World();
    world.runtime.cast('nobody', 'x');
    const dead = world.puppet();
    world.runtime.exit(dead.pid, ExitReason.kill);
    world.runtime.cast(dead.pid, 'x');
  });
});

describe('ends', () => {
  test('stop with a reply: terminate runs, then the caller gets it', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, {
      handleCall: (_r, _f, state) => GenServer.stopReply(boom, 'bye', state + 5),
    });
    const a = world.puppet();
    a.run((self) => {
      self.monitor(server);
      self.request(server, 'x', (outcome) => log.push(short(outcome)));
    });
    assert.deepEqual(log, ['init', ['call', 'x', 0], ['terminate', 'boom', 5], 'bye']);
    assert.deepEqual(a.inbox, [['DOWN', server, 'boom']]);
  });

  test('a crash in a callback runs terminate with the state before it', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, {
      handleInfo() {
        throw new Error('oops');
      },
    });
    world.runtime.send(server, 'x');
    world.runtime.flush();
    assert.deepEqual(log, ['init', ['info', 'x', 0], ['terminate', 'error: oops', 0]]);
    assert.equal(world.eventsOf('crash').length, 1);
  });

  test('a bad return value', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, { handleCast: () => 'bad' as never });
    world.runtime.cast(server, 'x');
    world.runtime.flush();
    assert.deepEqual(log.at(-1), ['terminate', ['bad_return_value', 'bad'], 0]);
    // A reply to a cast is one too.
    const other = started(world, log, { handleCast: (_m, state) => GenServer.reply('x', state) as never });
    world.runtime.cast(other, 'x');
    world.runtime.flush();
    assert.equal(world.runtime.exitReasonOf(other)?.type, 'bad_return_value');
  });

  test('an EXIT from the parent terminates a server that traps, even with normal; one from a stranger is info', () => {
    for (const reason of [boom, ExitReason.normal]) {
      const world = new World();
      const log: unknown[] = [];
      const parent = world.puppet();
      let server!: Pid;
      parent.run((self) => {
        const trapping: Script = {
          init(process) {
            process.trapExit = true;
            return GenServer.ok(0);
          },
        };
        server = GenServer.startLink(self, scripted(log, trapping)).ok!;
      });
      const stranger = world.puppet();
      stranger.run(() => world.runtime.exit(server, boom));
      parent.run((self) => self.exit(reason));
      assert.deepEqual(log, [
        'init',
        ['info', ['EXIT', stranger.pid, 'boom'], 0],
        ['terminate', reasonOf(reason), 1],
      ]);
      assert.equal(reasonOf(world.runtime.exitReasonOf(server)), reasonOf(reason));
    }
  });

  test('a server that does not trap dies of its parent without terminate', () => {
    const world = new World();
    const log: unknown[] = [];
    const parent = world.puppet();
    let server!: Pid;
    parent.run((self) => {
      server = GenServer.startLink(self, scripted(log)).ok!;
    });
    parent.run((self) => self.exit(boom));
    assert.deepEqual(log, ['init']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(server)), 'boom');
  });

  test('stop waits its turn, runs terminate and waits for the end; a crash in terminate is the reason', async () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log);
    world.runtime.cast(server, 'work');
    const stopping = world.runtime.stop(server);
    world.runtime.flush();
    await stopping;
    assert.deepEqual(log, ['init', ['cast', 'work', 0], ['terminate', 'normal', 1]]);

    const crashing = started(world, log, {
      terminate() {
        throw new Error('oops');
      },
    });
    const failing = world.runtime.stop(crashing);
    world.runtime.flush();
    await assert.rejects(failing, (error: CallFailed) => reasonOf(error.reason) === 'error: oops');
    const missing = world.runtime.stop('nobody');
    world.runtime.flush();
    await assert.rejects(missing, (error: CallFailed) => error.reason.type === 'noproc');
  });
});

describe('starting', () => {
  test('ignore and stop: nothing is left, the name is free, terminate does not run, a trapping parent gets no EXIT', () => {
    const world = new World();
    const log: unknown[] = [];
    const parent = world.puppet({ trapExit: true });
    const start = (init: (self: Process<string>) => InitResult<number, string>) => {
      let result: unknown;
      parent.run((self) => {
        const start = GenServer.startLink(self, scripted(log, { init }), { name: 'x' });
        result = start.ignore ? 'ignore' : reasonOf(start.error ?? null);
        assert.equal(world.runtime.whereis('x'), undefined);
      });
      return result;
    };
    assert.equal(
      start(() => GenServer.ignore),
      'ignore',
    );
    assert.equal(
      start(() => ({ type: 'stop', reason: boom })),
      'boom',
    );
    assert.equal(
      start(() => {
        throw new Error('oops');
      }),
      'error: oops',
    );
    assert.deepEqual(
      start(() => 'bad' as never),
      ['bad_return_value', 'bad'],
    );
    assert.equal(
      start((self) => {
        world.runtime.exit(self, ExitReason.kill);
        return GenServer.ok(0);
      }),
      'killed',
    );
    assert.deepEqual(log, ['init', 'init', 'init', 'init', 'init']);
    assert.deepEqual(parent.inbox, []);
    assert.equal(world.runtime.processCount, 1);
  });

  test('already_started never runs init', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, {}, { name: 'x' });
    const again = GenServer.start(world.runtime, scripted(log), { name: 'x' });
    assert.deepEqual(again.error, { type: 'already_started', pid: server });
    assert.deepEqual(log, ['init']);
  });
});

describe('continue and timeout', () => {
  test('continue runs before anything that is queued, and may continue again', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, {
      init(self) {
        self.send(self, 'queued');
        return GenServer.ok(0, { continue: 'a' });
      },
      handleContinue: (argument, state) =>
        argument === 'a' ? GenServer.noreply(state + 1, { continue: 'b' }) : GenServer.noreply(state + 1),
    });
    assert.deepEqual(log, ['init']);
    world.runtime.send(server, 'later');
    world.runtime.flush();
    assert.deepEqual(log, [
      'init',
      ['continue', 'a', 0],
      ['continue', 'b', 1],
      ['info', 'queued', 2],
      ['info', 'later', 3],
    ]);
  });

  test('continue with a reply: the caller has its answer first; a crash in it is no failed start', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, {
      handleCall: (_r, _f, state) => GenServer.reply('ok', state, { continue: 'c' }),
      handleContinue() {
        throw new Error('oops');
      },
    });
    const outcomes: unknown[] = [];
    ask(world.puppet(), server, 'x', outcomes);
    assert.deepEqual(outcomes, ['ok']);
    assert.equal(reasonOf(world.runtime.exitReasonOf(server)), 'error: oops');
    const other = started(world, [], {
      init: () => GenServer.ok(0, { continue: 'c' }),
      handleContinue: () => {
        throw new Error('oops');
      },
    });
    world.runtime.flush();
    assert.equal(world.runtime.isAlive(other), false);
  });

  test('a timeout comes when nothing else does; any message cancels it', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, { init: () => GenServer.ok(0, 100) });
    world.advance(60);
    world.runtime.send(server, 'x');
    world.advance(1000);
    assert.deepEqual(log, ['init', ['info', 'x', 0]]);
    const other = started(world, log, { init: () => GenServer.ok(7, 100) });
    world.advance(100);
    assert.deepEqual(log.slice(2), ['init', ['info', 'server_timeout', 7]]);
    assert.ok(world.runtime.isAlive(other));
  });

  test('a timeout of 0 loses to a queued message', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log, {
      handleCast: (_message, state) => GenServer.noreply(state, 0),
    });
    world.runtime.cast(server, 'a');
    world.runtime.send(server, 'queued');
    world.runtime.flush();
    assert.deepEqual(log, ['init', ['cast', 'a', 0], ['info', 'queued', 0]]);
    world.runtime.cast(server, 'b');
    world.runtime.flush();
    assert.deepEqual(log.slice(3), [
      ['cast', 'b', 1],
      ['info', 'server_timeout', 1],
    ]);
  });

  test('a timeout that is in the mailbox already is void when a message comes before it, also under a new timeout', () => {
    for (const next of [undefined, 1000]) {
      const world = new World();
      const log: unknown[] = [];
      const server = started(world, log, {
        init: () => GenServer.ok(0, 100),
        handleInfo: (_message, state) => GenServer.noreply(state + 1, next),
      });
      world.runtime.send(server, 'first');
      let now = 100;
      world.clock.now = () => now;
      world.runtime.timers.expire();
      assert.equal(world.runtime.info(server)!.mailboxLength, 2);
      world.runtime.flush();
      assert.deepEqual(log, ['init', ['info', 'first', 0]]);
      now = 1099;
      world.runtime.flush();
      assert.equal(log.length, 2);
      now = 1100;
      world.runtime.flush();
      assert.deepEqual(log.slice(2), next === undefined ? [] : [['info', 'server_timeout', 1]]);
    }
  });
});

describe('callNow', () => {
  test('handles what waits, then the request, on this stack', () => {
    const world = new World();
    const log: unknown[] = [];
    const server = started(world, log);
    world.runtime.cast(server, 'before');
    assert.deepEqual(world.runtime.callNow(server, 'x'), { ok: true, value: 'x!' });
    assert.deepEqual(log, ['init', ['cast', 'before', 0], ['call', 'x', 1]]);
    world.runtime.flush();
    assert.equal(world.runtime.info(server)!.handled, 2);
    assert.deepEqual(world.runtime.callNow(server, 'y'), { ok: true, value: 'y!' });
    assert.deepEqual(world.runtime.callNow('nobody', 'y'), { ok: false, reason: ExitReason.noproc });
  });

  test('a server that runs, does not answer or ends', () => {
    const world = new World();
    let inner: unknown;
    const server: Pid = started(world, [], {
      handleCall(request, _from, state) {
        if (request === 'self') inner = world.runtime.callNow(server, 'x');
        if (request === 'stop') return GenServer.stop(boom, state);
        return GenServer.noreply(state);
      },
    });
    assert.deepEqual(world.runtime.callNow(server, 'self'), { ok: false, reason: ExitReason.busy });
    assert.deepEqual(inner, { ok: false, reason: ExitReason.busy });
    assert.deepEqual(world.runtime.callNow(server, 'stop'), { ok: false, reason: boom });
  });
});
