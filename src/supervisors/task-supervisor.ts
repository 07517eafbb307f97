import {
  type Blocking,
  Exit,
  type Name,
  type Pid,
  type Process,
  type Runtime,
  type StreamOptions,
  type TaskFunction,
  TaskRef,
  type TaskResult,
  TaskStream,
  taskBody,
  type Wait,
} from '../actors/index.js';
import type { ChildOverrides, ChildSpec, Restart, Shutdown } from './child-spec.js';
import {
  DynamicSupervisor,
  type DynamicSupervisorPid,
  type DynamicSupervisorStart,
} from './dynamic-supervisor.js';
import type { Naming } from './initialize.js';
import type { ChildInfo, StartChildResult, TerminateChildResult } from './requests.js';
import type { RestartLimits } from './supervisor-spec.js';

/** A supervisor of tasks. */
export interface TaskSupervisorSpec extends Naming, RestartLimits {
  /** More are refused with `max_children`. Default: no limit but that of processes. */
  readonly maxChildren?: number;
}

/** Of one task that its owner waits for. */
export interface TaskOptions {
  /** Default 5000. */
  readonly shutdown?: Shutdown;
  readonly label?: string;
}

/** Of one that nobody waits for. */
export interface TaskChildOptions extends TaskOptions {
  /** Default temporary. */
  readonly restart?: Restart;
}

type Target = DynamicSupervisorPid | Name;

/**
 * A supervisor under which tasks run: Elixir's Task.Supervisor. They are seen, counted and stopped there, and need not be
 * linked with who waits for them.
 *
 * ```ts
 * import { defaultRuntime, ExitReason, Task, TaskSupervisor } from 'rookery';
 *
 * const runtime = defaultRuntime();
 * const tasks = TaskSupervisor.start(runtime, { label: 'tasks', maxChildren: 100 }).ok!;
 * runtime.spawn(function* (self) {
 *   const good = yield* TaskSupervisor.asyncNolink(self, tasks, async () => 42);
 *   const bad = yield* TaskSupervisor.asyncNolink(self, tasks, (task) => task.exit(ExitReason.shutdown));
 *   console.log(yield* Task.await(good)); // → 42
 *   const outcome = yield* Task.yield(bad);
 *   console.log(outcome?.type === 'exit' && outcome.reason.type); // → shutdown
 *   self.runtime.exit(tasks, ExitReason.kill);
 * });
 * ```
 *
 * **async** links with the owner as `Task.async` does; **asyncNolink** does not, so the crash of a task is an outcome for
 * `Task.yield` and not an end of the owner, and the task goes on when the owner ends. **startChild** is for what nobody
 * waits for.
 *
 * It is a `DynamicSupervisor`: temporary children, stopped all at the same time. A task whose result is waited for is never
 * restarted. It lives on the scheduler of its owners: functions do not travel.
 */
