/**
 * Every incarnation of a scheduler has a number of its own, so that a pid of a scheduler that died never names a
 * process of the one that took its place: number = place + 256 × incarnation. The first incarnation's number is its
 * place. Place 0 is the main thread.
 */
export const PLACES_MAX = 256;

/** Where a scheduler stands among the others, 0 to 255: what stays when it is replaced. */
export function placeOf(scheduler: number): number {
  return scheduler & (PLACES_MAX - 1);
}

/** Which one at its place it is, from 0. */
export function incarnationOf(scheduler: number): number {
  return scheduler >>> 8;
}

/** The number of an incarnation of the scheduler at `place`. */
export function schedulerNumber(place: number, incarnation: number): number {
  return place + incarnation * PLACES_MAX;
}
