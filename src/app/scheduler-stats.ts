import type { EventLoopUtilization } from 'node:perf_hooks';
import { performance } from 'node:perf_hooks';
import type { Listener } from '../transport/listener.js';
import type { ChatScheduler } from './chat-scheduler.js';
import type { SchedulerStats } from './thread-messages.js';

let before: EventLoopUtilization | undefined;

/** The share of the time in which this thread's event loop was busy since the last call. */
export function utilization(): number {
  const now = performance.eventLoopUtilization();
  const share =
    before === undefined ? now.utilization : performance.eventLoopUtilization(now, before).utilization;
  before = now;
  return share;
}

/** What the operator sees of a scheduler thread. */
export function schedulerStats(scheduler: ChatScheduler, listener: Listener | null): SchedulerStats {
  const { runtime, stats } = scheduler.node;
  const mailboxes = scheduler.mailboxes();
  return {
    chat: { ...stats },
    processes: runtime.processCount,
    runQueue: runtime.runQueueLength,
    mailboxTotal: mailboxes.waiting,
    mailboxLongest: mailboxes.longest,
    listener: { ...listener?.counters },
    connections: listener?.connections ?? 0,
    heapUsedBytes: process.memoryUsage().heapUsed,
    utilization: utilization(),
  };
}
