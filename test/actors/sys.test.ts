/** sys, over a GenServer: the themes of OTP's sys_SUITE. What the recorded scenarios show is not repeated here. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Blocking,
  CallbackFailed,
  call,
  Exit,
  ExitReason,
  GenServer,
  type Process,
  type SysEvent,
  sys,
} from '../../src/actors/index.js';
import { World } from './world.js';

const boom = ExitReason.custom('boom');

function counter(step = 1, extra: object = {}) {
  return {
    version: step,
    init: () => GenServer.ok(0),
    handleCall: (request: unknown, _from: unknown, n: number) => GenServer.reply([request, n], n),
    handleCast: (_message: unknown, n: number) => GenServer.noreply(n + step),
    handleInfo: (_message: unknown, n: number) => GenServer.noreply(n),
    handleContinue: (_argument: unknown, n: number) => GenServer.noreply(n),
    ...extra,
  };
}

function start(world: World, callbacks: object = counter()) {
  return GenServer.start(world.runtime, callbacks as ReturnType<typeof counter>, { name: 'counter' }).ok!;
}

/** Runs a generator as a process and gives what it returned. */
function run<T>(world: World, body: (self: Process<unknown>) => Blocking<T>): T {
  let value: { readonly of: T } | undefined;
  const pid = world.runtime.spawn<unknown>(function* (self) {
    value = { of: yield* body(self) };
  });
  world.runtime.flush();
  assert.ok(value !== undefined, JSON.stringify(world.runtime.exitReasonOf(pid)));
  return value.of;
}

function* caught(body: Blocking<unknown>): Blocking<unknown> {
  try {
    return yield* body;
  } catch (thrown) {
    return thrown;
  }
}

describe('state', () => {
  test('a replace that throws leaves the state, and the asker gets the error', () => {
    const world = new World();
    start(world);
    const oops = new Error('oops');
    const seen = run(world, function* () {
      const failed = yield* caught(
        sys.replaceState('counter', () => {
          throw oops;
        }),
      );
      const left = yield* caught(
        sys.replaceState('counter', () => {
          throw new Exit(boom);
        }),
      );
      return [failed, left, yield* sys.getState('counter')] as const;
    });
    assert.ok(seen[0] instanceof CallbackFailed && seen[1] instanceof CallbackFailed);
    assert.equal(seen[0].operation, 'replace_state');
    assert.equal(seen[0].cause, oops);
    assert.equal(seen[0].target, 'counter');
    assert.deepEqual(seen[1].reason, boom);
    assert.equal(seen[2], 0);
    // Nobody crashed of it.
    assert.deepEqual(world.events, []);
  });

  test('from outside: a promise', async () => {
    const world = new World();
    start(world);
    const state = world.runtime.wait(sys.replaceState<number>('counter', (n) => n + 7));
    const failed = world.runtime.wait(
      sys.replaceState('counter', () => {
        throw new Error('oops');
      }),
    );
    failed.catch(() => {});
    world.runtime.flush();
    assert.equal(await state, 7);
    await assert.rejects(failed, CallbackFailed);
  });

  test('status: who and what it is, suspended or not, the state as formatStatus shows it', () => {
    const world = new World();
    const formatStatus = (status: { state: unknown }) => ({ ...status, state: 'hidden', log: [] });
    const server = start(world, counter(3, { formatStatus }));
    const seen = run(world, function* () {
      yield* sys.log(server, true);
      yield* call('counter', 'x');
      const running = yield* sys.getStatus(server);
      yield* sys.suspend(server);
      return [running, (yield* sys.getStatus(server)).sysState] as const;
    });
    assert.deepEqual(seen[0], {
      pid: server,
      label: 'counter',
      behaviour: 'GenServer',
      version: 3,
      sysState: 'running',
      parent: server,
      messageQueueLength: 0,
      state: 'hidden',
      log: [],
    });
    assert.equal(seen[1], 'suspended');
    // The state itself is not formatted.
    assert.equal(
      run(world, () => sys.getState(server)),
      0,
    );
  });
});

