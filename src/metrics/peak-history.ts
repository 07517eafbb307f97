/** Figures that are kept at most. */
const KEPT_MAX = 256;

interface Kept {
  readonly value: number;
  readonly at: number;
}

/**
 * The largest figure since any moment. A figure that a later one has reached is never the answer again, so what is kept falls
 * from the first to the last; of a long decline the oldest go.
 */
export class PeakHistory {
  readonly #kept: Kept[] = [];

  /** @param at not before the one before */
  add(value: number, at: number): void {
    const kept = this.#kept;
    while (kept.length > 0 && kept[kept.length - 1]!.value <= value) kept.pop();
    kept.push({ value, at });
    if (kept.length > KEPT_MAX) kept.shift();
  }

  /** The largest that was added after `at`; null: none was. */
  since(at: number): number | null {
    return this.#kept.find((one) => one.at > at)?.value ?? null;
  }
}
