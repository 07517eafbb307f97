/**
 * Numbers that travel with the commands for the store and come back with the results. No two schedulers use the same
 * one, nor two incarnations of one scheduler: the store holds back messages by it, and a result for somebody who has
 * ended must find nobody instead of a successor.
 *
 *     sessions     incarnation × 2^32 + generation × 2^20 + slot (1 …)
 *     registrar    incarnation × 2^32 + n × 2^20                          one for each request
 *     partitions   2^52 + incarnation × 2^32 + n                          one for each request
 *     nobody       0
 */
const SLOTS_MAX = 1 << 20;
const GENERATIONS = 1 << 12;
const NUMBERS = 2 ** 32;
const PARTITION_REQUESTS = 2 ** 52;
/** Incarnations of schedulers in the life of a server. */
export const INCARNATIONS_MAX = 2 ** 19;

export const Requester = {
  /** Nobody wants the result. */
  nobody: 0,

  isRegistrar(requester: number): boolean {
    return requester !== 0 && requester % SLOTS_MAX === 0;
  },
} as const;

/** Where the numbers of an incarnation begin. Throws a RangeError when there were too many. */
function baseOf(incarnation: number): number {
  if (!Number.isInteger(incarnation) || incarnation < 0 || incarnation >= INCARNATIONS_MAX) {
    throw new RangeError(`an incarnation must be 0 to ${INCARNATIONS_MAX - 1}, not ${incarnation}`);
  }
  return incarnation * NUMBERS;
}

/** The numbers of what the registrar and the partitions of one scheduler ask the store: one for each request. */
export class RequestNumbers {
  readonly #base: number;
  #registrar = 0;
  #partitions = 0;

  /** @param incarnation of this scheduler among all of the server's life. */
  constructor(incarnation: number) {
    this.#base = baseOf(incarnation);
  }

  /** Goes on over the registrar's own incarnations, so that none hears of another's. Comes again after 4095. */
  ofRegistrar(): number {
    this.#registrar = this.#registrar === GENERATIONS - 1 ? 1 : this.#registrar + 1;
    return this.#base + this.#registrar * SLOTS_MAX;
  }

  /** Comes again after 2^32. */
  ofPartition(): number {
    this.#partitions = (this.#partitions + 1) % NUMBERS;
    return PARTITION_REQUESTS + this.#base + this.#partitions;
  }
}

/** The sessions of one scheduler by their numbers. */
export class Requesters<T> {
  readonly #base: number;
  readonly #values: (T | undefined)[] = [undefined];
  readonly #generations: number[] = [0];
  readonly #free: number[] = [];
  #size = 0;

  /** @param incarnation of this scheduler among all of the server's life. */
  constructor(incarnation: number) {
    this.#base = baseOf(incarnation);
  }

  get size(): number {
    return this.#size;
  }

  /** Throws a RangeError at 1,048,575 live values: more than a scheduler has file descriptors for. */
  add(value: T): number {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#values.length;
      if (slot >= SLOTS_MAX) throw new RangeError(`more than ${slot} requesters on one scheduler`);
      this.#values.push(undefined);
      this.#generations.push(0);
    }
    this.#values[slot] = value;
    this.#size++;
    return this.#base + (this.#generations[slot] as number) * SLOTS_MAX + slot;
  }

  get(requester: number): T | undefined {
    const number = requester - this.#base;
    const slot = number % SLOTS_MAX;
    // Of another incarnation: below 0, or a generation that there is not.
    if (number < 0 || this.#generations[slot] !== Math.floor(number / SLOTS_MAX)) return undefined;
    return this.#values[slot];
  }

  /** A number that is not live is ignored. */
  remove(requester: number): void {
    const slot = (requester - this.#base) % SLOTS_MAX;
    if (this.get(requester) === undefined) return;
    this.#values[slot] = undefined;
    this.#generations[slot] = ((this.#generations[slot] as number) + 1) % GENERATIONS;
    this.#free.push(slot);
    this.#size--;
  }

  /** Calls back for each live value; the callback may add and remove. */
  forEach(callback: (value: T) => void): void {
    for (let slot = 1; slot < this.#values.length; slot++) {
      const value = this.#values[slot];
      if (value !== undefined) callback(value);
    }
  }
}
