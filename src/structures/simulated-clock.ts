import type { Clock, ClockTimer } from './clock.js';
import { Fifo } from './fifo.js';

class SimulatedTimer {
  constructor(
    readonly callback: () => void,
    readonly deadline: number,
    readonly order: number,
  ) {}

  cancelled = false;
  fired = false;
}

/**
 * A clock that stands still until told to move. Timers fire in the order of their deadlines, those of the same
 * deadline in the order in which they were set, and before time moves on everything deferred has run: the same
 * calls give the same history.
 */
export class SimulatedClock implements Clock {
  #now: number;
  #epoch: number;
  #order = 0;
  #cancelled = 0;
  /** A binary heap by (deadline, order). */
  readonly #timers: SimulatedTimer[] = [];
  readonly #deferred = new Fifo<() => void>();

  /**
   * @param epoch the wall-clock time, in ms since the Unix epoch, at time 0
   * @param now where the monotonic time begins, in ms
   */
  constructor(epoch = Date.UTC(2024, 0, 1), now = 0) {
    this.#epoch = epoch;
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#epoch + Math.floor(this.#now);
  }

  /** The wall clock is set forward or (negative) back. Monotonic time does not notice. */
  jumpWall(ms: number): void {
    this.#epoch += ms;
  }

  /** Time passes while nobody gets to run (a slow turn, a suspended machine): what falls due meanwhile comes late. */
  stall(ms: number): void {
    this.#now += ms;
  }

  setTimer(callback: () => void, delayMs: number): ClockTimer {
    const timer = new SimulatedTimer(callback, this.#now + Math.max(0, delayMs), this.#order++);
    this.#insert(timer);
    return timer;
  }

  clearTimer(timer: ClockTimer): void {
    const cleared = timer as SimulatedTimer;
    if (cleared.cancelled || cleared.fired) return;
    // Left in the heap and skipped; when most of it is such, it is made anew.
    cleared.cancelled = true;
    if (++this.#cancelled > 64 && this.#cancelled * 2 > this.#timers.length) this.#compact();
  }

  /** Places taken by timers, those cleared but not yet thrown away among them. */
  get timerSlots(): number {
    return this.#timers.length;
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Runs one thing: a deferred callback, or else nothing. False when nothing is deferred. Time stands still. */
  runOne(): boolean {
    const callback = this.#deferred.shift();
    if (callback === undefined) return false;
    callback();
    return true;
  }

  /** Runs deferred callbacks, and those that they defer, until none is left. Time stands still. */
  run(): void {
    while (this.runOne());
  }

  /** When the next timer is due; Infinity when there is none. */
  nextDeadline(): number {
    for (let first = this.#timers[0]; first !== undefined; first = this.#timers[0]) {
      if (!first.cancelled) return first.deadline;
      this.#cancelled--;
      this.#removeFirst();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Lets `ms` pass: everything deferred runs, each timer fires at its time, and what they defer runs then. */
  advance(ms: number): void {
    const until = this.#now + ms;
    this.run();
    for (let next = this.nextDeadline(); next <= until; next = this.nextDeadline()) {
      this.#now = Math.max(this.#now, next);
      this.#fireFirst();
      this.run();
    }
    // Not backwards: a callback may have stalled beyond it.
    this.#now = Math.max(this.#now, until);
  }

  /** Jumps to the next timer and fires it. False when there is none. */
  step(): boolean {
    this.run();
    const next = this.nextDeadline();
    if (next === Number.POSITIVE_INFINITY) return false;
    this.#now = Math.max(this.#now, next);
    this.#fireFirst();
    this.run();
    return true;
  }

  #fireFirst(): void {
    const timer = this.#removeFirst();
    timer.fired = true;
    timer.callback();
  }

  #compact(): void {
    const left = this.#timers.filter((timer) => !timer.cancelled);
    this.#timers.length = 0;
    this.#cancelled = 0;
    for (const timer of left) this.#insert(timer);
  }

  #insert(timer: SimulatedTimer): void {
    const heap = this.#timers;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(timer, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = timer;
  }

  #removeFirst(): SimulatedTimer {
    const heap = this.#timers;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++;
      if (!before(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: SimulatedTimer, b: SimulatedTimer): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}
