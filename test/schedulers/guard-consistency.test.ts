/**
 * Cut off in the middle of calls of the core: the runaway is gone, and the core and everybody else are as if it had ended
 * between two of them.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ExitReason, GenServer, type Pid, type Process } from '../../src/actors/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import type { AskingData } from './asking-thread.js';
import { GuardedWorld, skip } from './guarded-world.js';
import { Wanted } from './wanted.js';

const ROUNDS = 25;
/** Rounds before the first cut: the compiler has to have put the core's functions into the loop. */
const CALLS_BEFORE_MAX = 3000;

/** What a runaway does again and again, and what must be true when it is gone. */
interface Runaway {
  readonly name: string;
  /** For one that piles up much while it runs. */
  readonly rounds?: number;
  /** Prepares what it works with, and returns one round of its loop. */
  begin(world: GuardedWorld, self: Process<unknown>): () => void;
  check(world: GuardedWorld, culprit: Process<unknown>): void;
}

/** One for each round, so that what was left behind shows. */
let others: { pid: Pid<unknown>; received: number }[] = [];

function other(world: GuardedWorld): Pid<unknown> {
  const one = { pid: null as unknown as Pid<unknown>, received: 0 };
  one.pid = world.runtime.spawn<unknown>(() => ({ receive: () => void one.received++ }));
  others.push(one);
  return one.pid;
}

const receivedByAll = (): number => others.reduce((sum, one) => sum + one.received, 0);

const runaways: readonly Runaway[] = [
  {
    name: 'send',
    begin(world, self) {
      const first = other(world);
      const second = other(world);
      return () => {
        self.send(first, 1);
        self.send(second, 2);
      };
    },
    check(_world, culprit) {
      assert.equal(receivedByAll(), culprit.sent);
    },
  },
  {
    // So much in one round that the compiler can put only some of it into the loop: there the stack checks are that fall
    // into the middle of a call.
    name: 'a mixture',
    begin(world, self) {
      const first = other(world);
      const second = other(world);
      const third = other(world);
      const { runtime } = world;
      let thoughts = 0;
      // Code of its own between the calls, with a stack check: here it is found, and the next call is where it ends.
      const think = () => {
        for (let at = 0; at < 3; at++) thoughts++;
      };
      return () => {
        think();
        self.send(first, 1);
        think();
        runtime.send(second, 2);
        think();
        self.send(third, 3);
        think();
        self.demonitor(self.monitor(first));
        think();
        self.send(first, 4);
        think();
        self.cancelTimer(self.sendAfter(1000, 1));
        think();
        runtime.send(third, 5);
        think();
        runtime.sendAfter(2000, self as Pid<unknown>, 6);
        think();
        self.send(second, 7);
        think();
        self.monitor(third);
        think();
        self.send(third, thoughts);
      };
    },
    check(world, culprit) {
      assert.equal(receivedByAll(), culprit.sent);
      for (const { pid } of others) assert.deepEqual(world.runtime.info(pid)?.monitoredBy, []);
      assert.equal(world.runtime.timers.size, 0);
    },
  },
  {
    name: 'runtime.send',
    begin(world) {
      const target = other(world);
      return () => world.runtime.send(target, 1);
    },
    check(_world, culprit) {
      assert.equal(receivedByAll(), culprit.sent);
    },
  },
  {
    name: 'tryDispatch',
    begin(world) {
      const target = other(world);
      return () => assert.equal(world.runtime.tryDispatch(target, 1), true);
    },
    check(_world, culprit) {
      assert.equal(receivedByAll(), culprit.sent);
    },
  },
  {
    name: 'timers',
    begin(_world, self) {
      return () => {
        self.cancelTimer(self.sendAfter(1000, 1));
        self.startTimer(5000, 2);
      };
    },
    check(world) {
      assert.equal(world.runtime.timers.size, 0);
    },
  },
  {
    name: 'monitors and aliases',
    begin(world, self) {
      const target = other(world);
      return () => {
        self.demonitor(self.monitor(target));
        self.monitor(target, 'reply_demonitor');
        self.unalias(self.alias());
      };
    },
    check(world) {
      assert.deepEqual(world.runtime.info(others.at(-1)!.pid)?.monitoredBy, []);
    },
  },
  {
    name: 'links',
    begin(world, self) {
      const target = world.runtime.spawn<unknown>(() => ({ receive() {} }), { trapExit: true });
      others.push({ pid: target, received: 0 });
      return () => {
        self.link(target);
        self.unlink(target);
      };
    },
    check(world) {
      assert.deepEqual(world.runtime.info(others.at(-1)!.pid)?.links, []);
    },
  },
  {
    name: 'spawn, exit, names',
    begin(world, self) {
      return () => {
        const child = self.spawnLink(() => ({ receive() {} }), { name: 'child' });
        const grandchild = self.spawn(() => ({ receive() {} }));
        self.unlink(child);
        world.runtime.exit(child, ExitReason.kill);
        world.runtime.exit(grandchild, ExitReason.kill);
      };
    },
    check(world, culprit) {
      // At most the two that the cut fell between.
      const left = [...world.runtime.processes()].filter(({ parent }) => parent === (culprit as unknown));
      assert.ok(left.length <= 2, `${left.length} children`);
      for (const pid of left) world.runtime.exit(pid, ExitReason.kill);
      assert.equal(world.runtime.names.size, 0);
    },
  },
  {
    name: 'requests',
    rounds: 5,
    begin(world, self) {
      const server = GenServer.start<number, readonly [string, number], never, never, never>(world.runtime, {
        init: () => GenServer.ok(0),
        handleCall: (_request, _from, state) => GenServer.reply(state, state),
      }).ok!;
      others.push({ pid: server as unknown as Pid<unknown>, received: 0 });
      return () => self.request(server as Pid, 'x', () => {}, 1000);
    },
    check(world) {
      assert.deepEqual(world.runtime.info(others.at(-1)!.pid)?.monitoredBy, []);
      assert.equal(world.runtime.timers.size, 0);
    },
  },
  {
    name: 'after-turn callbacks',
    begin(world) {
      const one = { pid: world.runtime.outside as unknown as Pid<unknown>, received: 0 };
      others = [one];
      return () => world.runtime.afterTurn(() => void one.received++);
    },
    check() {
      assert.ok(receivedByAll() > 0);
      others = [];
    },
  },
];

