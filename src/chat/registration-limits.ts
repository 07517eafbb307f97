import { SharedTokenBucket, SharedTokenBuckets } from '../structures/shared-token-buckets.js';
import type { TokenRate } from '../structures/token-bucket.js';

/** Addresses that are remembered for each of the two rates. */
const ADDRESSES = 65_536;

/** What the registrars of a server count together: shared memory, handed to their threads as it is. */
export interface RegistrationMemory {
  readonly memory: SharedArrayBuffer;
  /** Addresses that are remembered for each of the two rates, a power of two. */
  readonly addresses: number;
  /** Of the hash of addresses: nobody outside may know it. */
  readonly seed: number;
}

export function createRegistrationMemory(seed: number, addresses = ADDRESSES): RegistrationMemory {
  const bytes = SharedTokenBucket.bytes + 2 * SharedTokenBuckets.bytesOf(addresses);
  return { memory: new SharedArrayBuffer(bytes), addresses, seed };
}

export interface RegistrationRates {
  /** PINs asked for from one address. */
  readonly addressPinRate: TokenRate;
  /** Tries from one address. */
  readonly addressTryRate: TokenRate;
  /** PINs that the whole server may send: what the gateway costs. */
  readonly smsBudget: TokenRate;
}

/**
 * The limits of registrations that are the whole server's, whichever scheduler they come to. Beside them each number
 * has limits of its own, in the store. All answers are those of `takeTokens`: 0 or below is a refusal, and the negated
 * number the ms to wait.
 */
export class RegistrationLimits {
  readonly #pins: SharedTokenBuckets;
  readonly #tries: SharedTokenBuckets;
  readonly #sms: SharedTokenBucket;
  readonly #now: () => number;

  /** @param now of a clock that all schedulers share. */
  constructor(shared: RegistrationMemory, rates: RegistrationRates, now: () => number) {
    const { memory, addresses, seed } = shared;
    const pinsAt = SharedTokenBucket.bytes;
    const triesAt = pinsAt + SharedTokenBuckets.bytesOf(addresses);
    this.#sms = new SharedTokenBucket(memory, 0, rates.smsBudget);
    this.#pins = new SharedTokenBuckets(memory, pinsAt, addresses, rates.addressPinRate, seed);
    this.#tries = new SharedTokenBuckets(memory, triesAt, addresses, rates.addressTryRate, seed);
    this.#now = now;
  }

  /** Other rates from now on. What has been taken stays taken. */
  set rates(rates: RegistrationRates) {
    this.#sms.rate = rates.smsBudget;
    this.#pins.rate = rates.addressPinRate;
    this.#tries.rate = rates.addressTryRate;
  }

  /** Somebody at this address asks for a PIN: takes from the address, then from the budget. */
  takePin(address: string): number {
    const now = this.#now();
    const byAddress = this.#pins.take(address, now, 1);
    return byAddress <= 0 ? byAddress : this.#sms.take(now, 1);
  }

  /** Nothing was sent: asking for a limited number must not use up the budget. */
  giveBackSms(): void {
    this.#sms.giveBack(1);
  }

  /** Somebody at this address tries a PIN. */
  takeTry(address: string): number {
    return this.#tries.take(address, this.#now(), 1);
  }
}
