import type { CodeEvent } from '../hot-code/index.js';
import type { Clock } from '../structures/clock.js';

/** A version that fails at every call must not flood the main thread, which needs no more than a few to act. */
const EVENTS_MAX = 20;
const PERIOD_MS = 1000;

/** What a scheduler tells of its code, fit to be sent, and not too often. */
export function codeEvents(clock: Clock, post: (event: CodeEvent) => void): (event: CodeEvent) => void {
  let until = 0;
  let sent = 0;
  return (event) => {
    const now = clock.now();
    if (now >= until) {
      until = now + PERIOD_MS;
      sent = 0;
    }
    if (event.type !== 'code_changed' && ++sent > EVENTS_MAX) return;
    post('error' in event ? { ...event, error: inWords(event.error) } : event);
  };
}

/** An error may hold what cannot be sent. */
function inWords(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
