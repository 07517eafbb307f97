/**
 * What the native guard costs: the same work in turns of the event loop, without a guard, without one but with a clock that
 * is read for each slice (`longScheduleMs`), and guarded. Each run is a program of its own, and they take turns:
 * `node dist/bench/runtime/guard.js`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Pid, Runtime } from '../../src/actors/index.js';
import { guardMissing, NativeGuard } from '../../src/schedulers/native-guard.js';
import { SystemClock } from '../../src/structures/system-clock.js';
import { SystemRandom } from '../../src/structures/system-random.js';
import { fixed, markdownTable } from '../measure/markdown-table.js';

const ROUNDS = 5;
const KINDS = ['without', 'clock', 'guarded'] as const;
type Kind = (typeof KINDS)[number];

function make(kind: Kind): Runtime {
  return new Runtime({
    clock: new SystemClock(),
    random: new SystemRandom(),
    ...(kind === 'clock' ? { longScheduleMs: 100 } : {}),
    ...(kind === 'guarded' ? { guard: NativeGuard.attach() } : {}),
  });
}

/** Turns of the event loop, until it is done. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

/** Each returns how many things it did. */
const works: Readonly<Record<string, (runtime: Runtime) => Promise<number>>> = {
  async 'ping-pong, messages'(runtime) {
    let left = 1_000_000;
    const player = (peer: () => Pid<number>): Pid<number> =>
      runtime.spawn<number>((self) => ({
        receive(message) {
          if (--left > 0) self.send(peer(), message as number);
        },
      }));
    const a: Pid<number> = player(() => b);
    const b: Pid<number> = player(() => a);
    runtime.send(a, 1);
    await until(() => left <= 0);
    return 1_000_000;
  },
  async 'fan-in of 100, messages'(runtime) {
    const count = 960_000;
    let left = count;
    const sink = runtime.spawn<number>(() => ({ receive: () => void left-- }));
    for (let at = 0; at < 100; at++) {
      let rounds = count / 6400;
      const sender = runtime.spawn<number>((self) => ({
        receive() {
          for (let message = 0; message < 64; message++) self.send(sink, 1);
          if (--rounds > 0) self.send(self as Pid<number>, 0);
        },
      }));
      runtime.send(sender, 0);
    }
    await until(() => left <= 0);
    return count;
  },
  async 'dispatch, messages'(runtime) {
    const sink = runtime.spawn<number>(() => ({ receive() {} }));
    for (let message = 0; message < 1_000_000; message++) runtime.dispatch(sink, message);
    return 1_000_000;
  },
  async 'spawn and exit, processes'(runtime) {
    let left = 100_000;
    const breeder = runtime.spawn<number>((self) => ({
      receive() {
        const child = self.spawn<number>((own) => ({ receive: () => own.exit({ type: 'normal' }) }));
        self.send(child, 0);
        if (--left > 0) self.send(self as Pid<number>, 0);
      },
    }));
    runtime.send(breeder, 0);
    await until(() => left <= 0);
    return 100_000;
  },
};

const [, , name, kind] = process.argv;
if (name !== undefined && kind !== undefined) {
  const work = works[name];
  if (work === undefined) throw new Error(`no such work: ${name}`);
  const runtime = make(kind as Kind);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    const count = await work(runtime);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (1000 * (user + system)) / count);
  }
  console.log(best);
  process.exit(0);
}

const missing = guardMissing();
if (missing !== null) throw missing;
const rows = Object.keys(works).map((work) => {
  const nanoseconds: Record<Kind, number> = { without: Infinity, clock: Infinity, guarded: Infinity };
  for (let round = 0; round < 3; round++) {
    for (const one of KINDS) {
      const script = fileURLToPath(import.meta.url);
      const { stdout, status } = spawnSync(process.execPath, [script, work, one], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (status !== 0) throw new Error(`${work} ${one} ended with ${status}`);
      nanoseconds[one] = Math.min(nanoseconds[one], Number(stdout));
    }
  }
  return [work, ...KINDS.map((one) => fixed(nanoseconds[one]))];
});
console.log(
  markdownTable(['ns of processor time for each', 'without', 'a clock for each slice', 'guarded'], rows),
);
