/** Mailboxes whose middle is outside of the heap do what all mailboxes do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  BadArgument,
  call,
  ExitReason,
  GenServer,
  type Pid,
  type Process,
  Runtime,
  receive,
} from '../../src/actors/index.js';
import type { SliceGuard } from '../../src/actors/slice-guard.js';
import { SpillStore } from '../../src/schedulers/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { reasonOf, World } from '../actors/world.js';
import { SpillingWorld } from './spilling-world.js';

const MiB = 1024 * 1024;

const worlds = [
  { on: 'on the heap', make: () => new World() },
  { on: 'outside of the heap', make: () => new SpillingWorld() },
] as const;

for (const { on, make } of worlds) {
  describe(`a long mailbox ${on}`, () => {
    test('is handled in its order, and counted', () => {
      const world = make();
      const a = world.puppet();
      for (let round = 0; round < 3; round++) {
        for (let at = 0; at < 20_000; at++)
          world.runtime.send(a.pid, at % 7 === 0 ? () => at : { type: 'n', at });
        assert.equal(a.self.mailboxLength, 20_000);
        assert.equal(a.self.waiting(5000).length, 5000);
        world.runtime.flush();
        const numbers = a.raw.map((message) =>
          typeof message === 'function' ? message() : (message as { at: number }).at,
        );
        assert.deepEqual(
          numbers,
          Array.from({ length: 20_000 }, (_, at) => at),
        );
        a.raw.length = 0;
      }
      assert.equal(world.runtime.info(a.pid)!.handled, 60_000);
      assert.equal(world.runtime.info(a.pid)!.mailboxLongest, 20_000);
    });

    test('is looked through by a selective receive, again and again', () => {
      const world = make();
      const seen: unknown[] = [];
      const pid = world.runtime.spawn<unknown>(function* (self) {
        for (const wanted of [9000, 4, 2500, 2501]) {
          seen.push((yield* receive<{ at: number }>({ at: wanted })).at);
        }
        for (let left = self.messageQueueLength; left > 0; left--) yield* receive();
        seen.push(self.messageQueueLength);
      });
      for (let at = 0; at < 10_000; at++) world.runtime.send(pid, { type: 'n', at });
      world.runtime.flush();
      assert.deepEqual(seen, [9000, 4, 2500, 2501, 0]);
    });

    test('is looked through by an async process', async () => {
      const world = make();
      const seen: unknown[] = [];
      const pid = world.runtime.spawn<unknown>(async (self) => {
        seen.push(await self.wait(receive<{ at: number }>({ at: 9999 })));
        for (let at = 0; at < 9999; at++) await self.wait(receive());
        seen.push(self.messageQueueLength);
      });
      for (let at = 0; at < 10_000; at++) world.runtime.send(pid, { type: 'n', at });
      world.runtime.flush();
      for (let round = 0; round < 20_000 && world.runtime.isAlive(pid); round++) await null;
      assert.deepEqual(seen, [{ type: 'n', at: 9999 }, 0]);
    });

    test('waits while its process calls somebody', () => {
      const world = make();
      const server = GenServer.start(world.runtime, {
        init: () => GenServer.ok(0),
        handleCall: (_request: unknown, _from: unknown, n: number) => GenServer.reply(n, n + 1),
      }).ok!;
      const seen: unknown[] = [];
      const pid = world.runtime.spawn<unknown>(function* () {
        yield* receive('go');
        for (let left = 3; left > 0; left--) seen.push(yield* call(server, 'next'));
        for (let at = 0; at < 5000; at++) seen.push((yield* receive<{ at: number }>('n')).at);
      });
      for (let at = 0; at < 5000; at++) world.runtime.send(pid, { type: 'n', at });
      world.runtime.send(pid, 'go');
      world.runtime.flush();
      assert.deepEqual(seen, [0, 1, 2, ...Array.from({ length: 5000 }, (_, at) => at)]);
    });

    test('gives a DOWN back that is flushed', () => {
      const world = make();
      const a = world.puppet();
      const b = world.puppet();
      a.run((self) => {
        const ref = self.monitor(b.pid);
        for (let at = 0; at < 1000; at++) self.send(a.pid, at);
        world.runtime.exit(b.pid, ExitReason.kill);
        for (let at = 1000; at < 3000; at++) self.send(a.pid, at);
        assert.equal(self.mailboxLength, 3001);
        self.demonitor(ref, true);
        assert.equal(self.mailboxLength, 3000);
      });
      assert.deepEqual(
        a.raw,
        Array.from({ length: 3000 }, (_, at) => at),
      );
    });

    test('is ended beyond its limit', () => {
      const world =
        make === worlds[0].make
          ? new World({ mailboxMax: 5000 })
          : new SpillingWorld({}, { mailboxMax: 5000 });
      const a = world.puppet();
      for (let at = 0; at < 6000; at++) world.runtime.send(a.pid, { at });
      assert.equal(reasonOf(world.runtime.exitReasonOf(a.pid)), 'mailbox_overflow');
      if (world instanceof SpillingWorld) assert.equal(world.spill.stats.read('spilledMessages'), 0);
    });
  });
}

type Log = unknown[];

/** Takes `count` messages that match, each time it is told to go. */
class Go {
  constructor(
    readonly count: number,
    readonly divisor: number,
  ) {}
}

