import type { RuntimeStat } from '../../actors/runtime-stats.js';
import type { StatsMemory } from '../../schedulers/index.js';
import type { LoopTimes } from '../thread-process.js';

/** A thread of the server, whose figures are where everybody can see them: it is not asked. */
export interface WatchedThread {
  readonly name: string;
  /** Changes when it is started anew. */
  readonly incarnation: number;
  /** What its runtime counts; null: it has none. */
  readonly stats: StatsMemory<RuntimeStat> | null;
  /** Milliseconds of work of a thread without a runtime; null: it has one. */
  readonly workMs: number | null;
  /** Of its event loop; null: there is none at the moment. */
  loopTimes(): LoopTimes | null;
}
