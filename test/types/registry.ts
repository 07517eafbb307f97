/** What the compiler has to accept and refuse of registries and groups. Compiled with everything else, and never run. */
import {
  type Blocking,
  call,
  GenServer,
  type Pid,
  type Process,
  type Runtime,
  type ServerPid,
} from '../../src/actors/index.js';
import { GroupMessage, ProcessGroups, Registry } from '../../src/registry/index.js';

type Calls = readonly ['get', number] | readonly [{ readonly add: number }, 'added'];
type Counter = ServerPid<Calls, 'reset', 'tick'>;

export function keys(runtime: Runtime, counter: Counter, other: Pid<number>): void {
  const registry = new Registry<number, undefined, Counter>(runtime);
  registry.register(counter, 1);
  // @ts-expect-error a key of another type
  registry.register(counter, '1');
  // @ts-expect-error a process that takes something else
  registry.register(other, 1);
  // @ts-expect-error this registry has no values
  registry.register(counter, 1, 'value');
  const found: Counter | undefined = registry.whereis(1);
  // @ts-expect-error it may not be there
  runtime.send(registry.whereis(1), 'tick');
  if (found !== undefined) runtime.send(found, 'tick');
  // @ts-expect-error not a message of its
  if (found !== undefined) runtime.send(found, 'tock');
}

export function values(runtime: Runtime, pid: Pid<unknown>): void {
  const registry = new Registry<string, { readonly age: number }>(runtime);
  registry.register(pid, 'x', { age: 1 });
  // @ts-expect-error a value is needed
  registry.register(pid, 'x');
  // @ts-expect-error and of the right type
  registry.register(pid, 'x', { age: '1' });
  registry.via('x', { age: 1 });
  // @ts-expect-error likewise
  registry.via('x');
  const age: number | undefined = registry.updateValue(pid, 'x', ({ age }) => ({ age: age + 1 }))?.value.age;
  // @ts-expect-error the update makes a value
  registry.updateValue(pid, 'x', ({ age }) => age);
  const ages: number[] = registry.select((key, _pid, value) => (key === 'x' ? value.age : undefined));
  void age;
  void ages;
}

export async function names(runtime: Runtime): Promise<void> {
  const registry = new Registry<string, undefined, Counter>(runtime);
  const name = registry.via('x');
  const count: number = await GenServer.call(runtime, name, 'get');
  const added: 'added' = await GenServer.call(runtime, name, { add: 1 });
  // @ts-expect-error no such request
  await GenServer.call(runtime, name, 'put');
  // @ts-expect-error the reply is a number
  const wrong: string = await GenServer.call(runtime, name, 'get');
  GenServer.cast(runtime, name, 'reset');
  // @ts-expect-error no such cast
  GenServer.cast(runtime, name, 'unset');
  // @ts-expect-error a key of another type
  registry.via(1);
  void [count, added, wrong];
}

export function* waiting(registry: Registry<string, undefined, Counter>): Blocking<number> {
  const count: number = yield* call(registry.via('x'), 'get');
  // @ts-expect-error no such request
  yield* call(registry.via('x'), 'put');
  return count;
}

export function* groups(self: Process<string>, runtime: Runtime, other: Pid<number>): Blocking<void> {
  const rooms = new ProcessGroups<'lobby' | 'bar', Pid<string>>('rooms');
  yield* rooms.join('lobby', self);
  yield* rooms.join('bar', [self, self]);
  // @ts-expect-error no such group
  yield* rooms.join('cellar', self);
  // @ts-expect-error a process that takes something else
  yield* rooms.join('bar', other);
  for (const pid of rooms.getMembers(runtime, 'bar')) self.send(pid, 'hello');
  // @ts-expect-error its members take strings
  for (const pid of rooms.getMembers(runtime, 'bar')) self.send(pid, 1);
  const left: 'ok' | 'not_joined' = yield* rooms.leave('bar', self);
  const { ref, members } = yield* rooms.monitor('bar');
  const had: boolean = yield* rooms.demonitor(ref);
  const first: Pid<string> | undefined = members[0];
  // @ts-expect-error a group is called by a plain value
  new ProcessGroups<{ readonly room: number }>('rooms');
  void [left, had, first, GroupMessage];
}
