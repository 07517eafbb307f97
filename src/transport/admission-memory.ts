import { SharedCounts } from '../structures/shared-counts.js';
import { SharedTokenBucket, SharedTokenBuckets } from '../structures/shared-token-buckets.js';

/**
 * What the listeners of a server count together: shared memory, handed to their threads as it is. Each listener writes
 * where its `place` is.
 *
 *     rate of the node · arrived, open: int32 for each place · rates of addresses · open connections of addresses
 */
export interface AdmissionMemory {
  readonly memory: SharedArrayBuffer;
  readonly places: number;
  /** Addresses with open connections that there is room for. */
  readonly addressSlots: number;
  /** Of the hash of addresses: nobody outside may know it. */
  readonly seed: number;
}

/** Addresses that are remembered for their rate. */
const RATE_SLOTS = 65_536;

/** @param places one more than the highest place of a listener. */
export function createAdmissionMemory(connectionsMax: number, places: number, seed: number): AdmissionMemory {
  // So roomy that the slots beside each other do not fill while connections are within their bound.
  const addressSlots = 2 ** Math.ceil(Math.log2(Math.max(256, connectionsMax) * 4));
  return { memory: new SharedArrayBuffer(end(places, addressSlots)), places, addressSlots, seed };
}

/** A thread is gone: its connections do not count any more. */
export function forgetAdmitted(memory: AdmissionMemory, place: number): void {
  const { arrived, open } = totalsIn(memory);
  Atomics.store(arrived, place, 0);
  Atomics.store(open, place, 0);
  openIn(memory, place).clear(place);
}

const totalsAt = SharedTokenBucket.bytes;
const totalsBytes = (places: number) => (2 * 4 * places + 7) & ~7;
const ratesAt = (places: number) => totalsAt + totalsBytes(places);
const openAt = (places: number) => ratesAt(places) + SharedTokenBuckets.bytesOf(RATE_SLOTS);
const end = (places: number, slots: number) => openAt(places) + SharedCounts.bytesOf(slots, places);

export function nodeRateIn(
  { memory }: AdmissionMemory,
  rate: ConstructorParameters<typeof SharedTokenBucket>[2],
) {
  return new SharedTokenBucket(memory, 0, rate);
}

export function addressRatesIn(
  { memory, places, seed }: AdmissionMemory,
  rate: ConstructorParameters<typeof SharedTokenBuckets>[3],
) {
  return new SharedTokenBuckets(memory, ratesAt(places), RATE_SLOTS, rate, seed);
}

export function openIn({ memory, places, addressSlots, seed }: AdmissionMemory, place: number) {
  return new SharedCounts(memory, openAt(places), addressSlots, places, place, seed);
}

/** Connections at each place that are not (yet) WebSockets, and that are. */
export function totalsIn({ memory, places }: AdmissionMemory): { arrived: Int32Array; open: Int32Array } {
  return {
    arrived: new Int32Array(memory, totalsAt, places),
    open: new Int32Array(memory, totalsAt + 4 * places, places),
  };
}
