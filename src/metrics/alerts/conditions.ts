/** When a value is too much, and when it is well again. */
export interface Hysteresis {
  /** From here on it is too much, … */
  readonly limit: number;
  /** … once it has been for so long. */
  readonly forMs: number;
  /** Below this share of the limit it is well, … */
  readonly clearShare: number;
  /** … once it has been for so long. In between it stays as it was. */
  readonly clearForMs: number;
}

/**
 * One value over time: whether it is too much. It fires once and clears once, however the value trembles about the limit.
 */
export class Condition {
  isFiring = false;
  /** Since when it is as the change that is due wants it; null: it is not. */
  #since: number | null = null;

  /**
   * Takes the value of now.
   *
   * @returns whether it fires or clears by it.
   */
  take(
    value: number,
    now: number,
    { limit, forMs, clearShare, clearForMs }: Hysteresis,
  ): 'fires' | 'clears' | null {
    const wanted = this.isFiring ? value < limit * clearShare || value === 0 : value >= limit;
    if (!wanted) {
      this.#since = null;
      return null;
    }
    this.#since ??= now;
    if (now - this.#since < (this.isFiring ? clearForMs : forMs)) return null;
    this.#since = null;
    this.isFiring = !this.isFiring;
    return this.isFiring ? 'fires' : 'clears';
  }

  /** Neither firing nor about to: it can be forgotten. */
  get isQuiet(): boolean {
    return !this.isFiring && this.#since === null;
  }
}
