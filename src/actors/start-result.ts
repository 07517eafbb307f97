import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { Ref } from './ref.js';
import type { Blocking, Wait } from './wait.js';

/**
 * What came of a start: the process, or nothing because it had nothing to do (OTP's `ignore`), or why not, or nothing yet
 * because its init waits for something. Exactly one of the four is there, so `result.ok !== undefined` tells.
 */
export type StartOutcome<P extends Pid> =
  | {
      readonly ok: P;
      /** What the new process had to say beside its pid: OTP's `{ok, Pid, Info}`. */
      readonly info?: unknown;
      readonly ignore?: undefined;
      readonly error?: undefined;
      readonly pending?: undefined;
    }
  | NotStarted
  | {
      readonly ok?: undefined;
      readonly info?: undefined;
      readonly ignore?: undefined;
      readonly error?: undefined;
      /** Yields the outcome when the new process has initialized itself: see {@link started}. */
      readonly pending: Wait<StartOutcome<P>>;
    };

type NotStarted =
  | {
      readonly ok?: undefined;
      readonly info?: undefined;
      readonly ignore: true;
      readonly error?: undefined;
      readonly pending?: undefined;
    }
  | {
      readonly ok?: undefined;
      readonly info?: undefined;
      readonly ignore?: undefined;
      readonly error: ExitReason;
      readonly pending?: undefined;
    };

export type StartResult<M = never> = StartOutcome<Pid<M>>;

/** The same where the starter monitors the new process from before its first word on: by `ref`. */
export type MonitoredStart<P extends Pid> =
  | {
      readonly ok: P;
      readonly ref: Ref;
      readonly info?: unknown;
      readonly ignore?: undefined;
      readonly error?: undefined;
      readonly pending?: undefined;
    }
  | (NotStarted & { readonly ref?: undefined })
  | {
      readonly ok?: undefined;
      readonly info?: undefined;
      readonly ref?: undefined;
      readonly ignore?: undefined;
      readonly error?: undefined;
      readonly pending: Wait<MonitoredStart<P>>;
    };

/** A start that is no longer pending. */
export type Started<P extends Pid = Pid> = Exclude<
  StartOutcome<P>,
  { readonly pending: Wait<StartOutcome<P>> }
>;

/** Waits for a start that is pending: `const { ok } = yield* started(GenServer.startLink(self, new Slow()))`. */
export function started<P extends Pid>(
  result: MonitoredStart<P>,
): Blocking<Exclude<MonitoredStart<P>, { readonly pending: Wait<MonitoredStart<P>> }>>;
export function started<P extends Pid>(result: StartOutcome<P>): Blocking<Started<P>>;
export function* started(result: StartOutcome<Pid> | MonitoredStart<Pid>): Blocking<Started> {
  let now = result;
  while (now.pending !== undefined) now = yield* now.pending;
  return now;
}