describe('code', () => {
  test('new callbacks take the place of the old ones if they agree; the version says from which', () => {
    const world = new World();
    const server = start(world);
    const changes: unknown[] = [];
    const codeChange = (from: unknown, n: number, extra: unknown) => {
      changes.push([from, n, extra]);
      return GenServer.changed(n + 100);
    };
    const seen = run(world, function* () {
      yield* sys.suspend(server);
      const refused = yield* sys.changeCode(server, { callbacks: counter(10) });
      const changed = yield* sys.changeCode(server, { callbacks: counter(10, { codeChange }), extra: 'e' });
      const again = yield* sys.changeCode(server, {
        callbacks: counter(20, { codeChange }),
        oldVersion: 'v',
      });
      yield* sys.resume(server);
      GenServer.cast(world.runtime, server, 'x');
      const { version } = yield* sys.getStatus(server);
      return [refused.error?.type, changed, again, yield* sys.getState(server), version];
    });
    assert.deepEqual(seen, ['error', { ok: true }, { ok: true }, 220, 20]);
    assert.deepEqual(changes, [
      [1, 0, 'e'],
      ['v', 100, undefined],
    ]);
  });

  test('what is no agreement leaves code and state: an error, something else, an exception', () => {
    const world = new World();
    const server = start(world);
    const results = [
      () => GenServer.error(boom),
      () => 'bad',
      () => {
        throw new Exit(boom);
      },
      async () => GenServer.error(boom),
    ];
    const errors: unknown[] = [];
    for (const codeChange of results) {
      const changing = (function* () {
        yield* sys.suspend(server);
        errors.push((yield* sys.changeCode(server, { callbacks: counter(9, { codeChange }) })).error);
        yield* sys.resume(server);
      })();
      world.runtime.spawn(() => changing);
      world.runtime.flush();
    }
    world.runtime.cast(server, 'x');
    return Promise.resolve()
      .then(() => world.runtime.flush())
      .then(() => Promise.resolve())
      .then(() => {
        world.runtime.flush();
        assert.deepEqual(errors, [boom, { type: 'bad_return_value', value: 'bad' }, boom, boom]);
        assert.equal(
          run(world, () => sys.getState(server)),
          1,
        );
      });
  });

  test('only while it is suspended', () => {
    const world = new World();
    const server = start(world);
    const { error } = run(world, () => sys.changeCode(server, { callbacks: counter(2) }));
    assert.deepEqual(error, ExitReason.custom('unknown_system_msg'));
  });
});

