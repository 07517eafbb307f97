import { DOORBELL_BYTES } from '../structures/doorbell.js';
import { createRing } from '../structures/spsc-ring.js';

/**
 * What joins one scheduler thread and the writer thread: a ring each way and a bell at each end. Made on the
 * main thread, handed to both threads as it is (structured clone shares the memory), and kept there, so that
 * a thread that died can be replaced by one that goes on with the same rings.
 *
 *     scheduler ── commands ──▶ writer        bells: writer's cell · scheduler's cell
 *               ◀── events ────
 */
export interface StoreRings {
  readonly commands: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  readonly bells: SharedArrayBuffer;
}

/** Offsets of the cells in {@link StoreRings.bells}. */
export const WRITER_BELL = 0;
export const SCHEDULER_BELL = DOORBELL_BYTES;

/** A page of the largest size must fit half of the ring (spsc-ring.ts). */
const EVENT_RING_BYTES_MIN = 2 * 1024 * 1024;

export interface StoreRingsOptions {
  /** Capacity of the ring towards the writer, a power of two. Default 4 MiB. */
  readonly commandBytes?: number;
  /** Capacity of the ring towards the scheduler, a power of two, at least 2 MiB. Default 8 MiB. */
  readonly eventBytes?: number;
}

export function createStoreRings(options: StoreRingsOptions = {}): StoreRings {
  const eventBytes = options.eventBytes ?? 8 * 1024 * 1024;
  if (eventBytes < EVENT_RING_BYTES_MIN) {
    throw new RangeError(`eventBytes must be at least ${EVENT_RING_BYTES_MIN}, not ${eventBytes}`);
  }
  return {
    commands: createRing(options.commandBytes ?? 4 * 1024 * 1024),
    events: createRing(eventBytes),
    bells: new SharedArrayBuffer(2 * DOORBELL_BYTES),
  };
}
