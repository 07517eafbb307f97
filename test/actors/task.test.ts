/** Task, after Elixir's documentation. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BadArgument,
  DownMessage,
  Exit,
  ExitReason,
  GenServer,
  type Process,
  receive,
  sleep,
  Task,
  type TaskRef,
  TaskReply,
} from '../../src/actors/index.js';
import { World } from './world.js';

const boom = ExitReason.custom('boom');

/** Runs a generator as a process, with time passing in steps of 10 ms until it has ended; gives what it returned. */
function run<T>(
  body: (self: Process<unknown>) => Generator<never, T, unknown> | ReturnType<typeof Task.await<T>>,
  options: { trapExit?: boolean } = {},
): { value: T | undefined; reason: ExitReason | null; world: World; self: Process<unknown> } {
  const world = new World();
  let value: T | undefined;
  let self!: Process<unknown>;
  const pid = world.runtime.spawn<unknown>(function* (process) {
    self = process;
    value = yield* body(process) as ReturnType<typeof Task.await<T>>;
  }, options);
  for (let step = 0; step < 3000 && world.runtime.isAlive(pid); step++) world.advance(10);
  assert.ok(!world.runtime.isAlive(pid), 'it has not ended');
  const reason = world.runtime.exitReasonOf(pid);
  if (reason?.type === 'error') throw reason.error;
  return { value, reason, world, self };
}

/** A task that takes a while. */
function after<T>(ms: number, value: T) {
  return function* () {
    yield* sleep(ms);
    return value;
  };
}

describe('await', () => {
  test('plain, generator; the task begins in its own turn', () => {
    const order: string[] = [];
    const { value } = run(function* (self) {
      const plain = Task.async(self, () => {
        order.push('task');
        return 1;
      });
      order.push('owner');
      const slow = Task.async(self, after(100, 2));
      return [yield* Task.await(plain), yield* Task.await(slow)];
    });
    assert.deepEqual(value, [1, 2]);
    assert.deepEqual(order, ['owner', 'task']);
  });

  test('an async function', async () => {
    const world = new World();
    const values: unknown[] = [];
    world.runtime.spawn<unknown>(function* (self) {
      values.push(yield* Task.await(Task.async(self, async () => 'io')));
      const failing = Task.async(self, async () => {
        throw new Error('refused');
      });
      self.trapExit = true;
      const outcome = yield* Task.yield(failing);
      values.push(
        outcome?.type === 'exit' && outcome.reason.type === 'error' && outcome.reason.error.message,
      );
    });
    for (let round = 0; round < 20; round++) {
      world.runtime.flush();
      await Promise.resolve();
    }
    assert.deepEqual(values, ['io', 'refused']);
  });

  test('without a result in time the owner exits, and the task goes with it', () => {
    let pid!: TaskRef<unknown>['pid'];
    const { reason, world } = run(function* (self) {
      const task = Task.async(self, after(10_000, 1));
      pid = task.pid;
      return yield* Task.await(task, 100);
    });
    assert.deepEqual(reason, { type: 'call', reason: ExitReason.timeout, target: pid });
    assert.equal(world.runtime.isAlive(pid), false);
  });

  test('after a timeout that was caught nothing comes any more', () => {
    const { value } = run(
      function* (self) {
        const task = Task.async(self, after(100, 'late'));
        try {
          yield* Task.await(task, 50);
        } catch (thrown) {
          assert.ok(thrown instanceof Exit);
        }
        yield* sleep(200);
        self.unlink(task.pid);
        return self.messageQueueLength;
      },
      { trapExit: false },
    );
    assert.equal(value, 0);
  });

  test('the crash of a linked task takes its owner down; a trapping one exits with the reason at the await', () => {
    const crash = function* (self: Process<unknown>) {
      const task = Task.async(self, () => self.runtime.current.exit(boom));
      return yield* Task.await(task);
    };
    assert.deepEqual(run(crash).reason, boom);
    const { reason } = run(crash, { trapExit: true });
    assert.equal(reason?.type, 'call');
    assert.deepEqual(reason.type === 'call' && reason.reason, boom);
  });

  test('the end of the owner ends the task', () => {
    let pid!: TaskRef<unknown>['pid'];
    const { world } = run(function* (self) {
      pid = Task.async(self, after(10_000, 1)).pid;
      yield* sleep(10);
      self.exit(boom);
    });
    assert.deepEqual(world.runtime.exitReasonOf(pid), boom);
  });

  test('only the owner may wait', () => {
    const world = new World();
    let task!: TaskRef<number>;
    const errors: unknown[] = [];
    world.runtime.spawn<unknown>(function* (self) {
      task = Task.async(self, () => 1);
      yield* receive();
    });
    world.runtime.flush();
    for (const wait of [() => Task.await(task), () => Task.yield(task), () => Task.shutdown(task)]) {
      world.runtime.spawn(function* () {
        try {
          yield* wait();
        } catch (thrown) {
          errors.push(thrown instanceof BadArgument);
        }
      });
    }
    world.runtime.flush();
    assert.deepEqual(errors, [true, true, true]);
  });

  test('awaitMany gives the results in order, in one time for all', () => {
    const { value } = run(function* (self) {
      const tasks = [30, 10, 20].map((ms) => Task.async(self, after(ms, ms)));
      return yield* Task.awaitMany(tasks, 50);
    });
    assert.deepEqual(value, [30, 10, 20]);
    const { reason } = run(function* (self) {
      const tasks = [10, 200].map((ms) => Task.async(self, after(ms, ms)));
      return yield* Task.awaitMany(tasks, 100);
    });
    assert.deepEqual(reason?.type === 'call' && reason.reason, ExitReason.timeout);
  });

  test('other messages stay in their order', () => {
    const { value } = run(function* (self) {
      self.send(self, 'a');
      const task = Task.async(self, after(10, 'result'));
      self.send(self, 'b');
      return [yield* Task.await(task), yield* receive(), yield* receive()];
    });
    assert.deepEqual(value, ['result', 'a', 'b']);
  });
});

