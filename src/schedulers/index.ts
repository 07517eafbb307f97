export { type MessageCodec, MessageCodecs } from './message-codec.js';
export {
  type AttachOptions,
  type GuardHandle,
  GuardMissing,
  guardMissing,
  type NativeCollector,
  NativeGuard,
  nativeCollector,
  sampleStack,
} from './native-guard.js';
export { NotEncodable } from './not-encodable.js';
export { type PlacedChildSpec, placedChild, startOn } from './placed-child.js';
export { RecordReader, UndecodableRecord } from './record-reader.js';
export { RecordWriter } from './record-writer.js';
export { RingRouter, type RingRouterOptions } from './ring-router.js';
export type {
  LinkNews,
  PeerLink,
  RingLink,
  RingStat,
  RouterStat,
  SchedulerLinks,
} from './scheduler-links.js';
export { incarnationOf, PLACES_MAX, placeOf, schedulerNumber } from './scheduler-number.js';
export {
  type RingReport,
  type RouterReport,
  SchedulerPool,
  type SchedulerPoolOptions,
} from './scheduler-pool.js';
export { type NameTableMemory, NameTableStuck, SharedNameTable } from './shared-name-table.js';
export { placesOf, SPILL_COUNTERS, type SpillCounter } from './spill-counters.js';
export { type SpillOptions, SpillStore } from './spill-store.js';
export { type StartFunction, StartTable } from './start-table.js';
export { createStats, StatsBlock, type StatsMemory } from './stats-block.js';
export { watchThisThread } from './watch-this-thread.js';
export { Watchdog, type WatchdogEvent, type WatchdogOptions, type WatchLimits } from './watchdog.js';
