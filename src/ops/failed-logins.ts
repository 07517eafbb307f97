import type { Clock } from '../structures/clock.js';
import { type TokenRate, takeTokens, tokenRate } from '../structures/token-bucket.js';

/** Wrong tokens that one address may present: at once, and one more every so often. */
const RATE: TokenRate = tokenRate(0.2, 10);
/** Addresses remembered; the one that failed first is forgotten then. */
const ADDRESSES_MAX = 1024;

export interface FailedLoginsReport {
  readonly address: string;
  /** Of this address since it was remembered. */
  readonly failures: number;
}

interface Failing {
  fullAt: number;
  failures: number;
  isLimited: boolean;
}

/**
 * Who presents wrong tokens. Beyond a rate of its own an address is refused with 429, without a line in the log for each try.
 * The right token is taken at all times: whoever shares the address (everybody does, on loopback) must not be able to lock
 * the operator out, and 256 random bits are not guessed at any rate.
 */
export class FailedLogins {
  /** All so far. */
  count = 0;
  readonly #clock: Clock;
  readonly #onFailure: (report: FailedLoginsReport) => void;
  readonly #failing = new Map<string, Failing>();

  /** @param onFailure called for each failure that is within the rate, and for the first beyond it */
  constructor(clock: Clock, onFailure: (report: FailedLoginsReport) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** A wrong token came. Returns 0, or the seconds after which the address may try again. */
  failed(address: string): number {
    this.count++;
    let failing = this.#failing.get(address);
    if (failing === undefined) {
      if (this.#failing.size >= ADDRESSES_MAX) this.#failing.delete(this.#failing.keys().next().value!);
      failing = { fullAt: 0, failures: 0, isLimited: false };
      this.#failing.set(address, failing);
    }
    failing.failures++;
    const next = takeTokens(RATE, failing.fullAt, this.#clock.now(), 1);
    const wasLimited = failing.isLimited;
    failing.isLimited = next <= 0;
    if (!failing.isLimited) failing.fullAt = next;
    if (!failing.isLimited || !wasLimited) this.#onFailure({ address, failures: failing.failures });
    return failing.isLimited ? Math.ceil(-next / 1000) : 0;
  }
}
