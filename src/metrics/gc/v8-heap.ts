import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { HeapUse } from './gc-deferral.js';
import type { Collector, HeapSlack } from './idle-collections.js';

type Gc = (options?: { readonly type: 'minor' | 'major' }) => void;

/** The heap of the thread that calls. */
export function heapUse(): HeapUse {
  const { used_heap_size: usedBytes, heap_size_limit: limitBytes } = getHeapStatistics();
  return { usedBytes, limitBytes };
}

/** V8's own collector of the thread that calls, asked for collections as with `--expose-gc`. */
export class V8Collector implements Collector {
  #gc: Gc | null = null;

  slack(): HeapSlack {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    return { youngBytes: young?.space_used_size ?? 0, usedBytes: getHeapStatistics().used_heap_size };
  }

  minor(): void {
    this.#collect({ type: 'minor' });
  }

  full(): void {
    this.#collect({ type: 'major' });
  }

  #collect(options: { readonly type: 'minor' | 'major' }): void {
    if (this.#gc === null) {
      // The flag is the whole process's, and only new contexts look at it. It stays: another thread may be just here, too,
      // and would find no `gc` if this one took the flag back.
      setFlagsFromString('--expose-gc');
      this.#gc = runInNewContext('gc') as Gc;
    }
    this.#gc(options);
  }
}
