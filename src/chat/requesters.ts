/**
 * The processes of one scheduler that wait for results of the store, by a number that travels with the command:
 * slot in the low 20 bits, generation above, so that a result for a process that has ended finds nobody instead
 * of its successor. Numbers fit in 32 bits without sign; 0 is never given out.
 */
export class Requesters<T> {
  readonly #values: (T | undefined)[] = [undefined];
  readonly #generations: number[] = [0];
  readonly #free: number[] = [];
  #size = 0;

  static readonly slotsMax = 1 << 20;

  get size(): number {
    return this.#size;
  }

  /** Throws a RangeError at 1,048,575 live values: more than a scheduler has file descriptors for. */
  add(value: T): number {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#values.length;
      if (slot >= Requesters.slotsMax) throw new RangeError(`more than ${slot} requesters on one scheduler`);
      this.#values.push(undefined);
      this.#generations.push(0);
    }
    this.#values[slot] = value;
    this.#size++;
    return (this.#generations[slot] as number) * Requesters.slotsMax + slot;
  }

  get(requester: number): T | undefined {
    const slot = requester % Requesters.slotsMax;
    if (this.#generations[slot] !== Math.floor(requester / Requesters.slotsMax)) return undefined;
    return this.#values[slot];
  }

  /** A number that is not live is ignored. */
  remove(requester: number): void {
    const slot = requester % Requesters.slotsMax;
    if (this.get(requester) === undefined) return;
    this.#values[slot] = undefined;
    this.#generations[slot] = ((this.#generations[slot] as number) + 1) & 0xfff;
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
