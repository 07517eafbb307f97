/**
 * Rookery: OTP's processes, supervisors and behaviours for Node.js. What is exported here is the public interface; the
 * semantics are written down in docs/runtime-semantics.md.
 *
 * The core has no globals: make a {@link Runtime} and hand it on. For scripts and first steps there is one that is
 * made when it is first used, with free functions for it: `spawn`, `send`, `exit`, `whereis`.
 */
import { type ExitReason, type Pid, Runtime, type SpawnOptions, type Start } from './actors/index.js';
import { SystemClock } from './structures/system-clock.js';
import { SystemRandom } from './structures/system-random.js';

export * from './actors/index.js';
export * from './applications/index.js';
export * from './registry/index.js';
export type { Clock, ClockTimer } from './structures/clock.js';
export type { Random } from './structures/random.js';
export { SystemClock } from './structures/system-clock.js';
export { SystemRandom } from './structures/system-random.js';
export * from './supervisors/index.js';

let shared: Runtime | null = null;

/** The runtime of the free functions: over the system's clock; crashes go to standard error. */
export function defaultRuntime(): Runtime {
  shared ??= new Runtime({
    clock: new SystemClock(),
    random: new SystemRandom(),
    events: (event) => {
      if (event.type === 'crash') console.error(`${event.label} ${String(event.pid)} crashed:`, event.reason);
    },
  });
  return shared;
}

/** `defaultRuntime().spawn`. */
export function spawn<M>(start: Start<M>, options?: SpawnOptions): Pid<M> {
  return defaultRuntime().spawn(start, options);
}

/** `defaultRuntime().send`. */
export function send<M>(target: Pid<M>, message: M): void {
  defaultRuntime().send(target, message);
}

/** `defaultRuntime().exit`. */
export function exit(pid: Pid, reason: ExitReason): void {
  defaultRuntime().exit(pid, reason);
}

/** `defaultRuntime().whereis`. */
export function whereis<M = unknown>(name: string): Pid<M> | undefined {
  return defaultRuntime().whereis(name);
}
