import { formatPid, type Pid } from './pid.js';

/**
 * Why a process ended, or what an exit signal says. Each has the meaning that it has in OTP.
 *
 * | type | meaning |
 * | --- | --- |
 * | normal | it was done. Ignored by linked processes |
 * | shutdown | it was asked to end, or ended in an orderly way; `detail` makes it OTP's `{shutdown, Detail}` |
 * | kill | as a signal: cannot be trapped, and what the links of the killed see is `killed`. As the reason with which a process ends itself: an ordinary reason |
 * | killed | it was sent `kill` |
 * | noproc | there is, or was, no such process |
 * | noconnection | its scheduler is gone |
 * | error | an Error was thrown and not caught; the stack is the error's own |
 * | nocatch | something that is no Error was thrown and not caught |
 * | timeout | an answer did not come in time |
 * | calling_self | it called itself |
 * | call | a call failed, for the reason inside; OTP's `{Reason, {gen_server, call, …}}` |
 * | bad_return_value | a callback returned what it must not |
 * | bad_return_from_init | the `init` of a state machine did |
 * | already_started | the name belongs to that process |
 * | already_present | a supervisor has a child of this id that does not run |
 * | max_children | a dynamic supervisor has as many children as it may |
 * | busy | a synchronous call found the server running, or waiting for something |
 * | failed_to_start_child | a supervisor could not start that child, for the reason inside |
 * | start_crashed | the start function of a child threw; OTP's `{'EXIT', Reason}` |
 * | bad_start_result | the start function of a child returned what it must not; in OTP the bare value |
 * | bad_return | a supervisor's init returned what it must not |
 * | bad_spec | a supervisor's or child's specification is wrong: `problem` in OTP's words, and the bad value |
 * | mailbox_overflow | it had more messages waiting than the runtime allows |
 * | custom | anything else |
 */
export type ExitReason =
  | { readonly type: 'normal' }
  | { readonly type: 'shutdown'; readonly detail?: unknown }
  | { readonly type: 'kill' }
  | { readonly type: 'killed' }
  | { readonly type: 'noproc' }
  | { readonly type: 'noconnection' }
  | { readonly type: 'error'; readonly error: Error }
  | { readonly type: 'nocatch'; readonly value: unknown }
  | { readonly type: 'timeout' }
  | { readonly type: 'calling_self' }
  | { readonly type: 'call'; readonly reason: ExitReason; readonly target: Pid | string }
  | { readonly type: 'bad_return_value'; readonly value: unknown }
  | { readonly type: 'bad_return_from_init'; readonly value: unknown }
  | { readonly type: 'already_started'; readonly pid: Pid }
  | { readonly type: 'already_present' }
  | { readonly type: 'max_children' }
  | { readonly type: 'busy' }
  | { readonly type: 'failed_to_start_child'; readonly id: string; readonly reason: ExitReason }
  | { readonly type: 'start_crashed'; readonly reason: ExitReason }
  | { readonly type: 'bad_start_result'; readonly value: unknown }
  | { readonly type: 'bad_return'; readonly value: unknown }
  | {
      readonly type: 'bad_spec';
      /** What was specified: the supervisor itself, its first children, or a child that was to be added. */
      readonly of: 'supervisor_data' | 'start_spec' | 'child_spec';
      readonly problem: string;
      readonly value: unknown;
    }
  | { readonly type: 'mailbox_overflow' }
  | { readonly type: 'custom'; readonly value: unknown };

/** The reasons without details, and how to make the others. */
export const ExitReason = {
  normal: { type: 'normal' },
  shutdown: { type: 'shutdown' },
  kill: { type: 'kill' },
  killed: { type: 'killed' },
  noproc: { type: 'noproc' },
  noconnection: { type: 'noconnection' },
  timeout: { type: 'timeout' },
  callingSelf: { type: 'calling_self' },
  alreadyPresent: { type: 'already_present' },
  maxChildren: { type: 'max_children' },
  busy: { type: 'busy' },
  mailboxOverflow: { type: 'mailbox_overflow' },

  /** OTP's `{shutdown, Detail}`. */
  shutdownWith(detail: unknown): ExitReason {
    return { type: 'shutdown', detail };
  },

  custom(value: unknown): ExitReason {
    return { type: 'custom', value };
  },

  /** The reason with which a process ends that lets `thrown` escape. */
  ofThrown(thrown: unknown): ExitReason {
    if (thrown instanceof Exit) return thrown.reason;
    if (thrown instanceof Error) return { type: 'error', error: thrown };
    return { type: 'nocatch', value: thrown };
  },
} as const satisfies Record<string, ExitReason | ((...args: never[]) => ExitReason)>;

