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
  /** Pauses between two batches for more to come together, and the milliseconds in them. */
  'pauses',
  'pauseMs',
  /** The largest batch in commands, and the longest in ms, since the reader counted `peaksRead` up; they belong to the number in `peaksOf`. */
  'batchMax',
  'batchMsMax',
  'peaksOf',
  /** Counted up by the reader, and by nobody else. */
  'peaksRead',
  /** Gauges: bytes of the young generation, and entries that wait in it and in the old one. */
  'youngBytes',
  'youngCount',
  'oldCount',
  /** Messages that came into the old generation, and went out of it, since the database was opened last. */
  'oldInserted',
  'oldDeleted',
] as const;
export type StoreWriterStat = (typeof STORE_WRITER_STATS)[number];

/** The figures of the store that it does not count itself. */
export const STORE_FIGURES = [
  'youngBytes',
  'youngCount',
  'oldCount',
  'oldInserted',
  'oldDeleted',
] as const satisfies readonly StoreWriterStat[];
export type StoreFigures = Readonly<Record<(typeof STORE_FIGURES)[number], number>>;

/** Where each of them stands. */
export const StoreWriterCell = Object.fromEntries(
  STORE_WRITER_STATS.map((name, index) => [name, index]),
) as Readonly<Record<StoreWriterStat, number>>;
