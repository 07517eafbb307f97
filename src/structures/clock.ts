/**
 * Time and turns, injected. Everything in Rookery that waits, measures or yields takes a {@link Clock}, so
 * that the same code runs over the operating system's clock and over a simulated one.
 */

/** A pending timer of a {@link Clock}. Opaque: what it is belongs to the clock that made it. */
export type ClockTimer = unknown;

export interface Clock {
  /** Monotonic time in milliseconds, with a fraction; its zero is arbitrary. Never goes back. */
  now(): number;
  /** Wall-clock time in whole milliseconds since the Unix epoch. May jump. */
  wall(): number;
  /**
   * Calls `callback` once, no earlier than `delayMs` from now. Delays above 2^31−1 ms work.
   * The timer alone does not keep the process alive.
   */
  setTimer(callback: () => void, delayMs: number): ClockTimer;
  /** Cancels a timer; one that has fired or was cancelled is ignored. */
  clearTimer(timer: ClockTimer): void;
  /** Calls `callback` in the next turn of the event loop, after I/O had its chance (setImmediate). */
  defer(callback: () => void): void;
}
