import { Worker } from 'node:worker_threads';
import type { NativeGuard } from './native-guard.js';
import type { WatchdogEvent, WatchLimits } from './watchdog.js';
import type { WatchdogThreadData } from './watchdog-thread.js';

/**
 * Has a small thread watch this one, for a runtime that runs on the main thread:
 *
 * ```ts
 * import { Runtime, SystemClock, SystemRandom } from 'rookery';
 * import { NativeGuard, watchThisThread } from 'rookery/schedulers';
 *
 * const guard = NativeGuard.attach();
 * const runtime = new Runtime({ clock: new SystemClock(), random: new SystemRandom(), events: console.error, guard });
 * const stop = watchThisThread(guard, { killMs: 1000 });
 * ```
 *
 * What runs outside of processes is not watched. What the watchdog has to tell arrives when this thread comes back to its
 * event loop. The thread does not keep the program alive. It takes about 10 MB.
 *
 * @returns stops it.
 */
export function watchThisThread(
  guard: NativeGuard,
  limits: WatchLimits = {},
  onEvent: (event: WatchdogEvent) => void = () => {},
): () => void {
  const data: WatchdogThreadData = { name: 'this thread', guard: guard.handle, limits };
  const worker = new Worker(new URL('./watchdog-thread.js', import.meta.url), {
    workerData: data,
    name: 'watchdog',
    // Not those of the program: some are only for its first file.
    execArgv: [],
  });
  worker.on('message', onEvent);
  worker.unref();
  return () => worker.postMessage('stop');
}
