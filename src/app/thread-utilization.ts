import { type EventLoopUtilization, performance } from 'node:perf_hooks';

let before: EventLoopUtilization | undefined;
let pausedBefore = 0;

/**
 * The share of the time (0–1) in which this thread was busy since the last call. `pausedMs`: how long it has paused within
 * its event loop since its start, which the event loop takes for work.
 */
export function threadUtilization(pausedMs = 0): number {
  const now = performance.eventLoopUtilization();
  const { idle, active } = before === undefined ? now : performance.eventLoopUtilization(now, before);
  const worked = Math.max(0, active - (pausedMs - pausedBefore));
  before = now;
  pausedBefore = pausedMs;
  return active === 0 ? 0 : worked / (idle + active);
}