export const TaskSupervisor = {
  /** Starts one that nobody is linked with. */
  start(runtime: Runtime, spec: TaskSupervisorSpec = {}): DynamicSupervisorStart {
    return DynamicSupervisor.start(runtime, withLabel(spec));
  },

  /** Starts one linked with `parent`. */
  startLink(parent: Process<never>, spec: TaskSupervisorSpec = {}): DynamicSupervisorStart {
    return DynamicSupervisor.startLink(parent, withLabel(spec));
  },

  /** One as a child of another supervisor. */
  child(id: string, spec: TaskSupervisorSpec = {}, overrides: ChildOverrides = {}): ChildSpec {
    return DynamicSupervisor.child(id, { label: id, ...spec }, overrides);
  },

  /** Begins a task linked with its owner. Exits if it cannot be started: `max_children`, `noproc`. */
  *async<T>(
    self: Process<never>,
    supervisor: Target,
    work: TaskFunction<T>,
    options: TaskOptions = {},
  ): Blocking<TaskRef<T>> {
    return yield* begin(self, supervisor, work, options, true);
  },

  /** The same without the link. */
  *asyncNolink<T>(
    self: Process<never>,
    supervisor: Target,
    work: TaskFunction<T>,
    options: TaskOptions = {},
  ): Blocking<TaskRef<T>> {
    return yield* begin(self, supervisor, work, options, false);
  },

  /** Starts a task that nobody waits for, on this stack. `error` if it cannot be started. */
  startChild(
    runtime: Runtime,
    supervisor: Target,
    work: TaskFunction<unknown>,
    options: TaskChildOptions = {},
  ): StartChildResult {
    const { restart = 'temporary' } = options;
    return DynamicSupervisor.startChild(runtime, supervisor, {
      ...childSpec(options, (process) =>
        process.spawnLink(taskBody(work, null), { label: labelOf(options) }),
      ),
      restart,
    });
  },

  /** `Task.asyncStream` under the supervisor: linked with the owner. */
  asyncStream<In, T>(
    self: Process<never>,
    supervisor: Target,
    inputs: Iterable<In>,
    work: (input: In, self: Process<unknown>) => TaskResult<T>,
    options: StreamOptions & TaskOptions = {},
  ): TaskStream<In, T> {
    return streamOf(self, supervisor, inputs, work, options, true);
  },

  /** The same without links: the crash of a task is its outcome. */
  asyncStreamNolink<In, T>(
    self: Process<never>,
    supervisor: Target,
    inputs: Iterable<In>,
    work: (input: In, self: Process<unknown>) => TaskResult<T>,
    options: StreamOptions & TaskOptions = {},
  ): TaskStream<In, T> {
    return streamOf(self, supervisor, inputs, work, options, false);
  },

  /** Stops a task. From outside of processes. */
  terminateChild(runtime: Runtime, supervisor: Target, task: Pid): Promise<TerminateChildResult> {
    return DynamicSupervisor.terminateChild(runtime, supervisor, task);
  },

  /** The tasks that run: `yield* TaskSupervisor.children(supervisor)`. */
  *children(supervisor: Target): Blocking<Pid[]> {
    const children = yield* DynamicSupervisor.whichChildren(supervisor) as Wait<readonly ChildInfo[]>;
    return children.flatMap(({ pid }) => (pid === null || pid === 'restarting' ? [] : [pid]));
  },
} as const;

function withLabel(spec: TaskSupervisorSpec): TaskSupervisorSpec {
  return spec.label === undefined && spec.name === undefined ? { label: 'task_supervisor', ...spec } : spec;
}

function labelOf({ label = 'task' }: TaskOptions): string {
  return label;
}

function childSpec(
  options: TaskOptions,
  start: ChildSpec['start'],
): Pick<ChildSpec, 'id' | 'start' | 'shutdown'> {
  const { shutdown = 5000 } = options;
  return { id: labelOf(options), shutdown, start };
}

function* begin<T>(
  owner: Process<never>,
  supervisor: Target,
  work: TaskFunction<T>,
  options: TaskOptions,
  linked: boolean,
): Blocking<TaskRef<T>> {
  let task: TaskRef<T> | null = null;
  const body = taskBody(work, () => task!);
  const started = yield* DynamicSupervisor.startChild(supervisor, {
    ...childSpec(options, (process) => {
      if (!owner.alive) return { ignore: true };
      const pid = process.spawnLink(body, { label: labelOf(options) });
      // Before it has begun to run, and so before it can have ended.
      task = new TaskRef<T>(owner, pid);
      if (linked) owner.link(pid);
      return pid;
    }),
    restart: 'temporary',
  });
  if (started.ok !== undefined) return task!;
  throw new Exit({ type: 'call', reason: started.error ?? { type: 'normal' }, target: nameOf(supervisor) });
}

function nameOf(supervisor: Target): Pid | string {
  if (typeof supervisor === 'string') return supervisor;
  return 'via' in supervisor ? supervisor.via.describeName(supervisor.key) : supervisor;
}

function streamOf<In, T>(
  self: Process<never>,
  supervisor: Target,
  inputs: Iterable<In>,
  work: (input: In, self: Process<unknown>) => TaskResult<T>,
  options: StreamOptions & TaskOptions,
  isLinked: boolean,
): TaskStream<In, T> {
  return new TaskStream<In, T>(
    self,
    inputs,
    work,
    (one) => begin(self, supervisor, one, options, isLinked),
    options,
  );
}
