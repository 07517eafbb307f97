import type { Clock, ClockTimer } from './clock.js';

/** setTimeout takes a signed 32-bit number of milliseconds and fires at once for anything above. */
const DELAY_MS_MAX = 2 ** 31 - 1;

class LongTimer {
  timeout: NodeJS.Timeout | null = null;
}

/**
 * What all threads of a process add to their {@link SystemClock.now} to get the same time: each thread's own begins when
 * the thread does.
 */
export function processTimeOffsetMs(): number {
  // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}

/** The operating system's clock and Node's event loop. The only file that may call them. */
export class SystemClock implements Clock {
  now(): number {
    // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  setTimer(callback: () => void, delayMs: number): ClockTimer {
    const delay = Math.ceil(delayMs);
    if (delay <= DELAY_MS_MAX) {
      // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
      return setTimeout(callback, delay).unref();
    }
    const timer = new LongTimer();
    this.#continue(timer, callback, this.now() + delay);
    return timer;
  }

  clearTimer(timer: ClockTimer): void {
    if (timer instanceof LongTimer) {
      if (timer.timeout !== null) clearTimeout(timer.timeout);
    } else {
      clearTimeout(timer as NodeJS.Timeout);
    }
  }

  defer(callback: () => void): void {
    // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
    setImmediate(callback);
  }

  #continue(timer: LongTimer, callback: () => void, deadline: number): void {
    const left = deadline - this.now();
    timer.timeout =
      left <= DELAY_MS_MAX
        ? // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
          setTimeout(callback, Math.ceil(left))
        : // biome-ignore lint/style/noRestrictedGlobals: this is the file that wraps it
          setTimeout(() => this.#continue(timer, callback, deadline), DELAY_MS_MAX);
    timer.timeout.unref();
  }
}
