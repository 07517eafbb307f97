import type { ChunkStore } from '../structures/chunk-store.js';
import type { Process } from './process.js';

/**
 * Keeps the middle of long mailboxes outside of the heap; see `SpillStore` of the schedulers, which is one. What comes back
 * must do as well as what went there: see {@link RuntimeOptions.spill}.
 */
export interface MailboxSpill extends ChunkStore<unknown> {
  /** A process has ended that is flagged `spilled`: its pid may stand in what is stored. */
  ended(process: Process<never>): void;
  /** That process, by its id, as long as its pid may stand in what is stored. */
  endedAs(id: number): Process<never> | undefined;
}
