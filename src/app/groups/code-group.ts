import type { ModuleReport } from '../../hot-code/index.js';
import type { GroupSource, Row } from '../../metrics/reading.js';

/** `code`: the versions of each module that are alive, and how their calls go. */
export function codeGroup(report: () => Promise<readonly ModuleReport[]>): GroupSource {
  let latest: readonly ModuleReport[] | null = null;
  let rows: readonly Row[] = [];
  return {
    description: {
      name: 'code',
      version: 1,
      title: 'Hot code',
      instance: 'module',
      columns: [
        {
          name: 'versions',
          kind: 'gauge',
          unit: '{version}',
          description: 'Versions alive: current, previous, canary.',
        },
        {
          name: 'current',
          kind: 'gauge',
          unit: '{version}',
          description: 'Number of the current version; 0: the one of the program.',
        },
        {
          name: 'users',
          kind: 'gauge',
          unit: '{process}',
          description: 'Processes that run the current version.',
        },
        {
          name: 'old_users',
          kind: 'gauge',
          unit: '{process}',
          description: 'Processes that still run the previous version.',
        },
        { name: 'canary', kind: 'gauge', unit: '1', description: 'Share of the canary, from 0 to 1.' },
        { name: 'calls', kind: 'counter', unit: '{call}', description: 'Calls of the current version.' },
        { name: 'failures', kind: 'counter', unit: '{call}', description: 'Of them, calls that threw.' },
        { name: 'call_ms', kind: 'gauge', unit: 'ms', description: 'Mean time of a call, of one in 64.' },
        { name: 'canary_calls', kind: 'counter', unit: '{call}', description: 'Calls of the canary.' },
        {
          name: 'canary_failures',
          kind: 'counter',
          unit: '{call}',
          description: 'Of them, calls that threw.',
        },
      ],
    },
    async read() {
      const reports = await report();
      // The same reports, and so the same rows, while nothing happens.
      if (reports !== latest) rows = Object.freeze(reports.map(rowOf));
      latest = reports;
      return rows;
    },
  };
}

function rowOf({ module, current, previous, canary, canaryShare }: ModuleReport): Row {
  return {
    instance: module,
    figures: [
      1 + Number(previous !== null) + Number(canary !== null),
      current.number,
      current.users,
      previous?.users ?? 0,
      canaryShare,
      current.calls,
      current.failures,
      current.timedCalls === 0 ? null : current.timedMs / current.timedCalls,
      canary?.calls ?? 0,
      canary?.failures ?? 0,
    ],
  };
}
