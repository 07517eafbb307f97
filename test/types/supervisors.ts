/** What the compiler has to accept and refuse of supervisors. Compiled with everything else, and never run. */
import {
  GenServer,
  type Pid,
  type Process,
  type Runtime,
  type ServerPid,
  started,
} from '../../src/actors/index.js';
import {
  type AnyChildSpec,
  type ChildSpec,
  childSpec,
  DynamicSupervisor,
  PartitionSupervisor,
  Partitions,
  type SignificantChildSpec,
  Supervisor,
  type SupervisorPid,
  type SupervisorSpec,
} from '../../src/supervisors/index.js';

const start = (self: Process<never>) => self.spawnLink<string>(() => ({ receive() {} }));

export const specs: readonly AnyChildSpec[] = [
  { id: 'a', start },
  { id: 'b', start, restart: 'transient', shutdown: 'brutal_kill', type: 'supervisor', modules: ['m'] },
  { id: 'c', start, restart: 'temporary', significant: true },
  // @ts-expect-error: a permanent child cannot be significant
  { id: 'd', start, restart: 'permanent', significant: true },
  // @ts-expect-error: nor one that is permanent by default
  { id: 'e', start, significant: true },
  // @ts-expect-error: no such restart type
  { id: 'f', start, restart: 'always' },
  // @ts-expect-error: no such shutdown
  { id: 'g', start, shutdown: 'never' },
  // @ts-expect-error: an id is a string
  { id: 7, start },
  // @ts-expect-error: without a start there is no child
  { id: 'h' },
  // @ts-expect-error: a start function returns something
  { id: 'i', start: () => {} },
  // @ts-expect-error: but not just anything
  { id: 'j', start: () => ({ okay: true }) },
];

export const starts: readonly ChildSpec['start'][] = [
  (self) => GenServer.startLink(self, { init: () => GenServer.ok(0) }),
  (self) => ({ ok: start(self), info: 7 }),
  () => ({ ignore: true }),
  () => ({ error: { type: 'timeout' } }),
  async (self) => start(self),
  function* (self) {
    return yield* started(Supervisor.startLink(self, {}));
  },
  // @ts-expect-error: why it failed is an exit reason
  () => ({ error: 'because' }),
];

const significant: SignificantChildSpec = childSpec(
  { id: 'x', start },
  { restart: 'transient', significant: true },
);
export const renamed: SignificantChildSpec = childSpec(significant, { id: 'y' });
export const other: ChildSpec = childSpec({ id: 'x', start }, { id: 'z', shutdown: 5 });
// @ts-expect-error: to be significant it must not stay permanent
childSpec({ id: 'x', start }, { significant: true });

export const supervisors: readonly SupervisorSpec[] = [
  {},
  { strategy: 'rest_for_one', autoShutdown: 'any_significant', children: [significant, { id: 'a', start }] },
  // @ts-expect-error: where nothing shuts down by itself nobody is significant
  { children: [significant] },
  // @ts-expect-error: nor if that is said
  { autoShutdown: 'never', children: [significant] },
  // @ts-expect-error: no such strategy
  { strategy: 'one_for_none' },
  // @ts-expect-error: children of templates are another kind of supervisor
  { strategy: 'simple_one_for_one', children: [] },
];

