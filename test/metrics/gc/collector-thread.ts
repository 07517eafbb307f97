/** Asks for collections again and again, each time as if it were the first in this thread, together with the other threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { V8Collector } from '../../../src/metrics/gc/v8-heap.js';

const { gate, threads, times } = workerData as { gate: Int32Array; threads: number; times: number };
if (Atomics.add(gate, 0, 1) === threads - 1) Atomics.notify(gate, 0);
for (let arrived = Atomics.load(gate, 0); arrived < threads; arrived = Atomics.load(gate, 0)) {
  Atomics.wait(gate, 0, arrived);
}
for (let n = 0; n < times; n++) new V8Collector().minor();
parentPort?.postMessage(times);
