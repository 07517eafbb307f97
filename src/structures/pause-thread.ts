const NEVER_RUNG = new Int32Array(new SharedArrayBuffer(4));

/**
 * Stops this thread for `ms` milliseconds, fractions of one included, without using the processor. Nothing of it runs
 * meanwhile: not for a thread that has sockets. A timer of the event loop knows no less than a millisecond, and costs a
 * turn of it. How exact it is depends on the system; on Linux it is some 60 µs more.
 */
export function pauseThread(ms: number): void {
  Atomics.wait(NEVER_RUNG, 0, 0, ms);
}
