import type { Pid, StartResult } from '../actors/index.js';
import type { CheckedSpec, ChildSpec } from './child-spec.js';

/** A child, as `whichChildren` shows it. */
export interface ChildInfo {
  readonly id: string;
  readonly pid: Pid | 'restarting' | null;
  readonly type: 'worker' | 'supervisor';
}

/** Children known, running, and how many of those known are of which type. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

export type StopChildResult = 'ok' | 'not_found';
export type DeleteChildResult = 'ok' | 'not_found' | 'running' | 'restarting';
export type RestartChildResult = StartResult | 'not_found' | 'running' | 'restarting';

/** What a supervisor can be asked, with the types of the answers. Send them with `self.request` from a process. */
export type SupervisorCalls =
  | [{ readonly op: 'start_child'; readonly spec: ChildSpec }, StartResult]
  | [{ readonly op: 'terminate_child'; readonly child: string | Pid }, StopChildResult]
  | [{ readonly op: 'restart_child'; readonly id: string }, RestartChildResult]
  | [{ readonly op: 'delete_child'; readonly id: string }, DeleteChildResult]
  | [{ readonly op: 'which_children' }, readonly ChildInfo[]]
  | [{ readonly op: 'count_children' }, ChildCounts]
  | [{ readonly op: 'get_childspec'; readonly child: string | Pid }, CheckedSpec | 'not_found'];

export type SupervisorRequest = SupervisorCalls[0];
export type SupervisorReply = SupervisorCalls[1];

/** Sent by a supervisor to itself after a failed restart, so that other messages have their turn. */
export class TryAgain<Child> {
  constructor(readonly child: Child) {}
}
