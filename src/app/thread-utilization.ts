import { type EventLoopUtilization, performance } from 'node:perf_hooks';

let before: EventLoopUtilization | undefined;

/** The share of the time (0–1) in which this thread's event loop was busy since the last call. */
export function threadUtilization(): number {
  const now = performance.eventLoopUtilization();
  const share =
    before === undefined ? now.utilization : performance.eventLoopUtilization(now, before).utilization;
  before = now;
  return share;
}