function taker(log: Log) {
  return function* (self: Process<unknown>) {
    for (;;) {
      const { count, divisor } = yield* receive(Go);
      for (let left = count; left > 0; left--) {
        const found = yield* receive<{ n: number } | undefined>(
          (message) => !(message instanceof Go) && (message as { n: number }).n % divisor === 0,
          0,
        );
        if (found === undefined) break;
        log.push([self.label, found.n]);
      }
    }
  };
}

const step = fc.oneof(
  {
    arbitrary: fc.record({
      op: fc.constant('send' as const),
      to: fc.nat(2),
      count: fc.integer({ min: 1, max: 600 }),
    }),
    weight: 3,
  },
  fc.record({
    op: fc.constant('go' as const),
    to: fc.nat(2),
    count: fc.integer({ min: 1, max: 700 }),
    divisor: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({ op: fc.constant('first' as const), to: fc.nat(2) }),
  fc.record({ op: fc.constant('look' as const), to: fc.nat(2), count: fc.nat(300) }),
  fc.record({ op: fc.constant('kill' as const), to: fc.nat(2) }),
);

/** Everything that can be seen of a history. */
function play(world: World, steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): Log {
  const log: Log = [];
  const pids = [0, 1, 2].map((n) => world.runtime.spawn<unknown>(taker(log), { label: `p${n}` }));
  let n = 0;
  for (const step of steps) {
    const pid = pids[step.to]! as Process<unknown>;
    switch (step.op) {
      case 'send':
        for (let left = step.count; left > 0; left--) {
          n++;
          world.runtime.send(
            pid,
            n % 5 === 0 ? { n, made: new Date(n) } : { n, from: pids[0], text: `message ${n}` },
          );
        }
        break;
      case 'go':
        world.runtime.send(pid, new Go(step.count, step.divisor));
        world.runtime.flush();
        break;
      case 'first':
        pid.putFirst({ n: ++n });
        break;
      case 'look':
        log.push(pid.waiting(step.count));
        break;
      case 'kill':
        world.runtime.exit(pid, ExitReason.kill);
        pids[step.to] = world.runtime.spawn<unknown>(taker(log), { label: `p${n}` });
        break;
    }
    log.push(pids.map((one) => (one as Process<unknown>).messageQueueLength));
  }
  for (const pid of pids)
    log.push((pid as Process<unknown>).waiting().map((message) => (message as { n: number }).n));
  return log;
}

test('whatever happens to mailboxes, it cannot be seen where their messages are', () => {
  let spilled = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25, size: 'max' }), (steps) => {
      const world = new SpillingWorld();
      const seen = play(world, steps);
      assert.equal(JSON.stringify(seen), JSON.stringify(play(new World(), steps)));
      spilled += world.spill.stats.read('spilledMessagesTotal');
      for (const process of world.runtime.processes()) world.runtime.exit(process, ExitReason.kill);
      assert.equal(world.spill.stats.read('spilledMessages'), 0);
    }),
    { numRuns: 100 },
  );
  assert.ok(spilled > 20_000, `only ${spilled} messages left the heap`);
});

