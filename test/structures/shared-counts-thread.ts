/** One of several threads that count together: adds and removes at random, and says what it holds in the end. */
import { parentPort, workerData } from 'node:worker_threads';
import { SeededRandom } from '../../src/structures/seeded-random.js';
import { SharedCounts } from '../../src/structures/shared-counts.js';

export interface CountingData {
  readonly memory: SharedArrayBuffer;
  readonly slots: number;
  readonly columns: number;
  readonly column: number;
  readonly keys: number;
  readonly max: number;
  readonly steps: number;
}

const data = workerData as CountingData;
const counts = new SharedCounts(data.memory, 0, data.slots, data.columns, data.column, 7);
const random = new SeededRandom(data.column);
const held: { key: string; slot: number }[] = [];
let refused = 0;
for (let step = 0; step < data.steps; step++) {
  const key = `key ${random.below(data.keys)}`;
  if (random.next() < 0.5 || held.length === 0) {
    const slot = counts.add(key, data.max);
    if (slot >= 0) held.push({ key, slot });
    else refused++;
  } else {
    const at = random.below(held.length);
    counts.remove(held[at]!.slot);
    held[at] = held[held.length - 1]!;
    held.pop();
  }
}
parentPort!.postMessage({ held, refused });
