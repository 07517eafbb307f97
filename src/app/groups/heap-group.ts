import { gauge } from '../../metrics/columns.js';
import type { GroupSource } from '../../metrics/reading.js';

/** The heap of a thread when it was last heard of. */
export interface Heap {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** How full the heaps of the schedulers are. They are as the threads told them last: nobody is asked for it. */
export function heapGroup(heaps: () => ReadonlyMap<string, Heap>): GroupSource {
  return {
    description: {
      name: 'heap',
      version: 1,
      title: 'V8 heaps',
      instance: 'thread',
      columns: [
        gauge('used', 'By', 'Bytes in use.'),
        gauge('limit', 'By', 'Bytes that there can be: beyond, the thread ends.'),
        gauge('share', '1', 'The used share of it.'),
      ],
    },
    read() {
      return [...heaps()].map(([instance, { usedBytes, limitBytes }]) => ({
        instance,
        figures: [usedBytes, limitBytes, usedBytes / limitBytes],
      }));
    },
  };
}
