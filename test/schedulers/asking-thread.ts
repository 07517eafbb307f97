/** A thread that asks a guarded one, at random moments, to cut off the work of level 0 whose number stands in `wanted`. */
import { workerData } from 'node:worker_threads';
import { type GuardHandle, GuardRequest, interrupt } from '../../src/schedulers/native-guard.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';

export interface AskingData {
  /** [0]: 0 nothing, 1 ask, 2 the end; [1]: the number of the work. */
  readonly wanted: Int32Array;
  readonly guard: GuardHandle;
}

const { wanted, guard } = workerData as AskingData;
const random = new SeededRandom(11);
for (;;) {
  Atomics.wait(wanted, 0, 0);
  if (Atomics.load(wanted, 0) === 2) break;
  interrupt(guard, GuardRequest.cut, 0, Atomics.load(wanted, 1), 1);
  for (let left = random.next() * 3000; left > 0; left--) Math.sqrt(left);
}
