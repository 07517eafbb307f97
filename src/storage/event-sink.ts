import type { StoreEvents } from './stores.js';

/**
 * Where a store puts the events of a batch while it applies it. They become visible all at once when the
 * batch is on disk, or never.
 */
export interface EventSink extends StoreEvents {
  /** The batch is durable: shows its events, in order. */
  publish(): void;
  /** The batch came to nothing: forgets its events. The `failed` events that follow are published alone. */
  discard(): void;
}
