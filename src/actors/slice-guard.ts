/** Where something was, and for how long it had run. */
export interface StackSample {
  readonly ranMs: number;
  /** As in an Error's stack, topmost frame first: `at name (file:line:column)`. */
  readonly stack: readonly string[];
}

/**
 * Runs process code so that a watchdog in another thread can cut it off; see `RuntimeOptions.guard`. The one there is
 * stands in src/schedulers: it needs the native add-on.
 *
 * Guarded calls nest. The level of a call is the number of those below it.
 */
export interface SliceGuard {
  /**
   * What the watchdog looks at. `marks[GuardMark.depth]`: guarded calls on the stack; `marks[GuardMark.levels + level]`
   * is counted up whenever another piece of work begins on that level. Also by the core: one guarded call runs many slices.
   */
  readonly marks: Int32Array;
  /**
   * Calls `body(a, b, c)`; what it throws is thrown. True: it was cut off. Then nothing of it is on the stack any more, no
   * `finally` of it has run, and {@link takeCut} tells more.
   */
  run<A, B, C>(body: (a: A, b: B, c: C) => void, a: A, b: B, c: C): boolean;
  /** To be called before {@link run} where no other guarded call is on the stack: a watchdog that sleeps looks from now on. */
  begins(): void;
  /** About the last cut. */
  takeCut(): StackSample;
  /** The sample taken of the work that has just ended on this level; null if there is none. Clears {@link Word.sampled}. */
  takeSample(level: number): StackSample | null;
}

/** Indices into {@link SliceGuard.marks}. `native/slice-guard.cc` has the same layout. */
export const GuardMark = {
  /** Guarded calls on the stack. */
  depth: 0,
  /** Interrupts that came through. */
  answered: 1,
  /** Cuts that were refused, because what ran must not be cut just there. */
  refused: 2,
  cuts: 3,
  /** Bell of a watchdog that sleeps until something begins: see `Doorbell`. */
  bell: 4,
  levels: 8,
  /** Length of the array: levels above 56 are not told apart. */
  count: 64,
} as const;

/** What an after-turn callback or an exit hook fails with that was cut off. */
export class CutOff extends Error {
  override readonly name = 'CutOff';

  constructor(readonly sample: StackSample) {
    super(`cut off after ${sample.ranMs.toFixed(0)} ms`);
    this.stack = [`CutOff: ${this.message}`, ...sample.stack.map((line) => `    ${line}`)].join('\n');
  }
}
