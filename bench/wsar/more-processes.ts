/**
 * Loaded before a server that is measured (`--import`): its threads begin with many-processes.js, which gives schedulers processes
 * beside their own. A worker thread has no `--import` of its own.
 */
import { syncBuiltinESMExports } from 'node:module';
import workers, { isMainThread, type WorkerOptions } from 'node:worker_threads';

if (isMainThread) {
  const { Worker } = workers;
  const begin = new URL('./many-processes.js', import.meta.url);
  workers.Worker = class extends Worker {
    constructor(entry: string | URL, options: WorkerOptions = {}) {
      super(begin, { ...options, env: { ...process.env, BENCH_ENTRY: String(entry) } });
    }
  };
  syncBuiltinESMExports();
}
