/** TaskSupervisor, after Elixir's documentation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Exit,
  ExitReason,
  type Pid,
  type Process,
  receive,
  sleep,
  Task,
} from '../../src/actors/index.js';
import { DynamicSupervisor, TaskSupervisor } from '../../src/supervisors/index.js';
import { World } from '../actors/world.js';

const boom = ExitReason.custom('boom');

function make(spec = {}) {
  const world = new World();
  return { world, tasks: TaskSupervisor.start(world.runtime, spec).ok! };
}

test('async: linked with its owner, and seen under the supervisor', () => {
  const { world, tasks } = make();
  const seen: unknown[] = [];
  const owner = world.runtime.spawn<unknown>(function* (self) {
    const task = yield* TaskSupervisor.async(self, tasks, function* () {
      yield* receive('go');
      return 1;
    });
    seen.push((yield* TaskSupervisor.children(tasks)).length);
    self.send(task.pid as Pid<string>, 'go');
    seen.push(yield* Task.await(task));
    const crashing = yield* TaskSupervisor.async(self, tasks, (process) => process.exit(boom));
    yield* Task.await(crashing);
  });
  world.runtime.flush();
  assert.deepEqual(seen, [1, 1]);
  assert.deepEqual(world.runtime.exitReasonOf(owner), boom);
  assert.ok(world.runtime.isAlive(tasks));
});

test('asyncNolink: the crash is an outcome, and the end of the owner does not concern the task', () => {
  const { world, tasks } = make();
  const seen: unknown[] = [];
  let survivor!: Pid;
  const owner = world.runtime.spawn<unknown>(function* (self) {
    const crashing = yield* TaskSupervisor.asyncNolink(self, tasks, (process) => process.exit(boom));
    seen.push(yield* Task.yield(crashing));
    const quick = yield* TaskSupervisor.asyncNolink(self, tasks, () => 'quick');
    yield* sleep(10);
    seen.push(yield* Task.await(quick, 0));
    survivor = (yield* TaskSupervisor.asyncNolink(self, tasks, () => sleep(1000)[Symbol.iterator]() as never))
      .pid;
    self.exit(boom);
  });
  world.advance(10);
  assert.deepEqual(seen, [{ type: 'exit', reason: boom }, 'quick']);
  assert.equal(world.runtime.isAlive(owner), false);
  assert.ok(world.runtime.isAlive(survivor));
  world.advance(1000);
  assert.equal(world.runtime.isAlive(survivor), false);
});

test('a supervisor that is full, or gone', () => {
  const { world, tasks } = make({ maxChildren: 1 });
  const seen: unknown[] = [];
  world.runtime.spawn<unknown>(function* (self) {
    yield* TaskSupervisor.asyncNolink(self, tasks, () => sleep(1000)[Symbol.iterator]() as never);
    for (const supervisor of [tasks, 'nobody']) {
      try {
        yield* TaskSupervisor.async(self, supervisor, () => 1);
      } catch (thrown) {
        seen.push((thrown as Exit).reason);
      }
    }
  });
  world.runtime.flush();
  assert.deepEqual(seen, [
    { type: 'call', reason: ExitReason.maxChildren, target: tasks },
    { type: 'call', reason: ExitReason.noproc, target: 'nobody' },
  ]);
});

test('startChild: nobody waits; by default it is not started again', async () => {
  const { world, tasks } = make();
  let runs = 0;
  const crash = (self: Process<unknown>) => {
    runs++;
    if (runs < 3) self.exit(boom);
  };
  TaskSupervisor.startChild(world.runtime, tasks, crash);
  world.runtime.flush();
  assert.equal(runs, 1);
  runs = 0;
  const stubborn = TaskSupervisor.start(world.runtime, { intensity: 5 }).ok!;
  TaskSupervisor.startChild(world.runtime, stubborn, crash, { restart: 'transient' });
  world.runtime.flush();
  assert.equal(runs, 3);
  const waiting = TaskSupervisor.startChild(
    world.runtime,
    tasks,
    () => receive()[Symbol.iterator]() as never,
  );
  world.runtime.flush();
  const stopping = TaskSupervisor.terminateChild(world.runtime, tasks, waiting.ok!);
  world.runtime.flush();
  assert.deepEqual(await stopping, { ok: true });
  assert.equal(world.runtime.isAlive(waiting.ok!), false);
});

test('streams: without links a crash is an outcome for who does not trap', () => {
  const { world, tasks } = make();
  const seen: unknown[] = [];
  const owner = world.runtime.spawn<unknown>(function* (self) {
    const work = (n: number, task: Process<unknown>) => (n === 2 ? task.exit(boom) : n);
    const stream = TaskSupervisor.asyncStreamNolink(self, tasks, [1, 2, 3], work, { maxConcurrency: 2 });
    seen.push(yield* stream.outcomes(), self.messageQueueLength);
    yield* TaskSupervisor.asyncStream(self, tasks, [1, 2, 3], work).outcomes();
  });
  world.runtime.flush();
  assert.deepEqual(seen, [
    [
      { type: 'ok', value: 1 },
      { type: 'exit', reason: boom },
      { type: 'ok', value: 3 },
    ],
    0,
  ]);
  assert.deepEqual(world.runtime.exitReasonOf(owner), boom);
});

test('the supervisor stops its tasks with itself, and stands in a tree', async () => {
  const world = new World();
  const top = DynamicSupervisor.start(world.runtime, {}).ok!;
  DynamicSupervisor.startChild(world.runtime, top, TaskSupervisor.child('tasks', { name: 'tasks' }));
  const reasons: unknown[] = [];
  world.runtime.spawn<unknown>(function* (self) {
    const task = yield* TaskSupervisor.asyncNolink(
      self,
      'tasks',
      () => receive()[Symbol.iterator]() as never,
    );
    const outcome = yield* Task.yield(task);
    reasons.push(outcome?.type === 'exit' && outcome.reason.type);
  });
  world.runtime.flush();
  const stopping = world.runtime.stop(top);
  world.runtime.flush();
  await stopping;
  assert.deepEqual(reasons, ['shutdown']);
  assert.equal(world.runtime.processCount, 0);
});
