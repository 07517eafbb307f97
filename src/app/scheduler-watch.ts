import type { AlertEvent } from '../metrics/alerts/event-counts.js';
import {
  type GuardHandle,
  guardMissing,
  sampleStack,
  Watchdog,
  type WatchdogEvent,
  type WatchLimits,
} from '../schedulers/index.js';
import type { Clock, ClockTimer } from '../structures/clock.js';
import type { Config } from './config.js';
import type { Log } from './log.js';

/** How long new code is watched more closely. */
const PROBATION_MS = 60_000;

/** The main thread's watch over the schedulers: processes that do not return are cut off, threads that hang end. */
export class SchedulerWatch {
  readonly #watchdog: Watchdog;
  readonly #log: Log;
  readonly #clock: Clock;
  /** What is watched, and what ends the watch over it. */
  readonly #watched = new Map<string, { readonly guard: GuardHandle; readonly end: () => void }>();
  readonly #report: (event: AlertEvent) => void;
  #config: Config;
  /** New code is in: until then it may run for less long. */
  #probation: ClockTimer | null = null;

  /** @param report is told of each time that a thread was held up */
  constructor(config: Config, clock: Clock, log: Log, report: (event: AlertEvent) => void) {
    this.#log = log;
    this.#clock = clock;
    this.#report = report;
    this.#config = config;
    this.#watchdog = new Watchdog({
      clock,
      pollMs: pollMsOf(config),
      ...limitsOf(config),
      onEvent: (event) => this.#told(event),
    });
  }

  /** Other limits from the next look on: longScheduleMs, longScheduleKillMs, schedulerHangMs. */
  setLimits(config: Config): void {
    this.#config = config;
    this.#watchdog.setPoll(pollMsOf(config));
    this.#watchdog.setLimits(limitsOf(config, this.#probation !== null));
  }

  /** New code was loaded: for a minute a process is cut off after codeProbationKillMs. */
  codeLoaded(): void {
    this.#clock.clearTimer(this.#probation);
    this.#probation = this.#clock.setTimer(() => {
      this.#probation = null;
      this.setLimits(this.#config);
    }, PROBATION_MS);
    this.setLimits(this.#config);
  }

  /** Says so, once, if no process can be cut off. */
  announce(): void {
    const missing = guardMissing();
    if (missing === null) return;
    this.#log.warn(
      `a process that never returns will hold up its scheduler: no native guard, ${missing.message}`,
    );
  }

  /** @param idleMs how long its event loop has waited since its start */
  begin(name: string, guard: GuardHandle, idleMs: () => number): void {
    this.end(name);
    this.#watched.set(name, { guard, end: this.#watchdog.watch(name, guard, idleMs) });
  }

  /** The thread has ended. */
  end(name: string): void {
    this.#watched.get(name)?.end();
    this.#watched.delete(name);
  }

  /** Where a thread is now: topmost frame first; empty if it runs no JavaScript or is not watched. */
  async sample(name: string): Promise<readonly string[]> {
    const watched = this.#watched.get(name);
    return watched === undefined ? [] : sampleStack(watched.guard, this.#clock);
  }

  #told(event: WatchdogEvent): void {
    const thread = event.name;
    switch (event.type) {
      case 'stuck': {
        const message = `${thread} has run outside of its processes for ${event.ranMs.toFixed(0)} ms`;
        this.#log.error({ thread, stack: event.stack.join('\n') }, message);
        this.#report({ event: 'blocked', thread, message, stack: event.stack });
        break;
      }
      case 'blocked': {
        const why = 'a system call, a collection of garbage, or no processor';
        const message = `${thread} has not run for ${event.ms.toFixed(0)} ms: ${why}`;
        this.#log.warn({ thread }, message);
        this.#report({ event: 'blocked', thread, message, stack: [] });
        break;
      }
      case 'given_up':
        this.#log.error({ thread }, `${thread} hangs for ${event.ranMs.toFixed(0)} ms: it is ended`);
        break;
    }
  }
}

/** Between two looks at threads that work. */
function pollMsOf({ longScheduleMs }: Config): number {
  return Math.min(50, longScheduleMs / 2);
}

function limitsOf(config: Config, isOnProbation = false): WatchLimits {
  const { longScheduleMs, longScheduleKillMs, schedulerHangMs, codeProbationKillMs } = config;
  const killMs = longScheduleKillMs === 0 ? Number.POSITIVE_INFINITY : longScheduleKillMs;
  const tighter = Math.max(longScheduleMs, Math.min(killMs, codeProbationKillMs));
  return {
    longMs: longScheduleMs,
    killMs: isOnProbation && codeProbationKillMs !== 0 ? tighter : killMs,
    lostMs: schedulerHangMs,
  };
}
