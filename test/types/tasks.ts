/** What does not compile: results of tasks as something else, states that are none. */
import { type Process, sleep, sys, Task, type TaskOutcome } from '../../src/actors/index.js';
import { TaskSupervisor } from '../../src/supervisors/index.js';

export function* states() {
  const state = yield* sys.getState<{ count: number }>('server');
  // @ts-expect-error: the state is what was said that it is
  state.total;
  // @ts-expect-error: what replaces the state is a state
  yield* sys.replaceState<{ count: number }>('server', () => 1);
  // @ts-expect-error: a debug function returns its next state
  yield* sys.install('server', (count: number) => String(count), 0);
  // @ts-expect-error: a flag is true, false or get
  yield* sys.statistics('server', 'on');
}

export function* tasks(self: Process<unknown>) {
  const plain = Task.async(self, () => 1);
  const generator = Task.async(self, function* () {
    yield* sleep(1);
    return 'text';
  });
  const promise = Task.async(self, async () => true);
  const one: number = yield* Task.await(plain);
  const two: string = yield* Task.await(generator);
  const three: boolean = yield* Task.await(promise);
  const outcome: TaskOutcome<number> | null = yield* Task.yield(plain, 10);
  const values: string[] = yield* Task.asyncStream(self, [1, 2], (n) => String(n)).values();

  // @ts-expect-error: the result is a number
  const wrong: string = yield* Task.await(plain);
  // @ts-expect-error: it may not be done, or have ended without a result
  outcome.value;
  // @ts-expect-error: the inputs are numbers
  Task.asyncStream(self, [1, 2], (n: string) => n.length);
  // @ts-expect-error: no such thing can be done with those that take too long
  yield* Task.yieldMany([plain], { onTimeout: 'wait' });
  // @ts-expect-error: a task is waited for, not its process
  yield* Task.await(plain.pid);
  const supervised = yield* TaskSupervisor.asyncNolink(self, 'tasks', async () => 1);
  // @ts-expect-error: the result is a number
  const text: string = yield* Task.await(supervised);
  return [one, two, three, values, wrong, text];
}
