import { PeakHistory } from './peak-history.js';
import type { GroupDescription, Row } from './reading.js';

/** Rows of one group whose peaks are kept; those of the others are since the reading before, whoever made it. */
const ROWS_MAX = 1024;

/**
 * The peaks of one group. A source begins a new peak with each reading, whoever reads; here they are put together again, so
 * that everybody who reads has the most since his own reading before.
 */
export class GroupPeaks {
  /** Places of the peaks in the group's columns. */
  readonly #places: readonly number[];
  /** By instance, in the order of the places. */
  #rows = new Map<string, readonly PeakHistory[]>();

  constructor({ columns }: GroupDescription) {
    this.#places = columns.flatMap(({ kind }, place) => (kind === 'peak' ? [place] : []));
  }

  /** What a source has given. Rows that have gone are forgotten. */
  add(rows: readonly Row[], at: number): void {
    if (this.#places.length === 0) return;
    const before = this.#rows;
    this.#rows = new Map();
    for (const { instance, figures } of rows.slice(0, ROWS_MAX)) {
      const histories = before.get(instance) ?? this.#places.map(() => new PeakHistory());
      this.#rows.set(instance, histories);
      for (const [index, place] of this.#places.entries()) {
        const figure = figures[place] ?? null;
        if (figure !== null) histories[index]!.add(figure, at);
      }
    }
  }

  /** These rows with the peaks since then. */
  since(rows: readonly Row[], at: number): readonly Row[] {
    if (this.#places.length === 0) return rows;
    return rows.map((row) => {
      const histories = this.#rows.get(row.instance);
      if (histories === undefined) return row;
      const figures = [...row.figures];
      for (const [index, place] of this.#places.entries()) {
        if (figures[place] !== null) figures[place] = histories[index]!.since(at) ?? figures[place] ?? null;
      }
      return { instance: row.instance, figures };
    });
  }
}
