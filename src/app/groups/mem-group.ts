import { getHeapStatistics } from 'node:v8';
import { gauge } from '../../metrics/columns.js';
import type { GroupSource } from '../../metrics/reading.js';
import type { FiguresOfThreads } from '../server-figures.js';
import { sumOf } from './sum-of.js';

/** Memory of the server. */
export function memGroup(threads: FiguresOfThreads, residentBytes: () => number): GroupSource {
  return {
    description: {
      name: 'mem',
      version: 1,
      title: 'Memory',
      instance: null,
      columns: [
        gauge('resident_bytes', 'By', 'Memory of the server as the operating system counts it.'),
        gauge('heap_bytes', 'By', 'V8 heaps in use: of main, the schedulers and the writer together.'),
        gauge('processes', '{process}', 'Processes of the runtime, over all schedulers.'),
      ],
    },
    async read() {
      const { schedulers, writer } = await threads.read();
      const heaps = [{ heapUsedBytes: getHeapStatistics().used_heap_size }, ...schedulers];
      if (writer !== null) heaps.push(writer);
      return [
        {
          instance: '',
          figures: [
            residentBytes(),
            sumOf(heaps, (stats) => stats.heapUsedBytes),
            sumOf(schedulers, (stats) => stats.processes),
          ],
        },
      ];
    },
  };
}
