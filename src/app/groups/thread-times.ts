/** What is measured of a thread, in ms since it began. */
export interface MeasuredTimes {
  /** Of its event loop. */
  readonly idle: number;
  readonly active: number;
  readonly handlers: number;
  readonly timers: number;
  /** null: not known. */
  readonly gc: number | null;
}

/** The same as shares of one time: `elapsed` is the sum of the others. They only grow, over all incarnations of the thread. */
export interface StateTimes {
  readonly elapsed: number;
  readonly handlers: number;
  readonly io: number;
  readonly gc: number | null;
  readonly timers: number;
  readonly idle: number;
}

const NOTHING: MeasuredTimes = { idle: 0, active: 0, handlers: 0, timers: 0, gc: 0 };

/**
 * Makes states that share the time of a thread out of what is measured of it. Collections happen within handlers, timers
 * and everything else, and nobody knows in which: they are taken out of all in equal parts. What is measured of a stretch
 * may be a little more than the stretch was (it is not read at one moment); it is cut then.
 */
export class ThreadTimes {
  #incarnation = 0;
  #before = NOTHING;
  #handlers = 0;
  #io = 0;
  #gc: number | null = null;
  #timers = 0;
  #idle = 0;

  add(incarnation: number, now: MeasuredTimes): StateTimes {
    const before = incarnation === this.#incarnation ? this.#before : NOTHING;
    this.#incarnation = incarnation;
    const since = (figure: (times: MeasuredTimes) => number) => Math.max(0, figure(now) - figure(before));
    const active = since((times) => times.active);
    const gc =
      now.gc === null
        ? 0
        : Math.min(
            active,
            since((times) => times.gc ?? 0),
          );
    const left = active - gc;
    const share = active === 0 ? 0 : left / active;
    const handlers = Math.min(left, since((times) => times.handlers) * share);
    const timers = Math.min(left - handlers, since((times) => times.timers) * share);
    this.#handlers += handlers;
    this.#timers += timers;
    this.#io += left - handlers - timers;
    if (now.gc !== null) this.#gc = (this.#gc ?? 0) + gc;
    this.#idle += since((times) => times.idle);
    this.#before = now;
    return {
      elapsed: this.#handlers + this.#io + (this.#gc ?? 0) + this.#timers + this.#idle,
      handlers: this.#handlers,
      io: this.#io,
      gc: this.#gc,
      timers: this.#timers,
      idle: this.#idle,
    };
  }
}