describe('yield, shutdown, ignore', () => {
  test('yield says null when the time is over, and may be repeated', () => {
    const { value } = run(function* (self) {
      const task = Task.async(self, after(100, 'x'));
      return [yield* Task.yield(task, 50), yield* Task.yield(task, 0), yield* Task.yield(task, 60)];
    });
    assert.deepEqual(value, [null, null, { type: 'ok', value: 'x' }]);
  });

  test('yieldMany: what is not done stays, is left alone, or is killed', () => {
    for (const onTimeout of ['nothing', 'ignore', 'kill_task'] as const) {
      const { value } = run(function* (self) {
        const tasks = [10, 300].map((ms) => Task.async(self, after(ms, ms)));
        const outcomes = yield* Task.yieldMany(tasks, { timeoutMs: 100, onTimeout });
        const alive = self.runtime.isAlive(tasks[1]!.pid);
        return [outcomes, alive, yield* Task.yield(tasks[1]!, 400)];
      });
      const done = { type: 'ok', value: 10 };
      assert.deepEqual(value, [
        [done, null],
        onTimeout !== 'kill_task',
        onTimeout === 'nothing' ? { type: 'ok', value: 300 } : null,
      ]);
    }
  });

  test('shutdown: asked first, killed when it takes too long; the owner lives though it does not trap', () => {
    const { value, world } = run(function* (self) {
      const obedient = Task.async(self, after(10_000, 1));
      const first = yield* Task.shutdown(obedient);
      const stubborn = Task.async(self, function* (task) {
        task.trapExit = true;
        yield* sleep(10_000);
      });
      yield* sleep(0);
      const second = yield* Task.shutdown(stubborn, 100);
      const brutal = Task.async(self, after(10_000, 1));
      const third = yield* Task.shutdown(brutal, 'brutal_kill');
      const alive = [obedient, stubborn, brutal].map(({ pid }) => self.runtime.isAlive(pid));
      return [first, second, third, alive, self.messageQueueLength];
    });
    assert.deepEqual(value, [null, null, null, [false, false, false], 0]);
    assert.deepEqual(world.eventsOf('crash'), []);
  });

  test('shutdown of one that is done gives its result, of one that has crashed its reason', () => {
    const { value } = run(
      function* (self) {
        const done = Task.async(self, () => 'done');
        const crashed = Task.async(self, (task) => task.exit(boom));
        const other = Task.async(self, function* (task) {
          task.trapExit = true;
          yield* receive();
          task.exit(boom);
        });
        yield* sleep(10);
        const outcomes = [];
        for (const task of [done, crashed, other]) outcomes.push(yield* Task.shutdown<unknown>(task));
        return outcomes;
      },
      { trapExit: true },
    );
    assert.deepEqual(value, [
      { type: 'ok', value: 'done' },
      { type: 'exit', reason: boom },
      { type: 'exit', reason: boom },
    ]);
  });

  test('ignore lets it go on alone', () => {
    const { value, world } = run(function* (self) {
      const task = Task.async(self, function* (task) {
        yield* sleep(50);
        task.exit(boom);
      });
      const ignored = yield* Task.ignore(task);
      yield* sleep(100);
      return [ignored, self.messageQueueLength];
    });
    assert.deepEqual(value, [null, 0]);
    assert.equal(world.eventsOf('crash').length, 1);
  });

  test('completed is a task like any', () => {
    assert.equal(run((self) => Task.await(Task.completed(self, 7))).value, 7);
  });
});

describe('without waiting', () => {
  test('a server gets the result, or the end, as messages', () => {
    const world = new World();
    const seen: unknown[] = [];
    const tasks: TaskRef<string>[] = [];
    const server = {
      init: (self: Process<unknown>) => {
        self.trapExit = true;
        tasks.push(Task.async(self, () => 'fine'));
        tasks.push(Task.async<string>(self, (task) => task.exit(boom) as never));
        return GenServer.ok(self);
      },
      handleInfo(message: unknown, self: Process<unknown>) {
        if (message instanceof TaskReply || message instanceof DownMessage) {
          const at = tasks.findIndex((task) => Task.check(message, task) !== null);
          seen.push([at, Task.check(message, tasks[at]!)]);
        }
        return GenServer.noreply(self);
      },
    };
    const pid = GenServer.start(world.runtime, server).ok!;
    world.runtime.flush();
    assert.deepEqual(seen, [
      [0, { type: 'ok', value: 'fine' }],
      [1, { type: 'exit', reason: boom }],
    ]);
    assert.ok(world.runtime.isAlive(pid));
    assert.equal(world.runtime.info(pid)!.monitoring.length, 0);
  });
});

