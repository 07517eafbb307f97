/** What a {@link SpillStore} counts, in a StatsBlock. */
export const SPILL_COUNTERS = [
  /** Messages outside of the heap now. */
  'spilledMessages',
  /** Memory that holds them, in whole segments; with what is kept for the next ones. */
  'spillBytes',
  /** Messages that ever went there, and their bytes. */
  'spilledMessagesTotal',
  'spilledBytesTotal',
  /** Messages of long mailboxes that stayed on the heap because they cannot be written, as a whole. */
  'keptMessagesTotal',
  /** Messages that stayed because the memory was used up. */
  'refusedMessagesTotal',
  /** Bytes of segments given up, that wait for a full collection; set to 0 by who has one made. */
  'droppedBytes',
] as const;
export type SpillCounter = (typeof SPILL_COUNTERS)[number];

/** The places of these names in a block that has them. Throws a RangeError if it has not. */
export function placesOf<Name extends string>(
  all: readonly string[],
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const places = {} as Record<Name, number>;
  for (const name of names) {
    const place = all.indexOf(name);
    if (place < 0) throw new RangeError(`there is no counter ${name}`);
    places[name] = place;
  }
  return places;
}
