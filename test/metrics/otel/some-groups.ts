import { counter, gauge, peak } from '../../../src/metrics/columns.js';
import type { ReadableGroups } from '../../../src/metrics/otel/group-instruments.js';
import type { GroupDescription, Reading, Row } from '../../../src/metrics/reading.js';

const GROUPS: readonly GroupDescription[] = [
  {
    name: 'sched',
    version: 1,
    title: 'Schedulers',
    instance: 'scheduler',
    columns: [
      counter('slices', '{slice}', 'Slices run.'),
      gauge('run_queue', '{process}', 'Processes that wait.'),
      peak('slice_ms_max', 'ms', 'The longest slice.'),
    ],
  },
  {
    name: 'os',
    version: 1,
    title: 'Machine',
    instance: null,
    columns: [
      counter('user', 'ms', 'In programs.'),
      counter('system', 'ms', 'In the kernel.'),
      gauge('cpus', '{cpu}', 'CPUs.'),
    ],
  },
];

/** Groups whose rows a test sets. */
export class SomeGroups implements ReadableGroups {
  reads = 0;
  uptimeMs = 1500;
  rows: Record<string, readonly Row[]> = {
    sched: [
      { instance: 'scheduler-1', figures: [10, 3, 250] },
      { instance: 'scheduler-"2"', figures: [20, null, 500] },
    ],
    os: [{ instance: '', figures: [4000, 1000, 2] }],
  };

  describe(): readonly GroupDescription[] {
    return GROUPS;
  }

  read(): Promise<Reading> {
    this.reads++;
    return Promise.resolve({ version: 1, at: 1_000_000, uptimeMs: this.uptimeMs, groups: this.rows });
  }
}

export const SERVICE = { version: '1.2.3', instance: 'host:8470', pid: 7, nodeVersion: 'v20.1.0' };
