import { getHeapStatistics } from 'node:v8';
import { type MailboxReport, topMailboxes } from '../actors/mailbox-report.js';
import type { Runtime } from '../actors/runtime.js';
import type { Backlog, BackloggedProcess } from '../metrics/alerts/backlog-source.js';
import type { Answers } from './answers.js';

/** The topic under which a scheduler is asked for what alerts are about. */
export const ALERT_TOPIC = 'alerts';

export interface AlertQuestion {
  /** Processes wanted at most, of the longest mailboxes and of the oldest messages. */
  readonly max: number;
}

/** What a thread answers: a sign of life, too. */
export interface AlertAnswer extends Backlog {
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
}

/** Has a scheduler tell of its processes with a backlog, and of its heap. */
export function registerAlerts(answers: Answers, runtime: Runtime): void {
  answers.on<AlertQuestion>(ALERT_TOPIC, ({ max }): AlertAnswer => {
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    return {
      processes: backlogOf(runtime, max),
      heapUsedBytes: used_heap_size,
      heapLimitBytes: heap_size_limit,
    };
  });
}

/** The processes of a runtime with the longest mailboxes and those with the oldest messages, each once. */
export function backlogOf(runtime: Runtime, max: number): readonly BackloggedProcess[] {
  if (runtime.mailboxes.backlogged === 0) return [];
  const found = new Map<number, MailboxReport>();
  for (const by of ['length', 'delay'] as const) {
    for (const report of topMailboxes(runtime, by, max)) if (report.length > 0) found.set(report.id, report);
  }
  return [...found.values()].map(processOf);
}

function processOf(report: MailboxReport): BackloggedProcess {
  const { pid, label, path, handler, length, oldestMs, inRate, outRate, drainMs } = report;
  return {
    pid,
    label,
    path,
    handler: handler === '' ? null : handler,
    length,
    oldestMs,
    fillPerSecond: inRate.per1,
    drainPerSecond: outRate.per1,
    drainMs,
  };
}
