/**
 * For tests of what is built on Rookery: time stands still until the test moves it, chance comes from a seed, and the world
 * comes to rest before the test looks.
 */
import { Runtime, type RuntimeEvent, type RuntimeOptions } from './actors/index.js';
import { SeededRandom } from './structures/seeded-random.js';
import { SimulatedClock } from './structures/simulated-clock.js';

export { SeededRandom } from './structures/seeded-random.js';
export { SimulatedClock } from './structures/simulated-clock.js';

/**
 * A runtime for one test, with what it reported. Nothing of it happens by itself:
 *
 * ```ts
 * import { simulatedRuntime } from 'rookery/testing';
 *
 * const { runtime, advance } = simulatedRuntime();
 * const seen: string[] = [];
 * const pid = runtime.spawn<string>((self) => {
 *   self.sendAfter(60_000, 'tick');
 *   return { receive: (message) => void seen.push(String(message)) };
 * });
 * runtime.send(pid, 'hello');
 * runtime.flush(); //                  until nobody has anything to do
 * console.log(seen.join()); // → hello
 * advance(60_000); //                  a minute later
 * console.log(seen.join()); // → hello,tick
 * ```
 */
export interface SimulatedRuntime {
  readonly runtime: Runtime;
  readonly clock: SimulatedClock;
  /** What the runtime reported, oldest first. */
  readonly events: readonly RuntimeEvent[];
  /** Lets so many milliseconds pass: each timer fires at its time, and all comes to rest before the next. */
  advance(ms: number): void;
}

/** @param seed of what the runtime's processes take for chance */
export function simulatedRuntime(
  options: Omit<RuntimeOptions, 'clock' | 'random' | 'events'> = {},
  seed = 1,
): SimulatedRuntime {
  const clock = new SimulatedClock();
  const events: RuntimeEvent[] = [];
  const runtime = new Runtime({
    ...options,
    clock,
    random: new SeededRandom(seed),
    events: (event) => void events.push(event),
  });
  const advance = (ms: number) => {
    runtime.flush();
    clock.advance(ms);
    runtime.flush();
  };
  return { runtime, clock, events, advance };
}
