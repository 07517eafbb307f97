/** A thread that asks a guarded one, at random moments, to cut off one piece of work. */
import { workerData } from 'node:worker_threads';
import { type GuardHandle, GuardRequest, interrupt } from '../../src/schedulers/native-guard.js';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { Wanted } from './wanted.js';

export interface AskingData {
  readonly wanted: Int32Array;
  readonly guard: GuardHandle;
  /** The longest pause before a request, in rounds of a loop: 1000 are a few microseconds. */
  readonly pauseMax: number;
}

const { wanted, guard, pauseMax } = workerData as AskingData;
const random = new SeededRandom(11);
for (;;) {
  Atomics.wait(wanted, 0, Wanted.nothing);
  for (let left = random.next() * pauseMax; left > 0; left--) Math.sqrt(left);
  if (Atomics.load(wanted, 0) === Wanted.end) break;
  interrupt(guard, GuardRequest.cut, wanted[1]!, wanted[2]!, 1);
}