/** Thrown by `self.exit(reason)` to leave the running callback: Erlang's exit/1. Whoever catches it must rethrow it. */
export class Exit {
  constructor(readonly reason: ExitReason) {}

  toString(): string {
    return `exit: ${formatReason(this.reason)}`;
  }
}

/** What a promise is rejected with where a process would have exited. */
export class Exited extends Error {
  override readonly name = 'Exited';

  constructor(readonly reason: ExitReason) {
    super(formatReason(reason), reason.type === 'error' ? { cause: reason.error } : {});
  }
}

/** Normal, shutdown and {shutdown, _}: the ends that nobody needs to hear of. */
export function isOrderly(reason: ExitReason): boolean {
  return reason.type === 'normal' || reason.type === 'shutdown';
}

/** Whether two reasons are the same: of the same type, with the same details (values compared with `===`). */
export function sameReason(one: ExitReason, other: ExitReason): boolean {
  if (one === other) return true;
  if (one.type !== other.type) return false;
  switch (one.type) {
    case 'shutdown':
      return one.detail === (other as typeof one).detail;
    case 'error':
      return one.error === (other as typeof one).error;
    case 'nocatch':
    case 'bad_return_value':
    case 'bad_start_result':
    case 'bad_return':
    case 'bad_return_from_init':
    case 'custom':
      return one.value === (other as typeof one).value;
    case 'bad_spec': {
      const { of, problem, value } = other as typeof one;
      return one.of === of && one.problem === problem && one.value === value;
    }
    case 'start_crashed':
      return sameReason(one.reason, (other as typeof one).reason);
    case 'already_started':
      return one.pid === (other as typeof one).pid;
    case 'call':
      return (
        one.target === (other as typeof one).target && sameReason(one.reason, (other as typeof one).reason)
      );
    case 'failed_to_start_child':
      return one.id === (other as typeof one).id && sameReason(one.reason, (other as typeof one).reason);
    default:
      return true;
  }
}

/** One line for people. */
export function formatReason(reason: ExitReason): string {
  switch (reason.type) {
    case 'shutdown':
      return reason.detail === undefined ? 'shutdown' : `shutdown: ${formatDetail(reason.detail)}`;
    case 'error':
      return `error: ${reason.error.message}`;
    case 'nocatch':
      return `nocatch: ${String(reason.value)}`;
    case 'call':
      return `${formatReason(reason.reason)} in a call of ${typeof reason.target === 'string' ? reason.target : formatPid(reason.target)}`;
    case 'bad_return_value':
      return `bad return value: ${String(reason.value)}`;
    case 'start_crashed':
      return `start function crashed: ${formatReason(reason.reason)}`;
    case 'bad_start_result':
      return `bad result of a start function: ${String(reason.value)}`;
    case 'bad_return':
      return `bad return value of init: ${String(reason.value)}`;
    case 'bad_spec':
      return `bad ${reason.of}: ${reason.problem}: ${String(reason.value)}`;
    case 'bad_return_from_init':
      return `bad return value of init: ${String(reason.value)}`;
    case 'already_started':
      return `already started: ${formatPid(reason.pid)}`;
    case 'failed_to_start_child':
      return `failed to start child ${reason.id}: ${formatReason(reason.reason)}`;
    case 'custom':
      return String(reason.value);
    default:
      return reason.type;
  }
}

/** A supervisor that could not start has a reason as the detail of its shutdown. */
function formatDetail(detail: unknown): string {
  const failed = detail as { readonly type?: unknown } | null;
  return failed?.type === 'failed_to_start_child' ? formatReason(detail as ExitReason) : String(detail);
}
