import type { RuntimeStat } from '../../actors/runtime-stats.js';
import { counter, gauge } from '../../metrics/columns.js';
import type { GroupSource, Row } from '../../metrics/reading.js';
import { StatsBlock } from '../../schedulers/index.js';
import { ThreadTimes } from './thread-times.js';
import type { WatchedThread } from './watched-thread.js';

export interface SchedGroupParts {
  /** The schedulers, and the other threads of the server behind them. */
  readonly threads: readonly WatchedThread[];
  /** Milliseconds of garbage collections of a thread since its start; null: not known. */
  readonly gcMs: (thread: string) => number | null;
  /** Times that a scheduler was woken by another one; null: none of the schedulers. */
  readonly wakes: (thread: string) => number | null;
}

/**
 * What the threads do with their time. Of one that hangs, too: nothing is asked of it. The states share the time: what
 * collections take within the others is taken out of them in equal parts.
 */
export function schedGroup({ threads, gcMs, wakes }: SchedGroupParts): GroupSource {
  const times = new Map(threads.map(({ name }) => [name, new ThreadTimes()]));
  const row = (thread: WatchedThread): Row[] => {
    const loop = thread.loopTimes();
    if (loop === null) return [];
    const stats = thread.stats === null ? null : StatsBlock.of<RuntimeStat>(thread.stats);
    const { elapsed, handlers, io, gc, timers, idle } = times.get(thread.name)!.add(thread.incarnation, {
      ...loop,
      handlers: thread.workMs ?? (stats === null ? 0 : stats.read('turnMs') + stats.read('dispatchMs')),
      timers: stats?.read('timerMs') ?? 0,
      gc: gcMs(thread.name),
    });
    return [
      {
        instance: thread.name,
        figures: [
          elapsed,
          handlers,
          io,
          gc,
          timers,
          idle,
          stats?.read('runQueue') ?? null,
          stats?.read('processes') ?? null,
          wakes(thread.name),
          stats?.read('turns') ?? null,
          stats?.read('slices') ?? null,
          stats?.read('longSchedules') ?? null,
        ],
      },
    ];
  };
  return {
    description: {
      name: 'sched',
      version: 1,
      title: 'Schedulers',
      instance: 'thread',
      columns: [
        counter('elapsed_ms', 'ms', 'Time of the thread: the sum of the five states.'),
        counter('handlers_ms', 'ms', 'In handlers of processes; of the writer: in batches.'),
        counter('io_ms', 'ms', 'In sockets, rings and everything else that is none of the other states.'),
        counter('gc_ms', 'ms', 'In garbage collections.'),
        counter('timers_ms', 'ms', 'In timers of processes.'),
        counter('idle_ms', 'ms', 'Waiting for something to do.'),
        gauge('run_queue', '{process}', 'Processes that waited for a slice at the end of the last turn.'),
        gauge('processes', '{process}', 'Processes.'),
        counter('wakes', '{wake}', 'Times that it was woken by another scheduler.'),
        counter('turns', '{turn}', 'Turns of the run queue.'),
        counter('slices', '{slice}', 'Slices that processes got.'),
        counter('long_schedules', '{slice}', 'Slices and callbacks that took long.'),
      ],
    },
    read: () => threads.flatMap(row),
  };
}
