/** Checkpoints of one queue; when there are so many, every other one goes. Even. */
const CHECKPOINTS = 32;
/** How far apart they are at first, in ms. */
const SPACING_MS = 50;

/**
 * How long the oldest message of a queue has waited, without a stamp on each: now and then it is noted how many had come
 * until when. The oldest that waits is the one that came when as many had come as have been handled now; between two
 * checkpoints they are taken to have come evenly.
 *
 *     came      100     400               900       1000 (now)
 *     at       10.0 s  10.5 s            12.0 s     12.5 s
 *                          ▲ 500 are handled: the oldest came at 10.8 s, and is 1.7 s old
 *
 * The checkpoints are thinned when there are too many: a queue that is long for hours has them minutes apart.
 */
export class QueueAge {
  /** For each: how many had come, and when. The first is the last one before the oldest message that waits. */
  readonly #came = new Float64Array(CHECKPOINTS);
  readonly #at = new Float64Array(CHECKPOINTS);
  #count = 0;
  #spacingMs = SPACING_MS;

  /** So many have come until now. */
  note(came: number, now: number): void {
    if (this.#count > 0 && now - this.#at[this.#count - 1]! < this.#spacingMs) return;
    if (this.#count === CHECKPOINTS) this.#thin();
    this.#came[this.#count] = came;
    this.#at[this.#count] = now;
    this.#count++;
  }

  /** How long the oldest message has waited, in ms, when `handled` of the `came` have been handled. At least: it may have come before all checkpoints. */
  oldestMs(handled: number, came: number, now: number): number {
    if (handled >= came || this.#count === 0) return 0;
    let next = 0;
    while (next < this.#count && this.#came[next]! <= handled) next++;
    if (next === 0) return now - this.#at[0]!;
    this.#forget(next - 1);
    const cameBefore = this.#came[0]!;
    const before = this.#at[0]!;
    const cameAfter = this.#count > 1 ? this.#came[1]! : came;
    const after = this.#count > 1 ? this.#at[1]! : now;
    return now - (before + ((after - before) * (handled + 1 - cameBefore)) / (cameAfter - cameBefore));
  }

  /** The first so many are older than everything that waits. */
  #forget(checkpoints: number): void {
    if (checkpoints === 0) return;
    this.#came.copyWithin(0, checkpoints, this.#count);
    this.#at.copyWithin(0, checkpoints, this.#count);
    this.#count -= checkpoints;
    if (this.#count < CHECKPOINTS / 4 && this.#spacingMs > SPACING_MS) this.#spacingMs /= 2;
  }

  /** The first stays: it is what the age of the oldest hangs on. */
  #thin(): void {
    for (let at = 2; at < CHECKPOINTS; at += 2) {
      this.#came[at / 2] = this.#came[at]!;
      this.#at[at / 2] = this.#at[at]!;
    }
    this.#count = CHECKPOINTS / 2;
    this.#spacingMs *= 2;
  }
}
