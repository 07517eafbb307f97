/**
 * What one operation costs while there are many of its kind: nothing may get slow by its size. Nanoseconds of processor
 * time for each operation, median of several rounds; a column for each size.
 */
import { type Pid, type Process, Runtime, type Timer } from '../../src/actors/index.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { DynamicSupervisor, Supervisor } from '../../src/supervisors/index.js';

const idle = { receive() {} };
const SAMPLE = 1000;
const ROUNDS = 15;

/** Makes `size` things and returns an operation on one of them; `at` runs from 0. */
type Operation = (size: number) => (at: number) => void;

interface Row {
  readonly title: string;
  readonly sizes: readonly number[];
  readonly operation: Operation;
}

function make(): Runtime {
  return new Runtime({ clock: new SystemClock(), random: new SystemRandom(), mailboxMax: 2 ** 24 });
}

/** A number below `size` that jumps about. */
function scatter(at: number, size: number): number {
  return (at * 2_654_435_761) % size;
}

const UP_TO_MILLION = [1_000, 10_000, 100_000, 1_000_000];
const UP_TO_100_K = [1_000, 10_000, 100_000];

const ROWS: readonly Row[] = [
  {
    title: 'message to one of n processes',
    sizes: UP_TO_MILLION,
    operation(size) {
      const runtime = make();
      const pids = Array.from({ length: size }, () => runtime.spawn<number>(() => idle));
      return (at) => {
        runtime.send(pids[scatter(at, size)]!, at);
        runtime.flush();
      };
    },
  },
  {
    title: 'spawn and end beside n processes',
    sizes: UP_TO_MILLION,
    operation(size) {
      const runtime = make();
      for (let at = 0; at < size; at++) runtime.spawn(() => idle);
      return () =>
        runtime.finish(
          runtime.spawn(() => idle),
          { type: 'normal' },
        );
    },
  },
  {
    title: 'set and cancel a timer beside n',
    sizes: UP_TO_MILLION,
    operation(size) {
      const runtime = make();
      const pid = runtime.spawn<number>(() => idle);
      for (let at = 0; at < size; at++) runtime.sendAfter(3_600_000 + scatter(at, size), pid, at);
      return (at) => runtime.cancelTimer(runtime.sendAfter(3_600_000 + scatter(at, size), pid, at));
    },
  },
  {
    title: 'cancel one of n timers, set it again',
    sizes: UP_TO_MILLION,
    operation(size) {
      const runtime = make();
      const pid = runtime.spawn<number>(() => idle);
      const set = (at: number) => runtime.sendAfter(3_600_000 + scatter(at, size), pid, at);
      const timers: Timer[] = Array.from({ length: size }, (_, at) => set(at));
      return (at) => {
        const one = scatter(at, size);
        runtime.cancelTimer(timers[one]!);
        timers[one] = set(one);
      };
    },
  },
  {
    title: 'message from a mailbox of n to itself',
    sizes: UP_TO_MILLION,
    operation(size) {
      const runtime = make();
      const pid = runtime.spawn<number>((self) => {
        for (let at = 0; at < size; at++) self.send(self, at);
        return idle;
      }) as Process<number>;
      return (at) => {
        pid.take();
        pid.deliver(at);
      };
    },
  },
  {
    title: 'link and unlink with one that has n links',
    sizes: UP_TO_100_K,
    operation(size) {
      const runtime = make();
      const hub = runtime.spawn<number>(() => idle, { trapExit: true });
      for (let at = 0; at < size; at++) runtime.spawn(() => idle, { link: hub });
      const self = runtime.spawn<number>(() => idle) as Process<number>;
      return () => {
        self.link(hub);
        self.unlink(hub);
      };
    },
  },
  {
    title: 'monitor and demonitor one with n monitors',
    sizes: UP_TO_100_K,
    operation(size) {
      const runtime = make();
      const hub = runtime.spawn<number>(() => idle);
      for (let at = 0; at < size; at++) (runtime.spawn(() => idle) as Process<never>).monitor(hub);
      const self = runtime.spawn<number>(() => idle) as Process<number>;
      return () => self.demonitor(self.monitor(hub));
    },
  },
  {
    title: 'register, look up, unregister beside n names',
    sizes: UP_TO_100_K,
    operation(size) {
      const runtime = make();
      for (let at = 0; at < size; at++) runtime.spawn(() => idle, { name: `name${at}` });
      const pid: Pid = runtime.spawn<number>(() => idle);
      return () => {
        runtime.register('another', pid);
        if (runtime.whereis('another') !== pid) throw new Error('it is not there');
        runtime.unregister('another');
      };
    },
  },
  {
    title: 'restart of one of n children',
    sizes: UP_TO_100_K,
    operation(size) {
      const runtime = make();
      const pids: Pid[] = [];
      Supervisor.start(runtime, {
        intensity: 1e9,
        children: Array.from({ length: size }, (_, at) => ({
          id: `child${at}`,
          start: (supervisor: Process<never>) => {
            const pid = supervisor.spawnLink(() => idle);
            pids[at] = pid;
            return pid;
          },
        })),
      });
      return (at) => {
        runtime.exit(pids[scatter(at, size)]!, { type: 'kill' });
        runtime.flush();
      };
    },
  },
  {
    title: 'start and stop a temporary child beside n',
    sizes: UP_TO_100_K,
    operation(size) {
      const runtime = make();
      const supervisor = DynamicSupervisor.start(runtime, {}).ok!;
      const spec = {
        id: 'c',
        restart: 'temporary' as const,
        start: (self: Process<never>) => self.spawnLink(() => idle),
      };
      for (let at = 0; at < size; at++) DynamicSupervisor.startChild(runtime, supervisor, spec);
      return () => {
        const { ok } = DynamicSupervisor.startChild(runtime, supervisor, spec);
        runtime.exit(ok!, { type: 'kill' });
        runtime.flush();
      };
    },
  },
];

function nanoseconds(operation: (at: number) => void): number {
  const rounds: number[] = [];
  let at = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const usage = process.cpuUsage();
    for (let left = SAMPLE; left > 0; left--) operation(at++);
    const { user, system } = process.cpuUsage(usage);
    rounds.push(((user + system) * 1e3) / SAMPLE);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

const columns = UP_TO_MILLION.map((size) => size.toLocaleString('en'));
console.log(`| ns of processor time for one, beside n others | ${columns.join(' | ')} |`);
console.log(`| --- | ${columns.map(() => '---').join(' | ')} |`);
for (const { title, sizes, operation } of ROWS) {
  const cells = UP_TO_MILLION.map((size) => {
    if (!sizes.includes(size)) return '';
    const run = operation(size);
    (globalThis as { gc?: () => void }).gc?.();
    return nanoseconds(run).toFixed(0);
  });
  console.log(`| ${title} | ${cells.join(' | ')} |`);
}
process.exit(0);
