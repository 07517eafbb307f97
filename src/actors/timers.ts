import type { Clock, ClockTimer } from '../structures/clock.js';
import { TimerWheel, WheelEntry } from '../structures/timer-wheel.js';
import type { Process } from './process.js';
import { TimeoutMessage } from './system-message.js';

/** A running timer: what `sendAfter` and `startTimer` return. */
export abstract class Timer extends WheelEntry {
  /** @internal */
  abstract expired(): void;
  /** @internal Takes it out of its owner's list. */
  abstract detach(): void;
}

/** A timer that sends to a process and dies with it. */
export class ProcessTimer extends Timer {
  nextOwned: ProcessTimer | null = null;
  previousOwned: ProcessTimer | null = null;

  constructor(
    readonly process: Process<never>,
    readonly message: unknown,
    /** Whether the message comes as a {@link TimeoutMessage} (startTimer) or bare (sendAfter). */
    readonly wrapped: boolean,
  ) {
    super();
    const first = process.timers;
    this.nextOwned = first;
    if (first !== null) first.previousOwned = this;
    process.timers = this;
  }

  expired(): void {
    this.detach();
    this.process.deliver(this.wrapped ? new TimeoutMessage(this, this.message) : this.message);
  }

  detach(): void {
    const { nextOwned, previousOwned } = this;
    if (previousOwned === null) {
      if (this.process.timers === this) this.process.timers = nextOwned;
    } else {
      previousOwned.nextOwned = nextOwned;
    }
    if (nextOwned !== null) nextOwned.previousOwned = previousOwned;
    this.nextOwned = null;
    this.previousOwned = null;
  }
}

/** A timer that calls back: to a name, which is resolved at expiry, or to another scheduler. */
export class CallbackTimer extends Timer {
  constructor(readonly callback: (timer: CallbackTimer) => void) {
    super();
  }

  expired(): void {
    this.callback(this);
  }

  detach(): void {}
}

/**
 * The timers of one runtime: a wheel with ticks of 1 ms, and one timer of the clock for the next tick at which
 * the wheel has something to do. A timer never fires early, and late by less than 1 ms plus the clock's own delay.
 */
export class Timers {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel<Timer>;
  #armed: ClockTimer | null = null;
  #armedFor = Number.POSITIVE_INFINITY;
  /** Milliseconds in which timers fired. */
  busyMs = 0;
  readonly #wake = () => {
    this.#armed = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const began = this.#clock.now();
    this.expire();
    this.busyMs += this.#clock.now() - began;
  };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wheel = new TimerWheel<Timer>(Math.floor(clock.now()));
  }

  /** Timers that run. */
  get size(): number {
    return this.#wheel.size;
  }

  /** Starts a timer. Throws a RangeError if `delayMs` is not a finite number ≥ 0. */
  start(timer: Timer, delayMs: number): void {
    if (!(delayMs >= 0 && delayMs <= Number.MAX_SAFE_INTEGER)) {
      timer.detach();
      throw new RangeError(`a delay must be a number of milliseconds ≥ 0, not ${delayMs}`);
    }
    if (delayMs === 0) {
      timer.expired();
      return;
    }
    this.#wheel.add(timer, Math.ceil(this.#clock.now() + delayMs));
    if (timer.deadline < this.#armedFor) this.#arm();
  }

  /** Cancels: the milliseconds that were left, or false if it had fired or was cancelled. */
  cancel(timer: Timer): number | false {
    const left = this.read(timer);
    if (left !== false) {
      this.#wheel.remove(timer);
      timer.detach();
    }
    return left;
  }

  /** The milliseconds left, or false if it is not running. */
  read(timer: Timer): number | false {
    return timer.waiting ? Math.max(0, Math.ceil(timer.deadline - this.#clock.now())) : false;
  }

  /** Forgets all timers of a process that has ended. */
  cancelAllOf(process: Process<never>): void {
    for (let timer = process.timers; timer !== null; timer = timer.nextOwned) this.#wheel.remove(timer);
    process.timers = null;
  }

  /** Fires what is due. */
  expire(): void {
    this.#wheel.advance(Math.floor(this.#clock.now()), fire);
    this.#arm();
  }

  #arm(): void {
    const next = this.#wheel.next();
    if (next === this.#armedFor) return;
    if (this.#armed !== null) this.#clock.clearTimer(this.#armed);
    this.#armedFor = next;
    this.#armed =
      next === Number.POSITIVE_INFINITY
        ? null
        : this.#clock.setTimer(this.#wake, Math.max(0, next - this.#clock.now()));
  }
}

function fire(timer: Timer): void {
  timer.expired();
}