describe('cut off in the middle of calls', { skip }, () => {
  let world: GuardedWorld;
  let asking: Worker;
  const wanted = new Wanted();

  before(async () => {
    world = new GuardedWorld();
    const workerData: AskingData = { wanted: wanted.words, guard: world.guard.handle, pauseMax: 3000 };
    asking = new Worker(new URL('./asking-thread.js', import.meta.url), { workerData });
    await once(asking, 'online');
  });
  after(async () => {
    wanted.end();
    await once(asking, 'exit');
    world.close();
  });

  for (const runaway of runaways) {
    test(runaway.name, () => {
      const random = new SeededRandom(7);
      const { rounds = ROUNDS } = runaway;
      const { runtime } = world;
      const crashes = world.crashes.length;
      for (let round = 0; round < rounds; round++) {
        others = [];
        const processes = [...runtime.processes()].length;
        const calls = Math.floor(random.next() * CALLS_BEFORE_MAX);
        let self!: Process<unknown>;
        runtime.spawn<unknown>((process) => {
          self = process;
          return {
            receive() {
              const step = runaway.begin(world, process);
              for (let call = 0; ; call++) {
                step();
                if (call === calls) wanted.cut(world.guard.marks);
              }
            },
          };
        });
        runtime.send(self as Pid<unknown>, 'go');
        while (self.alive) world.clock.runOne();
        wanted.nothing();
        world.turns();
        runaway.check(world, self);
        assert.equal(runtime.runQueueLength, 0);
        assert.equal(runtime.turns.depth, 0);
        // The core still does what it should, for the others and for new ones.
        for (const { pid } of others) {
          runtime.send(pid, 'still there?');
          runtime.exit(pid, ExitReason.kill);
        }
        const echo = world.puppet();
        echo.self.sendAfter(10, 'later');
        runtime.send(echo.pid, 'now');
        world.clock.advance(10);
        world.turns();
        assert.deepEqual(echo.inbox, ['now', 'later']);
        runtime.exit(echo.pid, ExitReason.kill);
        world.turns();
        assert.equal([...runtime.processes()].length, processes);
        assert.equal(runtime.timers.size, 0);
      }
      assert.equal(world.crashes.length, crashes + rounds);
    });
  }
});
