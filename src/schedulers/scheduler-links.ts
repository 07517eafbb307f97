import type { MessagePort } from 'node:worker_threads';
import type { NameTableMemory } from './shared-name-table.js';
import type { StatsMemory } from './stats-block.js';

/** What is counted for each ring, by its producer. */
export const RING_STATS = [
  /** Messages and signals sent. */
  'records',
  'bytes',
  'publishes',
  /** Times that the other end had to be woken. */
  'rings',
  /** Records that found the ring full and had to wait behind it. */
  'overflowed',
  /** Bytes that wait behind it now, and the most that ever did. */
  'overflowBytes',
  'overflowBytesMax',
  /** Milliseconds in which something waited behind it. */
  'stalledMs',
  /** Messages dropped because as much waited as may. */
  'dropped',
] as const;
export type RingStat = (typeof RING_STATS)[number];

/** What is counted for each scheduler by its router. */
export const ROUTER_STATS = [
  /** Times that it was woken. */
  'wakes',
  /** Times that it looked at its rings. */
  'looks',
  /** Records that came. */
  'records',
  /** Of them, records that made no sense. */
  'undecodable',
] as const;
export type RouterStat = (typeof ROUTER_STATS)[number];

/** One direction between two schedulers. */
export interface RingLink {
  /** See structures/spsc-ring. */
  readonly ring: SharedArrayBuffer;
  readonly stats: StatsMemory<RingStat>;
}

/** Another scheduler, as one sees it. */
export interface PeerLink {
  /** See scheduler-number.ts. */
  readonly number: number;
  /** Rings to it and from it. */
  readonly to: RingLink;
  readonly from: RingLink;
  /** The doorbell by which it is woken. */
  readonly bell: SharedArrayBuffer;
}

/** What the pool tells the schedulers of each other. */
export type LinkNews =
  | { readonly type: 'up'; readonly peer: PeerLink }
  | { readonly type: 'down'; readonly scheduler: number };

/**
 * What one scheduler needs to be joined with the others. Made by the SchedulerPool on the main thread and handed to
 * the thread in its `workerData`, with the port in the `transferList`.
 */
export interface SchedulerLinks {
  /** Its number: what the runtime's option `scheduler` has to be. */
  readonly number: number;
  /** The doorbell by which it is woken. */
  readonly bell: SharedArrayBuffer;
  readonly stats: StatsMemory<RouterStat>;
  /** The other schedulers that there are already. */
  readonly peers: readonly PeerLink[];
  /** Brings {@link LinkNews}. */
  readonly news: MessagePort;
  readonly names: NameTableMemory;
}
