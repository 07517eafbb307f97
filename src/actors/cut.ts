/** @internal Words by which the guard of this thread talks to the core; `native/slice-guard.cc` has the same layout. */
export const Word = {
  /** Not 0: what runs is being cut off. */
  cutting: 0,
  /** Not 0: a sample of what runs was taken and can be fetched when it ends. */
  sampled: 1,
  /** Not 0: the slice with this number (see `GuardMark.levels`) has lasted for long and is to end within a few messages. */
  giveWay: 2,
} as const;

/**
 * @internal The words themselves: those of this thread, since a thread has one stack. Always 0 without a guard. Shared, for
 * the last one is written by a watchdog in its own thread.
 *
 * Why the core looks at them. V8 unwinds a function that is cut off at its next stack check, wherever that is, and no
 * `finally` runs. The guard begins a cut only while user code is on top of the stack; but until the next stack check
 * that code may still call the core, and a cut between two lines of `deliver` would leave a mailbox that counts a
 * message which it does not have. So whoever is about to change something that belongs to others asks first:
 *
 *     if (words[Word.cutting] !== 0) beCut();
 *
 * A word of a typed array, since the other side writes it from within an interrupt: one load and one comparison.
 */
export const words = new Int32Array(new SharedArrayBuffer(12));

/** @internal Stays here until the stack is unwound: the loop has a stack check. */
export function beCut(): void {
  while (words[Word.cutting] !== 0) {
    // Nothing: unwound at the end of the first round.
  }
}
