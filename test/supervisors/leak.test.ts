/** A million processes are started, end, and are started again: the memory comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ExitReason, type Pid, type Process, Runtime, sleep } from '../../src/actors/index.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { type ChildSpec, DynamicSupervisor, Supervisor } from '../../src/supervisors/index.js';

const CHILDREN = 500;
/** What V8 itself still learns may grow. A word for each process that is not given back is five times this. */
const BYTES_MAX = 1_500_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Ends by itself, killed, or asked to, in turn; every fifth takes its time. */
function child(id: string, restart: 'permanent' | 'temporary'): ChildSpec {
  let starts = 0;
  return {
    id,
    restart,
    *start(self: Process<never>) {
      starts++;
      if (starts % 7 === 0) return { error: ExitReason.custom('not now') };
      if (starts % 5 === 0) yield* sleep(0);
      return self.spawnLink<string>((process) => {
        process.trapExit = starts % 3 === 0;
        return { receive: (message) => process.exit(ExitReason.custom(message)) };
      });
    },
  };
}

test('a million processes', async () => {
  const clock = new SimulatedClock();
  const runtime = new Runtime({ clock, random: new SeededRandom(1) });
  const rest = <T>(promise: Promise<T>): Promise<T> => {
    runtime.flush();
    return promise;
  };
  const fixed = Supervisor.start(runtime, { intensity: 10 * CHILDREN, periodMs: 1 }).ok!;
  for (let at = 0; at < CHILDREN; at++) Supervisor.startChild(runtime, fixed, child(`c${at}`, 'permanent'));
  const dynamic = DynamicSupervisor.start(runtime, { intensity: 10 * CHILDREN, periodMs: 1 }).ok!;
  const simple = Supervisor.start(runtime, {
    strategy: 'simple_one_for_one',
    intensity: 10 * CHILDREN,
    periodMs: 1,
    children: [child('x', 'permanent')],
  }).ok!;

  const kinds = [child('t', 'temporary'), child('p', 'permanent')];
  let started = 0;
  const round = async (at: number) => {
    for (let n = 0; n < CHILDREN / 2; n++) {
      DynamicSupervisor.startChild(runtime, dynamic, kinds[n % 2]!);
      Supervisor.startChild(runtime, simple, []);
      runtime.flush();
    }
    for (const supervisor of [fixed, dynamic, simple]) {
      for (const { pid } of await rest(Supervisor.whichChildren(runtime, supervisor))) {
        started++;
        if (at % 2 === 0) runtime.exit(pid as Pid, ExitReason.kill);
        else runtime.send(pid as Pid<string>, 'end');
      }
      runtime.flush();
    }
    for (const supervisor of [dynamic, simple]) {
      const answers: Promise<unknown>[] = [];
      for (const { pid } of await rest(Supervisor.whichChildren(runtime, supervisor))) {
        started++;
        answers.push(Supervisor.terminateChild(runtime, supervisor, pid as Pid));
      }
      await rest(Promise.all(answers));
    }
    clock.advance(10);
    runtime.flush();
  };
  const heap = () => {
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };
  for (let at = 0; at < 150; at++) await round(at);
  const before = heap();
  started = 0;
  for (let at = 0; started < 1_000_000; at++) await round(at);
  const grown = heap() - before;
  assert.equal(runtime.processCount, CHILDREN + 3);
  assert.ok(grown < BYTES_MAX, `${grown} bytes more`);
  await rest(Promise.all([fixed, dynamic, simple].map((supervisor) => runtime.stop(supervisor))));
  assert.equal(runtime.processCount, 0);
  assert.equal(runtime.timers.size, 0);
});
