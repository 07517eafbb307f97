import type { Figure } from '../reading.js';

/** What is asked of `perf stat`, in the order of group `hw`'s columns. */
export const HARDWARE_EVENTS = [
  'cycles',
  'instructions',
  'cache-references',
  'cache-misses',
  'branches',
  'branch-misses',
] as const;

export interface PerfLine {
  /** Seconds since perf began. */
  readonly seconds: number;
  /** Index in {@link HARDWARE_EVENTS}. */
  readonly event: number;
  /** In the interval that ended then; null: not counted, or not supported. */
  readonly value: Figure;
  /** False: this machine has no such counter, or does not let us have it. */
  readonly isSupported: boolean;
}

/** One line of `perf stat -x, -I …`: time, value, unit, event, …; null for any other line. */
export function parsePerf(line: string): PerfLine | null {
  const [time = '', value = '', , name = ''] = line.split(',');
  // `cycles:u` where the kernel's own must not be counted.
  const event = HARDWARE_EVENTS.indexOf(name.split(':')[0] as (typeof HARDWARE_EVENTS)[number]);
  if (event < 0 || !/^\s*\d+\.\d+$/.test(time)) return null;
  const seconds = Number(time);
  if (/^\d+$/.test(value)) return { seconds, event, value: Number(value), isSupported: true };
  if (!value.startsWith('<not ')) return null;
  return { seconds, event, value: null, isSupported: value !== '<not supported>' };
}
