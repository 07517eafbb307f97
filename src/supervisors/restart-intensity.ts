import { BadArgument } from '../actors/index.js';
import { Fifo } from '../structures/fifo.js';

/** At most `intensity` restarts in any `periodMs`: the times of the latest ones, oldest first. */
export class RestartIntensity {
  readonly #times = new Fifo<number>();

  /** Throws a {@link BadArgument} for a bad value. */
  constructor(
    private readonly intensity: number,
    private readonly periodMs: number,
  ) {
    if (!Number.isInteger(intensity) || intensity < 0) throw new BadArgument(`bad intensity: ${intensity}`);
    if (!(periodMs > 0)) throw new BadArgument(`bad periodMs: ${periodMs}`);
  }

  /** Counts a restart at `now` (ms, monotonic). False: that was one too many. */
  add(now: number): boolean {
    const times = this.#times;
    while (times.length > 0 && times.peek()! <= now - this.periodMs) times.shift();
    times.push(now);
    return times.length <= this.intensity;
  }
}
