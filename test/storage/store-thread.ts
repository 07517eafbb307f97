/** A writer thread over a SQLite store, for tests and benchmarks. Say `close` and it answers `closed`. */
import { parentPort, workerData } from 'node:worker_threads';
import { DEFAULT_STORE_LIMITS } from '../../src/storage/limits.js';
import { SqliteStore } from '../../src/storage/sqlite/sqlite-store.js';
import type { StoreRings } from '../../src/storage/store-rings.js';
import { StoreWriter } from '../../src/storage/store-writer.js';
import type { StoreLimits } from '../../src/storage/stores.js';
import { SystemClock } from '../../src/structures/system-clock.js';

export interface StoreThreadData {
  readonly folder: string;
  readonly rings: readonly { readonly scheduler: number; readonly rings: StoreRings }[];
  readonly limits?: Partial<StoreLimits>;
  /** Throws at its `n`th commit, before or behind what that does. */
  readonly die?: { readonly commit: number; readonly when: 'before' | 'behind' };
}

const { folder, rings, limits, die } = workerData as StoreThreadData;
const clock = new SystemClock();
const writer = new StoreWriter({
  clock,
  open: (events) =>
    SqliteStore.open({
      folder,
      limits: { ...DEFAULT_STORE_LIMITS, ...limits },
      events,
      now: clock.wall(),
    }),
});
if (die !== undefined) {
  const { store } = writer;
  const commit = store.commit.bind(store);
  let commits = 0;
  store.commit = () => {
    const last = ++commits === die.commit;
    if (last && die.when === 'before') throw new Error('the test wants this thread to die');
    const failure = commit();
    if (last) throw new Error('the test wants this thread to die');
    return failure;
  };
}
for (const { scheduler, rings: pair } of rings) writer.attach(scheduler, pair);
const port = parentPort!;
port.postMessage({ type: 'open', epoch: writer.store.epoch });
port.on('message', (message: string) => {
  if (message === 'close') {
    const { counters } = writer;
    const cpu = process.cpuUsage();
    writer.close();
    port.postMessage({ type: 'closed', counters, cpu, utilization: performance.eventLoopUtilization() });
    port.close();
  } else if (message === 'counters') {
    port.postMessage({ type: 'counters', counters: writer.counters });
  }
});
