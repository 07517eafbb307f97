/** The sum of a figure over several; null when there are none of whom it is known. */
export function sumOf<T>(all: readonly T[], figure: (one: T) => number): number | null {
  return all.length === 0 ? null : all.reduce((total, one) => total + figure(one), 0);
}
