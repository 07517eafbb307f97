import { type TokenRate, takeTokens } from '../structures/token-bucket.js';
import { TokenBuckets } from '../structures/token-buckets.js';

/**
 * Connections that are no WebSockets beyond which none is kept alive: a page needs a handful for a second. At most a
 * quarter of all.
 */
const ARRIVED_KEPT_MAX = 1024;

/** How many addresses are remembered for their rate. About 100 bytes each. */
const ADDRESSES_MAX = 65_536;

export const Refusal = { none: 0, full: 1, nodeRate: 2, addressRate: 3, addressFull: 4 } as const;
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
  readonly #limits: AdmissionLimits;
  readonly #rates: TokenBuckets;
  readonly #byAddress = new Map<string, number>();
  #nodeFullAt = 0;
  #arrived = 0;
  #open = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
    this.#rates = new TokenBuckets(limits.addressRate, ADDRESSES_MAX);
  }

  /** Open WebSockets. */
  get open(): number {
    return this.#open;
  }

  /** TCP connections that are not (yet) WebSockets. */
  get arrived(): number {
    return this.#arrived;
  }

  /** So many connections are no WebSockets that they could come to fill the place of those that are. */
  get crowded(): boolean {
    return this.#arrived > Math.min(ARRIVED_KEPT_MAX, this.#limits.connectionsMax / 4);
  }

  /** Addresses with an open WebSocket. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  /** A TCP connection came. It counts as arrived whatever the answer: who refuses it closes it, and it leaves. */
  arrive(address: string, now: number): Refusal {
    this.#arrived++;
    if (this.#arrived + this.#open > this.#limits.connectionsMax) return Refusal.full;
    // The address first, so that a flood from one address does not eat the node's tokens.
    if (this.#rates.take(addressKey(address), now, 1) <= 0) return Refusal.addressRate;
    const next = takeTokens(this.#limits.nodeRate, this.#nodeFullAt, now, 1);
    if (next <= 0) return Refusal.nodeRate;
    this.#nodeFullAt = next;
    return Refusal.none;
  }

  /** A TCP connection that never became a WebSocket is gone. */
  leave(): void {
    this.#arrived--;
  }

  /** An arrived connection asks to be a WebSocket. Unless refused it is one from now on. */
  admit(address: string): Refusal {
    const key = addressKey(address);
    const count = this.#byAddress.get(key) ?? 0;
    if (count >= this.#limits.connectionsPerAddressMax) return Refusal.addressFull;
    this.#byAddress.set(key, count + 1);
    this.#arrived--;
    this.#open++;
    return Refusal.none;
  }

  /** An open WebSocket is gone. */
  close(address: string): void {
    const key = addressKey(address);
    const count = this.#byAddress.get(key) ?? 0;
    if (count > 1) this.#byAddress.set(key, count - 1);
    else this.#byAddress.delete(key);
    this.#open--;
  }
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
