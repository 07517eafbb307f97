import { Fifo } from '../structures/fifo.js';

/** At most `intensity` restarts in any `periodMs`: the times of the latest ones, oldest first. */
export class RestartIntensity {
  readonly #times = new Fifo<number>();
  #intensity: number;
  #periodMs: number;

  constructor(intensity: number, periodMs: number) {
    this.#intensity = intensity;
    this.#periodMs = periodMs;
  }

  /** Restarts that count now. */
  get count(): number {
    return this.#times.length;
  }

  /** Other limits; what has been counted stays. */
  change(intensity: number, periodMs: number): void {
    this.#intensity = intensity;
    this.#periodMs = periodMs;
  }

  /** Counts a restart at `now` (ms, monotonic). False: that was one too many. */
  add(now: number): boolean {
    const times = this.#times;
    while (times.length > 0 && times.peek()! < now - this.#periodMs) times.shift();
    times.push(now);
    return times.length <= this.#intensity;
  }
}
