/**
 * Where the threads of a server that is measured begin (more-processes.js): its schedulers get processes beside their own, and
 * each of these a message now and then. Then the thread is what it always is.
 */
import { workerData } from 'node:worker_threads';
import type { Pid } from '../../src/actors/pid.js';
import { Runtime } from '../../src/actors/runtime.js';

const COUNT = Number(process.env['BENCH_PROCESSES'] ?? 0);
const MESSAGES_PER_SECOND = Number(process.env['BENCH_MESSAGES'] ?? 0);
const BEAT_MS = 10;

function fill(runtime: Runtime): void {
  const pids: Pid<number>[] = [];
  for (let index = 0; index < COUNT; index++)
    pids.push(runtime.spawn<number>(() => ({ receive() {} }), { label: `beside-${index}` }));
  let next = 0;
  const beat = () => {
    for (let sent = 0; sent < (MESSAGES_PER_SECOND * BEAT_MS) / 1000; sent++) {
      runtime.send(pids[next]!, sent);
      next = (next + 7919) % pids.length;
    }
    runtime.clock.setTimer(beat, BEAT_MS);
  };
  if (MESSAGES_PER_SECOND > 0) beat();
}

if ((workerData as { role?: string } | null)?.role === 'scheduler' && COUNT > 0) {
  const { spawn } = Runtime.prototype;
  // The first process of its tree says that the scheduler is there.
  Runtime.prototype.spawn = function (this: Runtime, ...args: Parameters<typeof spawn>) {
    Runtime.prototype.spawn = spawn;
    this.clock.setTimer(() => fill(this), 100);
    return spawn.apply(this, args);
  } as typeof spawn;
}

await import(process.env['BENCH_ENTRY']!);
