type Counters = Readonly<Record<string, number>>;

/**
 * Sums of counters over things that come and go, each of which counts from 0: what one had counted when it was heard of
 * last stays in the sum after its end, so that the sum only grows.
 */
export class LastingCounters {
  readonly #ended = new Map<string, number>();
  readonly #present = new Map<string, { readonly incarnation: number; readonly counters: Counters }>();

  /** The counters of one of them now. Of another incarnation than before: the one before has ended. */
  heard(name: string, incarnation: number, counters: Counters): void {
    const before = this.#present.get(name);
    if (before !== undefined && before.incarnation !== incarnation) this.#end(before.counters);
    this.#present.set(name, { incarnation, counters });
  }

  /** The sum over all that there are and were; 0 for a counter that nobody has. */
  sum(counter: string): number {
    let total = this.#ended.get(counter) ?? 0;
    for (const { counters } of this.#present.values()) total += counters[counter] ?? 0;
    return total;
  }

  #end(counters: Counters): void {
    for (const [name, value] of Object.entries(counters))
      this.#ended.set(name, (this.#ended.get(name) ?? 0) + value);
  }
}
