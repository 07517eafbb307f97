import { readdirSync, readFileSync } from 'node:fs';

/** What a process has used since its start, from /proc: it covers every thread, also those that ended. */
export interface ProcessUsage {
  /** User and system time. */
  readonly cpuSeconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly residentBytes: number;
}

/** CPU seconds of one thread that is still alive. */
export interface ThreadUsage {
  readonly id: number;
  readonly name: string;
  readonly cpuSeconds: number;
}

/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

/** Throws when the process is gone. */
export function processUsage(pid: number): ProcessUsage {
  const times = cpuTimes(`/proc/${pid}/stat`);
  const resident = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
  return {
    cpuSeconds: times.user + times.system,
    userSeconds: times.user,
    systemSeconds: times.system,
    residentBytes: resident * PAGE_BYTES,
  };
}

/** The threads of a process, the busiest first. */
export function threadUsage(pid: number): ThreadUsage[] {
  const threads: ThreadUsage[] = [];
  for (const id of readdirSync(`/proc/${pid}/task`)) {
    try {
      const { name, user, system } = cpuTimes(`/proc/${pid}/task/${id}/stat`);
      threads.push({ id: Number(id), name, cpuSeconds: user + system });
    } catch {
      // It ended since the folder was read.
    }
  }
  return threads.sort((a, b) => b.cpuSeconds - a.cpuSeconds);
}

/** What each thread used between two readings, the busiest first; threads that used nothing are left out. */
export function threadUsageBetween(
  before: readonly ThreadUsage[],
  after: readonly ThreadUsage[],
): ThreadUsage[] {
  const earlier = new Map(before.map((thread) => [thread.id, thread.cpuSeconds]));
  return after
    .map((thread) => ({ ...thread, cpuSeconds: thread.cpuSeconds - (earlier.get(thread.id) ?? 0) }))
    .filter((thread) => thread.cpuSeconds > 0)
    .sort((a, b) => b.cpuSeconds - a.cpuSeconds);
}

function cpuTimes(file: string): { name: string; user: number; system: number } {
  const text = readFileSync(file, 'latin1');
  // The name stands in brackets and may hold anything, brackets too: fields are counted from its end.
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  return {
    name: text.slice(text.indexOf('(') + 1, nameEnd),
    user: Number(fields[11]) / TICKS_PER_SECOND,
    system: Number(fields[12]) / TICKS_PER_SECOND,
  };
}