describe('asyncStream', () => {
  test('so many at a time, in the order of the inputs', () => {
    let running = 0;
    let most = 0;
    const { value } = run(function* (self) {
      const stream = Task.asyncStream(
        self,
        [50, 10, 40, 20, 30],
        function* (ms) {
          most = Math.max(most, ++running);
          yield* sleep(ms);
          running--;
          return ms;
        },
        { maxConcurrency: 2 },
      );
      return yield* stream.outcomes();
    });
    assert.deepEqual(
      value?.map((outcome) => outcome.type === 'ok' && outcome.value),
      [50, 10, 40, 20, 30],
    );
    assert.equal(most, 2);
  });

  test('unordered: as they are done', () => {
    const { value } = run(function* (self) {
      const stream = Task.asyncStream(self, [50, 10, 30], (ms) => after(ms, ms)(), { ordered: false });
      return yield* stream.values();
    });
    assert.deepEqual(value, [10, 30, 50]);
  });

  test('inputs are taken as they are needed, and no more than may wait', () => {
    let taken = 0;
    function* inputs() {
      for (let n = 0; n < 1000; n++) {
        taken++;
        yield n;
      }
    }
    run(function* (self) {
      const options = { maxConcurrency: 2, maxWaiting: 3 };
      const stream = Task.asyncStream(self, inputs(), (n) => (n === 0 ? after(50, n)() : n), options);
      assert.equal(taken, 0);
      assert.deepEqual(yield* stream.next(), { type: 'ok', value: 0 });
      // While the first one ran, three waited behind it and one ran beside it.
      assert.ok(taken <= 6, String(taken));
      stream.close();
      assert.equal(yield* stream.next(), null);
    });
  });

  test('one that takes too long ends the owner and the others, or only itself', () => {
    let others: unknown[] = [];
    const { reason, world } = run(function* (self) {
      const stream = Task.asyncStream(self, [500, 500], (ms) => after(ms, ms)(), { timeoutMs: 100 });
      try {
        yield* stream.next();
      } finally {
        others = [...self.runtime.processes()].filter((process) => process !== (self as unknown));
      }
    });
    assert.deepEqual(reason?.type === 'call' && reason.reason, ExitReason.timeout);
    assert.deepEqual(others, []);
    assert.equal(world.runtime.processCount, 0);
    const { value } = run(function* (self) {
      const options = { timeoutMs: 100, onTimeout: 'kill_task' } as const;
      const stream = Task.asyncStream(self, [500, 10], (ms) => after(ms, ms)(), options);
      return [yield* stream.outcomes(), self.messageQueueLength];
    });
    assert.deepEqual(value, [
      [
        { type: 'exit', reason: ExitReason.timeout },
        { type: 'ok', value: 10 },
      ],
      0,
    ]);
  });

  test('the crash of one: an outcome if the owner traps exits, without an EXIT; else its end', () => {
    const work = function* (self: Process<unknown>) {
      const stream = Task.asyncStream(self, [1, 2, 3], (n, task) => (n === 2 ? task.exit(boom) : n));
      return [yield* stream.outcomes(), self.messageQueueLength];
    };
    const { value } = run(work, { trapExit: true });
    assert.deepEqual(value, [
      [
        { type: 'ok', value: 1 },
        { type: 'exit', reason: boom },
        { type: 'ok', value: 3 },
      ],
      0,
    ]);
    assert.deepEqual(run(work).reason, boom);
  });

  test('bad options are refused', () => {
    run(function* (self) {
      for (const options of [
        { maxConcurrency: 0 },
        { timeoutMs: -1 },
        { maxWaiting: 0 },
        { onTimeout: 'x' as never },
      ]) {
        assert.throws(() => Task.asyncStream(self, [1], (n) => n, options), BadArgument);
      }
      yield* sleep(0);
    });
  });

  test('for await in an async process; leaving early ends the tasks', async () => {
    const world = new World();
    const seen: unknown[] = [];
    const pid = world.runtime.spawn(async (self) => {
      const options = { maxConcurrency: 2 };
      for await (const outcome of Task.asyncStream(
        self,
        [1, 2, 3, 4],
        (n) => (n > 2 ? after(1000, n)() : n),
        options,
      )) {
        seen.push(outcome.type === 'ok' && outcome.value);
        if (seen.length === 2) break;
      }
      seen.push(world.runtime.processCount);
    });
    for (let round = 0; round < 200; round++) {
      world.runtime.flush();
      await Promise.resolve();
    }
    assert.deepEqual(seen, [1, 2, 1]);
    assert.ok(!world.runtime.isAlive(pid));
  });
});
