import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { Runtime } from '../actors/runtime.js';
import type { ClockTimer } from '../structures/clock.js';

/** How often a stalled process handles what it may. */
const STEP_MS = 10;
/** So long it can make up for a time in which the thread did something else. */
const BEHIND_MS_MAX = 3000;

/**
 * Makes processes slow, as if their handlers waited for something: from then on a process handles so many messages a second,
 * and nothing else of its scheduler is held up. For development: a fault to see what becomes of it.
 */
export class Stalls {
  readonly #runtime: Runtime;
  readonly #stalled = new Map<Pid, Stall>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @param rate messages a second; 0: it stands still. Of one that is stalled already: its new rate */
  stall(pid: Pid, rate: number): void {
    const stalled = this.#stalled.get(pid);
    if (stalled !== undefined) {
      stalled.rate = rate;
      return;
    }
    const stall = new Stall(this.#runtime, pid as unknown as Process<never>, rate, () =>
      this.#stalled.delete(pid),
    );
    this.#stalled.set(pid, stall);
  }

  /** It is as it was. False: it is not stalled. */
  cure(pid: Pid): boolean {
    return this.#stalled.get(pid)?.end() ?? false;
  }
}

/** One process: suspended, and handed its messages at its pace. */
class Stall {
  rate: number;
  readonly #runtime: Runtime;
  readonly #process: Process<never>;
  readonly #ended: () => void;
  #timer: ClockTimer;
  /** Up to when it has handled what it may, on the runtime's clock. */
  #at: number;

  constructor(runtime: Runtime, process: Process<never>, rate: number, ended: () => void) {
    this.#runtime = runtime;
    this.#process = process;
    this.#ended = ended;
    this.rate = rate;
    this.#at = runtime.clock.now();
    runtime.suspend(process);
    this.#timer = runtime.clock.setTimer(this.#step, STEP_MS);
  }

  end(): true {
    this.#runtime.clock.clearTimer(this.#timer);
    this.#ended();
    if (this.#process.alive) this.#runtime.resume(this.#process);
    return true;
  }

  readonly #step = (): void => {
    const { clock, turns } = this.#runtime;
    const process = this.#process;
    const now = clock.now();
    const since = Math.max(this.#at, now - BEHIND_MS_MAX);
    let left = Math.floor(((now - since) * this.rate) / 1000);
    // What is not a whole message yet counts the next time.
    this.#at = this.rate === 0 ? now : since + (left * 1000) / this.rate;
    for (; left > 0 && process.alive && process.mailboxLength > 0; left--) {
      turns.handleNow(process, process.take());
    }
    if (process.alive) this.#timer = clock.setTimer(this.#step, STEP_MS);
    else this.#ended();
  };
}