describe('what goes in and out', () => {
  const kinds = (events: readonly SysEvent[]) => events.map(({ type }) => type);

  test('trace: calls, casts, messages, continuations, timeouts, replies, in their order', () => {
    const world = new World();
    const events: SysEvent[] = [];
    const server = start(
      world,
      counter(1, {
        handleCast: (next: never, n: number) => GenServer.noreply(n, next),
      }),
    );
    run(world, function* () {
      yield* sys.trace(server, (event) => events.push(event));
      yield* call('counter', 'x');
      world.runtime.cast(server, { continue: 'more' });
      world.runtime.cast(server, 0);
      yield* sys.getState(server);
    });
    const { runtime } = world;
    runtime.send(server as never, 'info' as never);
    runtime.flush();
    assert.deepEqual(kinds(events), [
      ...['in', 'out'],
      ...['in', 'noreply', 'continue', 'noreply'],
      ...['in', 'noreply', 'in', 'noreply'],
      ...['in', 'noreply'],
    ]);
    const [, out] = events;
    assert.deepEqual(out?.type === 'out' && out.message, ['x', 0]);
    run(world, () => sys.trace(server, null));
    runtime.cast(server, 5);
    runtime.flush();
    assert.equal(events.length, 12);
  });

  test('log: the last so many; it may be made longer and shorter; bad lengths are refused', () => {
    const world = new World();
    const server = start(world);
    const lengths = run(world, function* () {
      const found: unknown[] = [yield* sys.log(server, 'get')];
      yield* sys.log(server, true);
      for (let n = 0; n < 20; n++) world.runtime.cast(server, n);
      found.push(((yield* sys.log(server, 'get')) as unknown[]).length);
      yield* sys.log(server, true, 3);
      found.push(((yield* sys.log(server, 'get')) as unknown[]).length);
      yield* sys.log(server, true, 5);
      world.runtime.cast(server, 'last');
      found.push(kinds((yield* sys.log(server, 'get')) as SysEvent[]));
      for (const length of [0, 1.5, 1e9]) {
        found.push((yield* caught(sys.log(server, true, length))) instanceof CallbackFailed);
      }
      yield* sys.log(server, false);
      found.push(yield* sys.log(server, 'get'));
      return found;
    });
    assert.deepEqual(lengths, [
      [],
      10,
      3,
      ['noreply', 'in', 'noreply', 'in', 'noreply'],
      true,
      true,
      true,
      [],
    ]);
  });

  test('debug functions: each its own state; one that is done or throws is gone; by id', () => {
    const world = new World();
    const server = start(world);
    const seen: string[] = [];
    const watch = (count: number, event: SysEvent, process: { readonly label: string }) => {
      seen.push(`${process.label} ${count} ${event.type}`);
      return count === 2 ? sys.done : count + 1;
    };
    run(world, function* () {
      yield* sys.install(server, watch, 0);
      yield* sys.install(server, watch, 100); // It is there already.
      yield* sys.install(
        server,
        () => {
          seen.push('throws');
          throw new Error('oops');
        },
        0,
      );
      yield* sys.install(
        server,
        (n: number) => {
          seen.push(`by id ${n}`);
          return n + 1;
        },
        7,
        { id: 'mine' },
      );
      world.runtime.cast(server, 'a');
      world.runtime.cast(server, 'b');
      yield* sys.remove(server, 'mine');
      yield* sys.remove(server, 'unknown');
      world.runtime.cast(server, 'c');
      yield* sys.getState(server);
    });
    assert.deepEqual(seen, [
      ...['counter 0 in', 'throws', 'by id 7'],
      ...['counter 1 noreply', 'by id 8'],
      ...['counter 2 in', 'by id 9', 'by id 10'],
    ]);
    assert.ok(world.runtime.isAlive(server));
  });

  test('a sink that throws is reported and gone; noDebug ends everything', () => {
    const world = new World();
    const server = start(world);
    run(world, function* () {
      yield* sys.trace(server, () => {
        throw new Error('oops');
      });
      yield* sys.statistics(server, true);
      yield* sys.log(server, true);
      world.runtime.cast(server, 'x');
      world.runtime.cast(server, 'y');
      yield* sys.noDebug(server);
      assert.equal(yield* sys.statistics(server, 'get'), 'no_statistics');
      assert.deepEqual(yield* sys.log(server, 'get'), []);
    });
    assert.equal(world.eventsOf('hook_failed').length, 1);
  });

  test('statistics count from when they were begun, with the times', () => {
    const world = new World();
    const server = start(world);
    const begun = world.clock.now();
    run(world, () => sys.statistics(server, true));
    world.runtime.cast(server, 'x');
    world.advance(50);
    const statistics = run(world, () => sys.statistics(server, 'get'));
    assert.deepEqual(statistics, {
      startTime: begun,
      currentTime: begun + 50,
      messagesIn: 1,
      messagesOut: 0,
    });
  });
});

test('a suspended server keeps at most what a mailbox holds', () => {
  const world = new World({ mailboxMax: 100 });
  const server = start(world);
  run(world, () => sys.suspend(server));
  for (let n = 0; n < 300; n++) world.runtime.cast(server, n);
  world.runtime.flush();
  assert.equal(world.runtime.isAlive(server), false);
  assert.equal(world.eventsOf('mailbox_overflow').length, 1);
});
