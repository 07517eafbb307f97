/** What the writer counts of itself, for whoever watches: in this order in `StoreWriterOptions.stats`. */
export const STORE_WRITER_STATS = [
  /** Batches committed, the commands in them, and the milliseconds from the first command of each to its events. */
  'commits',
  'commands',
  'batchMs',
  /** Of these milliseconds, those in the commit itself. */
  'commitMs',
  /** Batches that came to nothing. */
  'failures',
  /** Times that nothing could be applied because a scheduler did not take its events. */
  'stalls',
  /** The largest batch in commands, and the longest in ms, of the present second and of the one before. */
  'batchMax',
  'batchMsMax',
  /** Gauges: size of the WAL, and what is in the young generation. */
  'walBytes',
  'youngBytes',
  /** Messages that came into the old generation, and went out of it, since the database was opened last. */
  'oldInserted',
  'oldDeleted',
] as const;
export type StoreWriterStat = (typeof STORE_WRITER_STATS)[number];

/** The figures of the store that it does not count itself. */
export type StoreFigures = Readonly<Record<'walBytes' | 'youngBytes' | 'oldInserted' | 'oldDeleted', number>>;

/** Where each of them stands. */
export const StoreWriterCell = Object.fromEntries(
  STORE_WRITER_STATS.map((name, index) => [name, index]),
) as Readonly<Record<StoreWriterStat, number>>;

/** Keeps the most of the present second and of the one before, in one cell. */
export class LatePeak {
  #present = 0;
  #before = 0;
  #since = Number.NEGATIVE_INFINITY;

  /** Returns the most lately, this one included. It is `now`. */
  add(value: number, now: number): number {
    if (now - this.#since >= 1000) {
      this.#before = now - this.#since < 2000 ? this.#present : 0;
      this.#present = 0;
      this.#since = now;
    }
    if (value > this.#present) this.#present = value;
    return Math.max(this.#present, this.#before);
  }
}