function flood(world: SpillingWorld, pid: Pid<unknown>, count: number): void {
  for (let at = 0; at < count; at++) world.runtime.send(pid, { type: 'n', at, text: 'x'.repeat(200) });
}

describe('the store', () => {
  test('takes messages from its threshold on, and none any more below half of it', () => {
    const world = new SpillingWorld({ spillAt: 1000 });
    const { stats } = world.spill;
    const a = world.puppet().self;
    const take = (count: number) => {
      for (let left = count; left > 0; left--) a.take();
    };
    flood(world, a, 990);
    assert.equal(stats.read('spilledMessagesTotal'), 0);
    flood(world, a, 1000);
    const spilled = stats.read('spilledMessages');
    assert.ok(spilled > 800 && spilled <= 1064, String(spilled));
    take(1400);
    const before = stats.read('spilledMessagesTotal');
    flood(world, a, 200);
    assert.ok(stats.read('spilledMessagesTotal') > before, 'it stopped above half of the threshold');
    take(400);
    const after = stats.read('spilledMessagesTotal');
    flood(world, a, 500);
    assert.equal(stats.read('spilledMessagesTotal'), after, 'it goes on below half of the threshold');
    take(890);
    assert.equal(a.mailboxLength, 0);
    assert.equal(stats.read('spilledMessages'), 0);
  });

  test('leaves messages on the heap when its memory is used up, and goes on when there is some again', () => {
    const world = new SpillingWorld({ bytesMax: 2 * MiB });
    const { stats } = world.spill;
    const a = world.puppet();
    const b = world.puppet();
    flood(world, a.pid, 20_000);
    assert.equal(stats.read('spillBytes'), 2 * MiB);
    assert.ok(stats.read('refusedMessagesTotal') > 5000);
    flood(world, b.pid, 500);
    world.runtime.flush();
    for (const { raw, count } of [
      { raw: a.raw, count: 20_000 },
      { raw: b.raw, count: 500 },
    ]) {
      assert.deepEqual(
        raw.map((message) => (message as { at: number }).at),
        Array.from({ length: count }, (_, at) => at),
      );
    }
    assert.equal(stats.read('spilledMessages'), 0);
    const before = stats.read('refusedMessagesTotal');
    flood(world, b.pid, 2000);
    assert.equal(stats.read('refusedMessagesTotal'), before);
  });

  test('gives its memory back when mailboxes are drained, or their processes killed', () => {
    const world = new SpillingWorld();
    const { stats } = world.spill;
    for (const end of ['drained', 'killed', 'killed while it waits'] as const) {
      const waits = end === 'killed while it waits';
      const pid = world.runtime.spawn<unknown>(
        waits
          ? function* () {
              yield* receive('never');
            }
          : () => ({ receive() {} }),
      );
      flood(world, pid, 120_000);
      assert.ok(stats.read('spillBytes') > 25 * MiB);
      if (waits) world.runtime.flush();
      assert.ok(stats.read('spilledMessages') > 100_000, end);
      if (end === 'drained') world.runtime.flush();
      else world.runtime.exit(pid, ExitReason.kill);
      assert.equal(stats.read('spilledMessages'), 0, end);
      assert.equal(stats.read('spillBytes'), 17 * MiB, end);
    }
    assert.ok(stats.read('droppedBytes') >= 3 * 9 * MiB);
  });

  test('keeps messages of one mailbox when another that was beside it has gone', () => {
    const world = new SpillingWorld();
    const a = world.puppet();
    const b = world.puppet();
    for (let at = 0; at < 30_000; at++) {
      world.runtime.send(a.pid, { of: 'a', at });
      world.runtime.send(b.pid, { of: 'b', at });
      if (at === 20_000) world.runtime.exit(a.pid, ExitReason.kill);
    }
    world.runtime.flush();
    assert.ok(
      b.raw.every(
        (message, at) => (message as { of: string }).of === 'b' && (message as { at: number }).at === at,
      ),
    );
    assert.equal(b.raw.length, 30_000);
  });

  test('counts what stays on the heap as a whole', () => {
    const world = new SpillingWorld();
    const a = world.puppet();
    for (let at = 0; at < 1000; at++) world.runtime.send(a.pid, () => at);
    assert.equal(world.spill.stats.read('spilledMessages'), 0);
    assert.ok(world.spill.stats.read('keptMessagesTotal') > 500);
  });

  test('can be switched off and on while it has messages', () => {
    const world = new SpillingWorld();
    const { stats } = world.spill;
    const a = world.puppet();
    flood(world, a.pid, 1000);
    world.spill.storeAt = Number.POSITIVE_INFINITY;
    const before = stats.read('spilledMessagesTotal');
    flood(world, a.pid, 1000);
    assert.equal(stats.read('spilledMessagesTotal'), before);
    world.spill.storeAt = 128;
    flood(world, a.pid, 1000);
    assert.ok(stats.read('spilledMessagesTotal') > before);
    world.runtime.flush();
    assert.equal(a.raw.length, 3000);
  });

  test('leaves a chunk where it is whose writing was cut off', () => {
    let cuts = 0;
    const guard = {
      marks: new Int32Array(64),
      run: (body: (a: unknown, b: unknown, c: unknown) => void, a: unknown, b: unknown, c: unknown) => {
        if (++cuts % 3 === 0) return true;
        body(a, b, c);
        return false;
      },
      takeCut: () => ({ ranMs: 1000, stack: [] }),
      takeSample: () => null,
    } as unknown as SliceGuard;
    const world = new SpillingWorld({ guard });
    const a = world.puppet();
    flood(world, a.pid, 5000);
    world.runtime.flush();
    assert.deepEqual(
      a.raw.map((message) => (message as { at: number }).at),
      Array.from({ length: 5000 }, (_, at) => at),
    );
    assert.ok(cuts > 30);
  });

  test('says no to bad options, and to a second runtime', () => {
    assert.throws(() => new SpillStore({ spillAt: 10 }), /bad spillAt: 10/);
    assert.throws(() => new SpillStore({ bytesMax: 1000 }), /bad bytesMax: 1000/);
    const world = new SpillingWorld();
    assert.throws(() => world.spill.start(world.runtime), BadArgument);
  });

  test('is not used by a runtime that freezes messages', () => {
    const spill = new SpillStore({ spillAt: 128 });
    const clock = new SimulatedClock();
    const runtime = new Runtime({
      clock,
      random: new SeededRandom(1),
      freezeMessages: true,
      spill: (runtime) => spill.start(runtime),
    });
    const pid = runtime.spawn<unknown>(() => ({ receive() {} }));
    for (let at = 0; at < 1000; at++) runtime.send(pid, { at });
    assert.equal(spill.stats.read('spilledMessagesTotal'), 0);
  });
});