export function requests(runtime: Runtime, supervisor: SupervisorPid): void {
  const result = Supervisor.startChild<string>(runtime, supervisor, { id: 'a', start });
  // @ts-expect-error: it may have failed
  runtime.send(result.ok, 'hello');
  if (result.ok !== undefined) runtime.send(result.ok, 'hello');
  // @ts-expect-error: the child takes strings
  if (result.ok !== undefined) runtime.send(result.ok, 7);
  if (result.error?.type === 'already_started') void (result.error.pid satisfies Pid);
  if (result.error?.type === 'failed_to_start_child') void (result.error.id satisfies string);

  runtime.spawn(function* () {
    const stopped = yield* Supervisor.terminateChild(supervisor, 'a');
    if (stopped.error !== undefined) void (stopped.error.type satisfies 'not_found' | 'simple_one_for_one');
    else void (stopped.ok satisfies true);
    const again = yield* Supervisor.restartChild(supervisor, 'a');
    if (again.error?.type === 'running') return;
    // @ts-expect-error: whoever waits is not told that it is pending
    void (again.pending satisfies object);
    for (const child of yield* Supervisor.whichChildren(supervisor)) {
      // @ts-expect-error: a child may have no process, or be restarting
      void (child.pid satisfies Pid);
      if (child.pid !== null && child.pid !== 'restarting') void (child.pid satisfies Pid);
    }
    const child = yield* Supervisor.startChild<string>(supervisor, { id: 'a', start });
    if (child.ok !== undefined) runtime.send(child.ok, 'hello');
  });
  // @ts-expect-error: that is a promise, for outside
  void (Supervisor.countChildren(runtime, supervisor).active satisfies number);
  // @ts-expect-error: a supervisor is no other server
  void (supervisor satisfies ServerPid<['get', number]>);
}

export function templates(runtime: Runtime): void {
  const { ok } = Supervisor.start(runtime, {
    strategy: 'simple_one_for_one',
    children: [{ id: 'x', start: (self, _name: string, _size: number) => start(self) }],
  });
  if (ok === undefined) return;
  Supervisor.startChild(runtime, ok, ['a', 1]);
  // @ts-expect-error: the template takes a number there
  Supervisor.startChild(runtime, ok, ['a', 'b']);
  // @ts-expect-error: and needs it
  Supervisor.startChild(runtime, ok, ['a']);
  const two = [
    { id: 'x', start },
    { id: 'y', start },
  ] as const;
  // @ts-expect-error: one template, not two
  Supervisor.start(runtime, { strategy: 'simple_one_for_one', children: two });
}

export function dynamic(runtime: Runtime): void {
  const { ok: plain } = DynamicSupervisor.start(runtime, { maxChildren: 5 });
  DynamicSupervisor.startChild<string>(runtime, plain!, { id: 'a', start });
  // @ts-expect-error: under a dynamic supervisor nobody is significant
  DynamicSupervisor.startChild(runtime, plain!, significant);
  // @ts-expect-error: it restarts one for one
  DynamicSupervisor.start(runtime, { strategy: 'one_for_all' });
  const { ok: extended } = DynamicSupervisor.start(runtime, {
    extraArguments: ['db', 5] as [string, number],
  });
  DynamicSupervisor.startChild(runtime, extended!, {
    id: 'a',
    start: (self, db, size) => {
      void (db satisfies string);
      void (size satisfies number);
      // @ts-expect-error: that is the number
      void (size satisfies string);
      return start(self);
    },
  });
  // @ts-expect-error: a start function that wants what it is not handed
  DynamicSupervisor.startChild(runtime, plain!, { id: 'a', start: (self, _db: string) => start(self) });
}

export function partitioned(runtime: Runtime): void {
  const partitions = new Partitions<string>(4);
  PartitionSupervisor.start(runtime, { partitions, start });
  PartitionSupervisor.start(runtime, {
    partitions,
    // @ts-expect-error: the partitions take strings, these processes numbers
    start: (self) => self.spawnLink<number>(() => ({ receive() {} })),
  });
  PartitionSupervisor.start(runtime, {
    partitions,
    child: { start: (self, _name: string) => start(self) },
    arguments: ['shard'],
    withArguments: ([name], index) => [`${name} ${index}`],
  });
  PartitionSupervisor.start(runtime, {
    partitions,
    child: { start: (self, _name: string) => start(self) },
    // @ts-expect-error: the name is a string
    arguments: [7],
  });
  runtime.send(partitions.of('alice')!, 'hello');
  // @ts-expect-error: a key is no object
  partitions.of({ user: 'alice' });
}
