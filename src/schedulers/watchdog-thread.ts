/** The thread behind `watchThisThread`: a watchdog for a runtime that has no other thread which could watch it. */
import { parentPort, workerData } from 'node:worker_threads';
import { SystemClock } from '../structures/system-clock.js';
import type { GuardHandle } from './native-guard.js';
import { Watchdog, type WatchLimits } from './watchdog.js';

/** What it is started with. */
export interface WatchdogThreadData {
  readonly name: string;
  readonly guard: GuardHandle;
  readonly limits: WatchLimits;
}

const { name, guard, limits } = workerData as WatchdogThreadData;
const port = parentPort;
if (port === null) throw new Error('a watchdog thread is started by watchThisThread');
const watchdog = new Watchdog({
  clock: new SystemClock(),
  ...limits,
  onEvent: (event) => port.postMessage(event),
});
watchdog.watch(name, guard);
// The clock's timers do not keep the thread; this does, until it is told to go.
port.once('message', () => watchdog.close());