test('what the collector finds nothing behind stays where it is: small numbers and the like, but not among others', () => {
  const world = new SpillingWorld();
  const a = world.puppet();
  const send = (count: number, of: (at: number) => unknown) => {
    for (let at = 0; at < count; at++) world.runtime.send(a.pid, of(at));
  };
  const small = [0, -1, 2 ** 31 - 1, -(2 ** 31), true, false, null, undefined];
  send(10_000, (at) => small[at % small.length]);
  assert.equal(world.spill.stats.read('spilledMessages'), 0);
  assert.ok(world.spill.stats.read('keptMessagesTotal') > 9000);
  for (const other of [2 ** 31, 0.5, 'text', { at: 1 }]) {
    const before = world.spill.stats.read('spilledMessages');
    send(640, (at) => (at % 64 === 63 ? other : at));
    assert.ok(world.spill.stats.read('spilledMessages') >= before + 500, String(other));
  }
  world.runtime.flush();
  assert.deepEqual(
    a.raw.slice(0, 10_000),
    Array.from({ length: 10_000 }, (_, at) => small[at % small.length]),
  );
  assert.equal(a.raw.length, 10_000 + 4 * 640);
  assert.deepEqual(a.raw.at(-1), { at: 1 });
  assert.equal(world.spill.stats.read('spilledMessages'), 0);
});
