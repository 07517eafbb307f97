import type { ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { Ref, RefFlag } from '../ref.js';
import { settled } from '../settled.js';
import { DownMessage } from '../system-message.js';
import { type Blocking, isBlocking, isPromise } from '../wait.js';

/** What a task does: at once, as a generator that waits, or as an async function. `self` is the task's own process. */
export type TaskFunction<T> = (self: Process<unknown>) => TaskResult<T>;

export type TaskResult<T> = T | Blocking<T> | PromiseLike<T>;

/** The result of a task, as its owner gets it: an ordinary message in its mailbox. */
export class TaskReply {
  readonly type = '$task';

  constructor(
    readonly task: TaskRef<unknown>,
    readonly value: unknown,
  ) {}
}

/**
 * A task under way, for the process that began it and for no other: a monitor on the task's process and an alias for its
 * result.
 */
export class TaskRef<out T> extends Ref {
  declare readonly result?: T;

  /** @internal Begins to watch at once. */
  constructor(
    owner: Process<never>,
    readonly pid: Pid,
  ) {
    super(owner, pid, null, RefFlag.monitor | RefFlag.alias | RefFlag.demonitor);
    owner.runtime.signals.watch(this);
  }

  override aliased(message: unknown): void {
    this.owner.deliver(new TaskReply(this as TaskRef<unknown>, message));
  }
}

/** How a task ended: with a result, or with its process before there was one. */
export type TaskOutcome<T> =
  | { readonly type: 'ok'; readonly value: T }
  | { readonly type: 'exit'; readonly reason: ExitReason };

/** @internal Begins a task with whatever starts its process. */
export function startTask<T>(
  owner: Process<never>,
  work: TaskFunction<T>,
  start: (body: (self: Process<unknown>) => Blocking<void>) => Pid,
): TaskRef<T> {
  let task: TaskRef<T> | null = null;
  // It begins in a turn of its own: by then the task is there.
  const pid = start(taskBody(work, () => task!));
  task = new TaskRef<T>(owner, pid);
  return task;
}

/** @internal The life of a task. */
export function taskBody<T>(
  work: TaskFunction<T>,
  task: (() => TaskRef<T>) | null,
): (self: Process<unknown>) => Blocking<void> {
  return function* (self) {
    const done = work(self);
    const value = isBlocking(done) ? yield* done : isPromise(done) ? yield* settled(done) : done;
    if (task !== null) self.runtime.sendAlias(task(), value);
  };
}

/** What a message says of a task. */
export function outcomeIn<T>(message: unknown, task: TaskRef<T>): TaskOutcome<T> | null {
  if (message instanceof TaskReply) {
    return message.task === (task as TaskRef<unknown>) ? { type: 'ok', value: message.value as T } : null;
  }
  if (message instanceof DownMessage && message.ref === (task as Ref)) {
    return { type: 'exit', reason: message.reason };
  }
  return null;
}

/** Nothing comes of it any more. */
export function letGo(task: TaskRef<unknown>): void {
  task.owner.demonitor(task, true);
  task.owner.flush((message) => message instanceof TaskReply && message.task === task);
}
