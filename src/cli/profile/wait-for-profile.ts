import type { ProfileStarted, ProfileState } from '../../ops/profiles.js';
import { askAction, type OperatorFlags } from '../operator-client.js';

/** What came of a profile. */
export type ProfileDone = Exclude<ProfileState, { readonly state: 'running' }>;

/** How long one question waits on the server. */
const WAIT_MS = 500;
const INTERRUPTED = 130;

/**
 * Waits until a profile is done, and says on standard error how long that takes. Ctrl-C ends it on the server, with what was
 * found so far; a second one leaves at once.
 *
 * @throws OperatorRefused
 */
export async function untilDone(
  flags: OperatorFlags,
  { id, threads, ms }: ProfileStarted,
): Promise<ProfileDone> {
  let isInterrupted = false;
  const interrupt = () => {
    if (isInterrupted) process.exit(INTERRUPTED);
    isInterrupted = true;
    // If this is not heard, the next question is not answered either, and says so.
    askAction(flags, 'profile-end', { id }).catch(() => {});
  };
  process.on('SIGINT', interrupt);
  const isTerminal = process.stderr.isTTY === true;
  const who = threads.join(', ');
  if (!isTerminal) process.stderr.write(`profiling ${who} for ${seconds(ms)}; Ctrl-C ends it before\n`);
  try {
    for (;;) {
      const state = await askAction<ProfileState>(flags, 'profile-wait', { id, ms: WAIT_MS });
      if (state.state === 'done') return state;
      if (isTerminal)
        process.stderr.write(`\rprofiling ${who}: ${progress(state.leftMs, isInterrupted)}\x1b[K`);
    }
  } finally {
    if (isTerminal) process.stderr.write('\r\x1b[K');
    process.off('SIGINT', interrupt);
  }
}

function progress(leftMs: number, isInterrupted: boolean): string {
  if (isInterrupted) return 'ending';
  return leftMs === 0 ? 'putting it together' : `${seconds(leftMs)} more, Ctrl-C ends it now`;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 1)} s`;
}

/** Waits for so long, or until Ctrl-C; then the time is over, and the command goes on to its end. */
export async function forSoLong(ms: number): Promise<void> {
  let stop = (): void => {};
  const timer = setTimeout(() => stop(), ms);
  await new Promise<void>((resolve) => {
    stop = resolve;
    process.once('SIGINT', stop);
  });
  process.off('SIGINT', stop);
  clearTimeout(timer);
}
