import { counter, gauge, peak } from '../../../src/metrics/columns.js';
import type { Figure, GroupDescription, Reading } from '../../../src/metrics/reading.js';
import { type Sample, sampleOf } from '../../../src/metrics/recording/sample.js';

/** A group with a column of each kind. */
export const SCHED: GroupDescription = {
  name: 'sched',
  version: 1,
  title: 'Schedulers',
  instance: 'scheduler',
  columns: [
    counter('slices', '{slice}', 'Slices run.'),
    counter('gc', 'ms', 'Time in GC.'),
    gauge('runq', '{process}', 'Processes that wait.'),
    peak('longest', 'ms', 'The longest slice.'),
    counter('sent', 'By', 'Bytes sent.'),
  ],
};

export const MEM: GroupDescription = {
  name: 'mem',
  version: 1,
  title: 'Memory',
  instance: null,
  columns: [gauge('resident', 'By', 'Memory.'), gauge('share', '1', 'Of all.')],
};

/** 2026-11-22 10:00 local time. */
export const TEN = new Date(2026, 10, 22, 10).getTime();

export type Rows = Readonly<Record<string, readonly Figure[]>>;

export function reading(seconds: number, rows: Rows, mem: readonly Figure[] | null = null): Reading {
  return {
    version: 1,
    at: TEN + seconds * 1000,
    uptimeMs: 5000 + seconds * 1000,
    groups: {
      sched: Object.entries(rows).map(([instance, figures]) => ({ instance, figures })),
      ...(mem === null ? {} : { mem: [{ instance: '', figures: mem }] }),
    },
  };
}

export function sample(seconds: number, rows: Rows, mem: readonly Figure[] | null = null): Sample {
  return sampleOf(reading(seconds, rows, mem), [SCHED, MEM]);
}
