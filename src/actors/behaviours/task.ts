import { BadArgument } from '../bad-argument.js';
import { current } from '../current.js';
import { Exit, ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { receive } from '../receive.js';
import type { Runtime } from '../runtime.js';
import type { SpawnOptions } from '../runtime-options.js';
import { DownMessage } from '../system-message.js';
import type { Blocking } from '../wait.js';
import {
  letGo,
  outcomeIn,
  startTask,
  type TaskFunction,
  type TaskOutcome,
  type TaskRef,
  TaskReply,
  type TaskResult,
  taskBody,
} from './task-ref.js';
import { type StreamOptions, TaskStream } from './task-stream.js';

/** What happens to the tasks that are not done when `yieldMany` ends: nothing, they are left alone, or killed. */
export type OnTimeout = 'nothing' | 'ignore' | 'kill_task';

const TIMEOUT_MS = 5000;

/**
 * Something done in a process of its own, whose result is waited for: Elixir's Task.
 *
 * ```ts
 * import { setTimeout as pause } from 'node:timers/promises';
 * import { defaultRuntime, receive, Task } from 'rookery';
 *
 * const runtime = defaultRuntime();
 * runtime.spawn(function* (self) {
 *   const slow = Task.async(self, async () => {
 *     await pause(20);
 *     return 40;
 *   });
 *   const quick = Task.async(self, () => 2);
 *   console.log((yield* Task.await(slow)) + (yield* Task.await(quick))); // → 42
 *
 *   const never = Task.async(self, function* () {
 *     yield* receive();
 *   });
 *   console.log(yield* Task.yield(never, 10)); // → null
 *   console.log(yield* Task.shutdown(never)); // → null
 *
 *   const squares = Task.asyncStream(self, [1, 2, 3], async (n) => n * n, { maxConcurrency: 2 });
 *   console.log(JSON.stringify(yield* squares.values())); // → [1,4,9]
 * });
 * await pause(200); // The timers of a runtime keep no program alive.
 * ```
 *
 * **async** links: the task ends with its owner, and its crash takes its owner down, unless that traps exits. Then, or for
 * tasks that must not concern their owner, see `TaskSupervisor.asyncNolink`. The task begins in its own turn.
 *
 * **await** waits for the result, once. Without one in `timeoutMs` (5000), or when the task ends without one, the owner exits
 * with the reason `call`. **yield** says null when the time is over, and may be repeated; **shutdown** ends the task then;
 * **ignore** lets it go on alone.
 *
 * **In a process of callbacks** do not wait: the result comes as a {@link TaskReply}, the end as a DOWN with the task as its
 * `ref`. {@link Task.check} tells them.
 *
 * **When not to use it.** From outside of processes a promise does the same.
 */
export const Task = {
  /** Begins a task whose owner is `self`, and linked with it. */
  async<T>(self: Process<never>, work: TaskFunction<T>, options: SpawnOptions = {}): TaskRef<T> {
    return startTask(self, work, (body) => self.spawnLink(body, { label: 'task', ...options }));
  },

  /** A task that is done, for who wants a task where the result is known. */
  completed<T>(self: Process<never>, value: T): TaskRef<T> {
    return startTask(
      self,
      () => value,
      (body) => self.spawn(body, { label: 'task' }),
    );
  },

  /** A process that does something whose result nobody waits for. */
  start(runtime: Runtime, work: TaskFunction<unknown>, options: SpawnOptions = {}): Pid {
    return runtime.spawn(taskBody(work, null), { label: 'task', ...options });
  },

  /** The same, linked with `self`: for a supervisor, as the start function of a child. */
  startLink(self: Process<never>, work: TaskFunction<unknown>, options: SpawnOptions = {}): Pid {
    return self.spawnLink(taskBody(work, null), { label: 'task', ...options });
  },

  /** Waits for the result; exits without. Throws a {@link BadArgument} in another process than the owner. */
  *await<T>(task: TaskRef<T>, timeoutMs = TIMEOUT_MS): Blocking<T> {
    const outcome = yield* outcomeOf(task, timeoutMs);
    if (outcome?.type === 'ok') return outcome.value;
    if (outcome === null) letGo(task);
    throw new Exit({ type: 'call', reason: outcome?.reason ?? ExitReason.timeout, target: task.pid });
  },

  /** Waits for all; `timeoutMs` is for all together. */
  *awaitMany<T>(tasks: readonly TaskRef<T>[], timeoutMs = TIMEOUT_MS): Blocking<T[]> {
    const self = yield* current();
    const deadline = self.runtime.clock.now() + timeoutMs;
    const values: T[] = [];
    for (const task of tasks) {
      const left = Math.max(0, deadline - self.runtime.clock.now());
      const outcome = yield* outcomeOf(task, left);
      if (outcome?.type === 'ok') {
        values.push(outcome.value);
        continue;
      }
      for (const other of tasks) letGo(other);
      throw new Exit({ type: 'call', reason: outcome?.reason ?? ExitReason.timeout, target: task.pid });
    }
    return values;
  },

  /** Waits for the end of a task; null when the time is over: then it can be waited for again. */
  *yield<T>(task: TaskRef<T>, timeoutMs = TIMEOUT_MS): Blocking<TaskOutcome<T> | null> {
    return yield* outcomeOf(task, timeoutMs);
  },

  /** The same for several, in one time: what came of each, null for those that are not done. */
  *yieldMany<T>(
    tasks: readonly TaskRef<T>[],
    options: { readonly timeoutMs?: number; readonly onTimeout?: OnTimeout } = {},
  ): Blocking<(TaskOutcome<T> | null)[]> {
    const { timeoutMs = TIMEOUT_MS, onTimeout = 'nothing' } = options;
    const self = yield* current();
    const deadline = self.runtime.clock.now() + timeoutMs;
    const outcomes: (TaskOutcome<T> | null)[] = [];
    for (const task of tasks) {
      outcomes.push(yield* outcomeOf(task, Math.max(0, deadline - self.runtime.clock.now())));
    }
    for (const [at, task] of tasks.entries()) {
      if (outcomes[at] !== null || onTimeout === 'nothing') continue;
      outcomes[at] =
        onTimeout === 'ignore' ? yield* Task.ignore(task) : yield* Task.shutdown(task, 'brutal_kill');
    }
    return outcomes;
  },

  /**
   * Ends a task: unlinks it, sends it `shutdown`, and after `timeoutMs` `kill`, at once with `brutal_kill`. What came of it
   * if it was faster, or ended otherwise; else null. The process has ended when this is done.
   */
  *shutdown<T>(
    task: TaskRef<T>,
    timeoutMs: number | 'brutal_kill' = TIMEOUT_MS,
  ): Blocking<TaskOutcome<T> | null> {
    const self = yield* current();
    checkOwner(task, self);
    self.unlink(task.pid);
    const monitor = self.monitor(task.pid);
    let brutal = timeoutMs === 'brutal_kill';
    self.runtime.exit(task.pid, brutal ? ExitReason.kill : ExitReason.shutdown);
    const isDown = (message: unknown): message is DownMessage =>
      message instanceof DownMessage && message.ref === monitor;
    let down = yield* receive(isDown, timeoutMs === 'brutal_kill' ? Number.POSITIVE_INFINITY : timeoutMs);
    if (down === undefined) {
      brutal = true;
      self.runtime.exit(task.pid, ExitReason.kill);
      down = yield* receive(isDown);
    }
    const reason = down.reason.type === 'noproc' ? endOf(task, self) : down.reason;
    const reply = replyOf(task, self);
    letGo(task);
    if (reply !== null) return reply;
    const asked = reason === null || reason.type === (brutal ? 'killed' : 'shutdown');
    return asked ? null : { type: 'exit', reason };
  },

  /** Unlinks a task and lets it go on alone. What came of it already, or null; nothing comes of it any more. */
  *ignore<T>(task: TaskRef<T>): Blocking<TaskOutcome<T> | null> {
    const self = yield* current();
    checkOwner(task, self);
    self.unlink(task.pid);
    const outcome = yield* outcomeOf(task, 0);
    letGo(task);
    return outcome;
  },

  /**
   * Applies `work` to all inputs in tasks linked with `self`, so many at a time. As with `async`, the crash of one takes
   * down an owner that does not trap exits; one that does gets it as an outcome.
   */
  asyncStream<In, T>(
    self: Process<never>,
    inputs: Iterable<In>,
    work: (input: In, self: Process<unknown>) => TaskResult<T>,
    options: StreamOptions = {},
  ): TaskStream<In, T> {
    return new TaskStream<In, T>(self, inputs, work, (one) => Task.async(self, one), options);
  },

  /** Whether a message tells of a task, for a process that takes its messages itself: null if it does not. */
  check<T>(message: unknown, task: TaskRef<T>): TaskOutcome<T> | null {
    const outcome = outcomeIn(message, task);
    if (outcome?.type === 'ok') letGo(task);
    return outcome;
  },
} as const;

function* outcomeOf<T>(task: TaskRef<T>, timeoutMs: number): Blocking<TaskOutcome<T> | null> {
  checkOwner(task, yield* current());
  const message = yield* receive((message) => outcomeIn(message, task) !== null, timeoutMs);
  const outcome = message === undefined ? null : outcomeIn(message, task);
  if (outcome?.type === 'ok') letGo(task);
  return outcome;
}

/** The result, if it waits already. */
function replyOf<T>(task: TaskRef<T>, self: Process<never>): TaskOutcome<T> | null {
  let found: TaskOutcome<T> | null = null;
  self.flush((message) => {
    const outcome = outcomeIn(message, task);
    if (outcome?.type !== 'ok') return false;
    found = outcome;
    return true;
  });
  return found;
}

/** With what a task has ended that is gone, as its own monitor tells; null if that has told already. */
function endOf(task: TaskRef<unknown>, self: Process<never>): ExitReason | null {
  let reason: ExitReason | null = null;
  self.flush((message) => {
    const outcome = outcomeIn(message, task);
    if (outcome?.type !== 'exit') return false;
    reason = outcome.reason;
    return true;
  });
  return reason;
}

function checkOwner(task: TaskRef<unknown>, self: Process<never>): void {
  if (task.owner === self) return;
  throw new BadArgument(`the task of ${task.owner} cannot be waited for by ${self}`);
}
