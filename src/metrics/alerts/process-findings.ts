import type { Finding } from './alert.js';
import type { Observation } from './alert-book.js';
import type { AlertRule } from './alert-rules.js';
import type { BackloggedProcess } from './backlog-source.js';
import { count, duration, rate } from './words.js';

/** What the rules about processes have to say of these. */
export function* processObservations(
  rules: readonly AlertRule[],
  processes: readonly BackloggedProcess[],
): Generator<Observation> {
  for (const process of processes) {
    const find = () => findingOf(process);
    for (const rule of rules) {
      if (rule.source.kind !== 'process') continue;
      const value = figureOf(process, rule.source.figure);
      yield { rule, subject: process.pid, label: process.label, value, find };
    }
  }
}

function figureOf(process: BackloggedProcess, figure: 'length' | 'growth' | 'age'): number {
  switch (figure) {
    case 'length':
      return process.length;
    case 'growth':
      return Math.max(0, process.fillPerSecond - process.drainPerSecond);
    case 'age':
      return process.oldestMs;
  }
}

function findingOf(process: BackloggedProcess): Finding {
  const { pid, label, path, handler, suspended, length, oldestMs, fillPerSecond, drainPerSecond, drainMs } =
    process;
  return {
    line: processLine(process),
    details: {
      process: pid,
      label,
      path,
      handler,
      suspended: suspended ? 1 : 0,
      length,
      delayMs: Math.round(oldestMs),
      fillPerSecond: Math.round(fillPerSecond),
      drainPerSecond: Math.round(drainPerSecond),
      drainMs: drainMs === null ? null : Math.round(drainMs),
    },
  };
}

/**
 * `partition-17 <2.45> (rookery/scheduler-2/partitions/partition-17) has 612,340 messages waiting, the oldest for 15 s;
 * in Partition.receive(entry); 21 K/s in, 40 K/s out: empty in about 41 s`
 */
export function processLine(process: BackloggedProcess): string {
  const { pid, label, path, handler, length, oldestMs, fillPerSecond, drainPerSecond } = process;
  const place = path.length === 0 ? '' : ` (${[...path, label].join('/')})`;
  const where = handler === null ? '' : `; in ${handler}`;
  const messages = length === 1 ? '1 message' : `${count(length)} messages`;
  const rates = `${rate(fillPerSecond)} in, ${rate(drainPerSecond)} out`;
  return `${label} ${pid}${place} has ${messages} waiting, the oldest for ${duration(oldestMs)}${where}; ${rates}: ${prospect(process)}`;
}

/** Less is written as 0: rates decay, and are never quite that. */
const SOME_PER_SECOND = 0.05;

function prospect({ suspended, fillPerSecond, drainPerSecond, drainMs }: BackloggedProcess): string {
  if (drainMs !== null) return `empty in about ${duration(drainMs)}`;
  if (drainPerSecond >= SOME_PER_SECOND) return 'it does not get shorter';
  if (suspended) return 'it is suspended';
  return fillPerSecond < SOME_PER_SECOND ? 'it stands still' : 'it does not get shorter';
}
