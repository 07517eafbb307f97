import { getHeapStatistics } from 'node:v8';
import { backloggedMailboxes, type MailboxReport } from '../actors/mailbox-report.js';
import type { Runtime } from '../actors/runtime.js';
import type { Backlog, BackloggedProcess } from '../metrics/alerts/backlog-source.js';
import type { Answers } from './answers.js';

/** The topic under which a scheduler is asked for what alerts are about. */
export const ALERT_TOPIC = 'alerts';

export interface AlertQuestion {
  /** Processes wanted at most. */
  readonly max: number;
}

/** What a thread answers: a sign of life, too. */
export interface AlertAnswer extends Backlog {
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
}

/** Has a thread tell of its processes with a backlog, if it has any, and of its heap. */
export function registerAlerts(answers: Answers, runtime: Runtime | null): void {
  answers.on<AlertQuestion>(ALERT_TOPIC, ({ max }): AlertAnswer => {
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    return {
      processes: runtime === null ? [] : backloggedMailboxes(runtime, max).map(processOf),
      heapUsedBytes: used_heap_size,
      heapLimitBytes: heap_size_limit,
    };
  });
}

export function processOf(report: MailboxReport): BackloggedProcess {
  const { pid, label, path, handler, suspended, length, oldestMs, inRate, outRate, drainMs } = report;
  return {
    pid,
    label,
    path,
    handler: handler === '' ? null : handler,
    suspended,
    length,
    oldestMs,
    fillPerSecond: inRate.per1,
    drainPerSecond: outRate.per1,
    drainMs,
  };
}
