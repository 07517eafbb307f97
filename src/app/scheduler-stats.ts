import type { RuntimeStat } from '../actors/runtime-stats.js';
import type { StatsBlock } from '../schedulers/index.js';
import type { StoreRings } from '../storage/store-rings.js';
import { ringCounters } from '../structures/spsc-ring.js';
import type { Listener, ListenerCounters } from '../transport/listener.js';
import type { ChatScheduler } from './chat-scheduler.js';
import type { SchedulerStats } from './thread-messages.js';
import { threadUtilization } from './thread-utilization.js';

/** What the operator sees of a scheduler thread. */
export function schedulerStats(
  scheduler: ChatScheduler,
  listener: Listener | null,
  rings: StoreRings,
  counters: StatsBlock<RuntimeStat>,
): SchedulerStats {
  const { runtime, stats, occupancy } = scheduler.node;
  // What has happened since the last turn is in it, too.
  runtime.stats?.publish(runtime.clock.now());
  const counted = counters.snapshot();
  const queue = ringCounters(rings.commands);
  return {
    queuedBytes: queue.depthBytes,
    queuedBytesMax: queue.depthBytesMax,
    chat: { ...stats },
    processes: runtime.processCount,
    partitions: scheduler.partitionCount,
    users: [...occupancy.users],
    atHome: [...occupancy.atHome],
    mailboxTotal: counted.waiting,
    mailboxLongest: counted.longest,
    listener: listener === null ? {} : flat(listener.counters),
    connections: listener?.connections ?? 0,
    heapUsedBytes: process.memoryUsage().heapUsed,
    utilization: threadUtilization(),
  };
}

/** The counters of closes by code beside the others, as `closed:slowConsumer`. */
function flat({ closedBy, ...others }: Readonly<ListenerCounters>): Record<string, number> {
  const counters = { ...others } as unknown as Record<string, number>;
  for (const [name, count] of Object.entries(closedBy)) counters[`closed:${name}`] = count;
  return counters;
}
