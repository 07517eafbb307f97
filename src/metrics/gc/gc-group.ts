import { StatsBlock, type StatsMemory } from '../../schedulers/index.js';
import { counter, gauge, peak } from '../columns.js';
import type { GroupSource, Row } from '../reading.js';
import type { GcCounter } from './gc-counters.js';

/** A thread that counts. */
export interface CollectingThread {
  readonly name: string;
  /** Of its present incarnation; null: there was none yet. */
  readonly gc: StatsMemory<GcCounter> | null;
}

/** The collectors of all threads: row = thread. Read from shared memory, nobody is asked. */
export function gcGroup(threads: readonly CollectingThread[]): GroupSource {
  return {
    description: {
      name: 'gc',
      version: 1,
      title: 'Garbage collection',
      instance: 'thread',
      columns: [
        counter('minor', '{collection}', 'Collections of the young generation.'),
        counter('minor_ms', 'ms', 'Time that the thread stood still for them.'),
        counter('major', '{collection}', 'Full collections.'),
        counter('major_ms', 'ms', 'Time that the thread stood still for them, at their ends.'),
        counter('incremental', '{collection}', 'Beginnings of marking, as V8 reports them.'),
        counter('incremental_ms', 'ms', 'Time for them.'),
        counter('weak', '{collection}', 'Callbacks for what was collected.'),
        counter('weak_ms', 'ms', 'Time for them.'),
        peak('longest_ms', 'ms', 'The longest of all of these pauses.'),
        gauge('deferring', '1', '1 while full collections are put off because mailboxes are long.'),
        counter('deferrals', '{deferral}', 'How often they were put off.'),
        counter('deferred_ms', 'ms', 'For how long.'),
        counter('deferrals_cut', '{deferral}', 'Deferrals ended by their ceilings of time or memory.'),
        counter('idle_minor', '{collection}', 'Collections of the young generation made at leisure.'),
        counter('idle_major', '{collection}', 'Full collections begun at leisure.'),
        gauge('spilled', '{message}', 'Messages of long mailboxes outside of the heap.'),
        gauge('spill_bytes', 'By', 'Memory outside of the heap for them.'),
        counter('spilled_total', '{message}', 'Messages that went there.'),
        counter('spilled_bytes_total', 'By', 'Bytes of them.'),
        counter('kept_total', '{message}', 'Messages of long mailboxes that cannot leave the heap.'),
        counter('refused_total', '{message}', 'Messages that stayed because the memory was used up.'),
      ],
    },
    read: () => threads.flatMap(({ name, gc }) => (gc === null ? [] : [row(name, StatsBlock.of(gc))])),
  };
}

/** Milliseconds that a thread has stood still for its collector; null: it has not run. */
export function collectorMs({ gc }: CollectingThread): number | null {
  if (gc === null) return null;
  const stats = StatsBlock.of(gc);
  return stats.read('minorMs') + stats.read('majorMs') + stats.read('incrementalMs') + stats.read('weakMs');
}

function row(instance: string, stats: StatsBlock<GcCounter>): Row {
  const now = (counter: GcCounter) => stats.read(counter);
  const longest = now('longestOf') === now('longestRead') ? now('longestMs') : 0;
  // From here on the thread begins anew.
  stats.values[stats.names.indexOf('longestRead')]! += 1;
  const defers = (figure: number) => (now('canDefer') === 1 ? figure : null);
  return {
    instance,
    figures: [
      now('minorRuns'),
      now('minorMs'),
      now('majorRuns'),
      now('majorMs'),
      now('incrementalRuns'),
      now('incrementalMs'),
      now('weakRuns'),
      now('weakMs'),
      longest,
      defers(now('deferring')),
      defers(now('deferrals')),
      defers(now('deferredMs')),
      defers(now('deferralsCut')),
      now('idleMinorRuns'),
      now('idleMajorRuns'),
      now('spilledMessages'),
      now('spillBytes'),
      now('spilledMessagesTotal'),
      now('spilledBytesTotal'),
      now('keptMessagesTotal'),
      now('refusedMessagesTotal'),
    ],
  };
}
