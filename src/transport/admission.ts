import type { SharedCounts } from '../structures/shared-counts.js';
import type { SharedTokenBucket, SharedTokenBuckets } from '../structures/shared-token-buckets.js';
import type { TokenRate } from '../structures/token-bucket.js';
import {
  type AdmissionMemory,
  addressRatesIn,
  createAdmissionMemory,
  forgetAdmitted,
  nodeRateIn,
  openIn,
  totalsIn,
} from './admission-memory.js';

/**
 * Connections that are no WebSockets beyond which none is kept alive: a page needs a handful for a second. At most a
 * quarter of all.
 */
const ARRIVED_KEPT_MAX = 1024;

export const Refusal = { none: 0, full: 1, nodeRate: 2, addressRate: 3 } as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

export interface AdmissionLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly addressRate: TokenRate;
  readonly nodeRate: TokenRate;
}

/**
 * Who may connect: pure bookkeeping in two steps, since a TCP connection costs something before it says what
 * it wants.
 *
 *     TCP accepted ── arrive ──▶ handshake ── open ──▶ WebSocket
 *                                   └── leave (no handshake, or plain HTTP)      └── close
 *
 * Handshakes under way count against `connectionsMax` but not against the address: whose connection it was
 * is not known any more when it leaves. The rate bounds them: uWebSockets.js ends a connection without a
 * complete request after about ten seconds, and while it is {@link crowded} no answer keeps one alive.
 */
export class Admission {
  #limits: AdmissionLimits;
  readonly #place: number;
  readonly #rates: SharedTokenBuckets;
  readonly #nodeRate: SharedTokenBucket;
  readonly #byAddress: SharedCounts;
  readonly #arrived: Int32Array;
  readonly #open: Int32Array;

  /**
   * @param memory what all listeners of the server count together: the limits hold for the sum. Left out: there is one.
   * @param place this listener's; an earlier one there is forgotten.
   */
  constructor(
    limits: AdmissionLimits,
    memory: AdmissionMemory = createAdmissionMemory(limits.connectionsMax, 1, 1),
    place = 0,
  ) {
    this.#limits = limits;
    this.#place = place;
    this.#rates = addressRatesIn(memory, limits.addressRate);
    this.#nodeRate = nodeRateIn(memory, limits.nodeRate);
    this.#byAddress = openIn(memory, place);
    const { arrived, open } = totalsIn(memory);
    this.#arrived = arrived;
    this.#open = open;
    forgetAdmitted(memory, place);
  }

  /**
   * These hold from now on, for whoever comes; those who are there stay. The memory was made for a number of connections: far
   * above it there may be no room for further addresses, which are refused then.
   */
  setLimits(limits: AdmissionLimits): void {
    this.#limits = limits;
    this.#rates.rate = limits.addressRate;
    this.#nodeRate.rate = limits.nodeRate;
  }

  /** Open WebSockets of this listener. */
  get open(): number {
    return this.#open[this.#place]!;
  }

  /** TCP connections of this listener that are not (yet) WebSockets. */
  get arrived(): number {
    return this.#arrived[this.#place]!;
  }

  /** So many connections are no WebSockets that they could come to fill the place of those that are. */
  get crowded(): boolean {
    return sum(this.#arrived) > Math.min(ARRIVED_KEPT_MAX, this.#limits.connectionsMax / 4);
  }

  /** Addresses with an open WebSocket. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  /**
   * A TCP connection came. It counts as arrived whatever the answer: who refuses it closes it, and it leaves.
   *
   * @param now of the clock that all listeners share.
   */
  arrive(address: string, now: number): Refusal {
    Atomics.add(this.#arrived, this.#place, 1);
    if (sum(this.#arrived) + sum(this.#open) > this.#limits.connectionsMax) return Refusal.full;
    // The address first, so that a flood from one address does not eat the node's tokens.
    if (this.#rates.take(addressKey(address), now, 1) <= 0) return Refusal.addressRate;
    return this.#nodeRate.take(now, 1) <= 0 ? Refusal.nodeRate : Refusal.none;
  }

  /** A TCP connection that never became a WebSocket is gone. */
  leave(): void {
    Atomics.sub(this.#arrived, this.#place, 1);
  }

  /**
   * An arrived connection asks to be a WebSocket. Unless refused it is one from now on.
   *
   * @returns what {@link close} wants to know; −1: refused, there are too many from its address.
   */
  admit(address: string): number {
    const admitted = this.#byAddress.add(addressKey(address), this.#limits.connectionsPerAddressMax);
    if (admitted < 0) return -1;
    Atomics.sub(this.#arrived, this.#place, 1);
    Atomics.add(this.#open, this.#place, 1);
    return admitted;
  }

  /** An open WebSocket is gone. */
  close(admitted: number): void {
    this.#byAddress.remove(admitted);
    Atomics.sub(this.#open, this.#place, 1);
  }
}

function sum(cells: Int32Array): number {
  let total = 0;
  for (let at = 0; at < cells.length; at++) total += Atomics.load(cells, at);
  return total;
}

/**
 * Who counts as one peer: an IPv4 address, also in its IPv6-mapped form, or the /64 of an IPv6 address (a
 * household or a machine gets a whole /64, so single addresses cost an attacker nothing).
 *
 * @param address 4 or 16 bytes in lower-case hexadecimal.
 */
export function addressKey(address: string): string {
  if (address.length !== 32) return address;
  return address.startsWith(MAPPED) ? address.slice(24) : address.slice(0, 16);
}

const MAPPED = '00000000000000000000ffff';
