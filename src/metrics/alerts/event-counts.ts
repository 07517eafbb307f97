import type { Observation } from './alert-book.js';
import type { AlertEventName, AlertRule } from './alert-rules.js';
import { findingOf } from './figure-watch.js';

/** Something that a thread reports, and that is wrong only if it comes often. */
export interface AlertEvent {
  readonly event: AlertEventName;
  /** Where: `scheduler-1`. */
  readonly thread: string;
  /** What happened, in a line. */
  readonly message: string;
  /** Where it was, topmost frame first, if that is known. */
  readonly stack: readonly string[];
}

/** So long an event counts. */
const WINDOW_MS = 60_000;
/** Events of one thread that are counted; more are as bad. */
const COUNTED_MAX = 1000;

interface Counted {
  readonly times: number[];
  latest: AlertEvent;
}

/** How often something was reported within the last minute, by thread. */
export class EventCounts {
  readonly #counts = new Map<string, Counted>();

  record(event: AlertEvent, now: number): void {
    const key = `${event.event} ${event.thread}`;
    let counted = this.#counts.get(key);
    if (counted === undefined) {
      counted = { times: [], latest: event };
      this.#counts.set(key, counted);
    }
    counted.latest = event;
    counted.times.push(now);
    if (counted.times.length > COUNTED_MAX) counted.times.shift();
  }

  /** Nothing was reported lately. */
  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** What the rules about events have to say now. */
  observe(rules: readonly AlertRule[], now: number): readonly Observation[] {
    const observations: Observation[] = [];
    for (const [key, { times, latest }] of this.#counts) {
      const kept = times.findIndex((time) => now - time < WINDOW_MS);
      if (kept !== 0) times.splice(0, kept < 0 ? times.length : kept);
      if (times.length === 0) {
        this.#counts.delete(key);
        continue;
      }
      for (const rule of rules) {
        if (rule.source.kind !== 'event' || rule.source.event !== latest.event) continue;
        const { thread, message, stack } = latest;
        const value = times.length;
        const find = () => {
          const { line, details } = findingOf(rule, thread, value, { message, stack });
          return {
            line: `${line}; the latest: ${message}${stack[0] === undefined ? '' : ` ${stack[0]}`}`,
            details,
          };
        };
        observations.push({ rule, subject: thread, label: null, value, find });
      }
    }
    return observations;
  }
}
