import type { ExitReason, Pid, ServerPid, Started, StartResult } from '../actors/index.js';
import type { AnyChildSpec, CheckedSpec } from './child-spec.js';

/** A child, as `whichChildren` shows it. */
export interface ChildInfo {
  /** For the children of a template: its id. */
  readonly id: string;
  /** Its process; `restarting` while a restart that failed is about to be tried again; null if there is none. */
  readonly pid: Pid | 'restarting' | null;
  readonly type: 'worker' | 'supervisor';
  readonly modules: readonly string[] | 'dynamic';
}

/** Children known, with a process that lives, and how many of those known are of which type. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** Why a supervisor does not do what it was asked to. `simple_one_for_one`: one of templates never does that. */
export type ChildError =
  | { readonly type: 'not_found' }
  | { readonly type: 'running' }
  | { readonly type: 'restarting' }
  | { readonly type: 'simple_one_for_one' };

type Refused<Type extends ChildError['type']> = {
  readonly ok?: undefined;
  readonly error: Extract<ChildError, { readonly type: Type }>;
};
type Done = { readonly ok: true; readonly error?: undefined };

export type TerminateChildResult = Done | Refused<'not_found' | 'simple_one_for_one'>;
export type DeleteChildResult = Done | Refused<ChildError['type']>;
export type GetChildSpecResult =
  | { readonly ok: CheckedSpec; readonly error?: undefined }
  | Refused<'not_found'>;
export type WhichChildResult =
  | { readonly ok: ChildInfo; readonly error?: undefined }
  | Refused<'not_found' | 'simple_one_for_one'>;

/**
 * `error`: `already_started`, `already_present`, `bad_spec`, or `failed_to_start_child` with the reason inside; under
 * templates and dynamic supervisors the bare reason, or `max_children`.
 */
export type StartChildResult<M = never> = StartResult<M>;

/** `error`: why not, or the reason for which it failed to start. */
export type RestartChildResult =
  | Started
  | {
      readonly ok?: undefined;
      readonly ignore?: undefined;
      readonly error: ExitReason | ChildError;
      readonly pending?: undefined;
    };

/** What a supervisor can be asked, with the types of the answers. */
export type SupervisorCalls =
  | [{ readonly op: 'start_child'; readonly spec: AnyChildSpec | readonly unknown[] }, StartResult]
  | [{ readonly op: 'terminate_child'; readonly child: string | Pid }, TerminateChildResult]
  | [{ readonly op: 'restart_child'; readonly id: string }, RestartChildResult]
  | [{ readonly op: 'delete_child'; readonly id: string }, DeleteChildResult]
  | [{ readonly op: 'which_children' }, readonly ChildInfo[]]
  | [{ readonly op: 'which_child'; readonly id: string }, WhichChildResult]
  | [{ readonly op: 'count_children' }, ChildCounts]
  | [{ readonly op: 'get_childspec'; readonly child: string | Pid }, GetChildSpecResult];

export type SupervisorRequest = SupervisorCalls[0];
export type SupervisorReply = SupervisorCalls[1];

/** A supervisor: it knows what may be asked. */
export type SupervisorPid = ServerPid<SupervisorCalls>;

/** A supervisor was asked, or told, what it does not know: it ends for it, as OTP's for want of a clause. */
export class UnknownRequest extends Error {
  override readonly name = 'UnknownRequest';

  constructor(readonly request: unknown) {
    super(`a supervisor does not know the request ${describeRequest(request)}`);
  }
}

function describeRequest(request: unknown): string {
  const { op } = (request ?? {}) as { readonly op?: unknown };
  return String(op ?? request);
}

/** @internal The answers that are always the same. */
export const done: Done = { ok: true };

/** @internal */
export function refused<Type extends ChildError['type']>(type: Type): Refused<Type> {
  return { error: { type } } as unknown as Refused<Type>;
}

/** @internal Sent by a supervisor to itself after a failed restart, so that other messages have their turn. */
export class TryAgain {
  /** The id of the child, or the pid that it had. */
  constructor(readonly child: string | Pid) {}
}
