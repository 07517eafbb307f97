import { SPILL_COUNTERS } from '../../schedulers/index.js';

/** What a thread counts of its collector, in a StatsBlock that the main thread reads. */
export const GC_COUNTERS = [
  /** Collections of the young generation, and their time. */
  'minorRuns',
  'minorMs',
  /** Full collections: the part in which everything stands still. */
  'majorRuns',
  'majorMs',
  /** Beginnings and steps of marking, as V8 reports them. */
  'incrementalRuns',
  'incrementalMs',
  /** Callbacks for what was collected. */
  'weakRuns',
  'weakMs',
  /** The longest pause since the reader counted `longestRead` up; it belongs to the number in `longestOf`. */
  'longestMs',
  'longestOf',
  /** Counted up by the reader, and by nobody else. */
  'longestRead',
  /** Whether full collections can be deferred here at all: 1 or 0. */
  'canDefer',
  'deferring',
  'deferrals',
  'deferredMs',
  /** Deferrals that ended because of their ceilings. */
  'deferralsCut',
  /** Collections that were made because the thread had nothing to do. */
  'idleMinorRuns',
  'idleMajorRuns',
  ...SPILL_COUNTERS,
] as const;
export type GcCounter = (typeof GC_COUNTERS)[number];
