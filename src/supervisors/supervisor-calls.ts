import { call, type Name, type Pid, Runtime, type Started, type Wait } from '../actors/index.js';
import type { AnyChildSpec } from './child-spec.js';
import type {
  ChildCounts,
  ChildInfo,
  DeleteChildResult,
  GetChildSpecResult,
  RestartChildResult,
  StartChildResult,
  SupervisorPid,
  SupervisorRequest,
  TerminateChildResult,
  WhichChildResult,
} from './requests.js';
import type { SimpleSupervisorPid } from './supervisor-spec.js';

/*
 * Each function twice: from outside of processes with the runtime, giving a promise (or, to start a child, the result at
 * once); for a process that waits without it, giving what it has to `yield*`.
 */

export type Target = SupervisorPid | Name;

type Arguments<Rest extends readonly unknown[]> = [Runtime, Target, ...Rest] | [Target, ...Rest];

function ask<R, Rest extends readonly unknown[]>(
  args: Arguments<Rest>,
  request: (...rest: Rest) => SupervisorRequest,
): Promise<R> | Wait<R> {
  const [first, ...others] = args as readonly unknown[];
  if (first instanceof Runtime) {
    const [supervisor, ...rest] = others;
    return first.call<R>(
      supervisor as Target,
      request(...(rest as unknown as Rest)),
      Number.POSITIVE_INFINITY,
    );
  }
  return call<R>(first as string, request(...(others as unknown as Rest)), Number.POSITIVE_INFINITY);
}

/** Asks on this stack. */
export function startNow<M>(runtime: Runtime, supervisor: Target, spec: unknown): StartChildResult<M> {
  const outcome = runtime.callNow<StartChildResult<M>>(supervisor, { op: 'start_child', spec });
  return outcome.ok ? outcome.value : { error: outcome.reason };
}

export function startChild<M = never, Args extends readonly unknown[] = never>(
  runtime: Runtime,
  supervisor: SimpleSupervisorPid<Args>,
  args: Args,
): StartChildResult<M>;
export function startChild<M = never>(
  runtime: Runtime,
  supervisor: Target,
  spec: AnyChildSpec,
): StartChildResult<M>;
export function startChild<M = never>(
  runtime: Runtime,
  supervisor: Name,
  args: readonly unknown[],
): StartChildResult<M>;
export function startChild<M = never, Args extends readonly unknown[] = never>(
  supervisor: SimpleSupervisorPid<Args>,
  args: Args,
): Wait<Started<Pid<M>>>;
export function startChild<M = never>(supervisor: Target, spec: AnyChildSpec): Wait<Started<Pid<M>>>;
export function startChild<M = never>(supervisor: Name, args: readonly unknown[]): Wait<Started<Pid<M>>>;
export function startChild(
  first: Runtime | Target,
  second: unknown,
  third?: unknown,
): StartChildResult | Wait<Started> {
  if (first instanceof Runtime) return startNow(first, second as Target, third);
  return call<Started>(first as string, { op: 'start_child', spec: second }, Number.POSITIVE_INFINITY);
}

export function terminateChild(
  runtime: Runtime,
  supervisor: Target,
  child: string | Pid,
): Promise<TerminateChildResult>;
export function terminateChild(supervisor: Target, child: string | Pid): Wait<TerminateChildResult>;
export function terminateChild(...args: Arguments<[string | Pid]>): unknown {
  return ask(args, (child) => ({ op: 'terminate_child', child }));
}

export function restartChild(runtime: Runtime, supervisor: Target, id: string): Promise<RestartChildResult>;
export function restartChild(supervisor: Target, id: string): Wait<RestartChildResult>;
export function restartChild(...args: Arguments<[string]>): unknown {
  return ask(args, (id) => ({ op: 'restart_child', id }));
}

export function deleteChild(runtime: Runtime, supervisor: Target, id: string): Promise<DeleteChildResult>;
export function deleteChild(supervisor: Target, id: string): Wait<DeleteChildResult>;
export function deleteChild(...args: Arguments<[string]>): unknown {
  return ask(args, (id) => ({ op: 'delete_child', id }));
}

export function whichChildren(runtime: Runtime, supervisor: Target): Promise<readonly ChildInfo[]>;
export function whichChildren(supervisor: Target): Wait<readonly ChildInfo[]>;
export function whichChildren(...args: Arguments<[]>): unknown {
  return ask(args, () => ({ op: 'which_children' }));
}

export function whichChild(runtime: Runtime, supervisor: Target, id: string): Promise<WhichChildResult>;
export function whichChild(supervisor: Target, id: string): Wait<WhichChildResult>;
export function whichChild(...args: Arguments<[string]>): unknown {
  return ask(args, (id) => ({ op: 'which_child', id }));
}

export function countChildren(runtime: Runtime, supervisor: Target): Promise<ChildCounts>;
export function countChildren(supervisor: Target): Wait<ChildCounts>;
export function countChildren(...args: Arguments<[]>): unknown {
  return ask(args, () => ({ op: 'count_children' }));
}

export function getChildSpec(
  runtime: Runtime,
  supervisor: Target,
  child: string | Pid,
): Promise<GetChildSpecResult>;
export function getChildSpec(supervisor: Target, child: string | Pid): Wait<GetChildSpecResult>;
export function getChildSpec(...args: Arguments<[string | Pid]>): unknown {
  return ask(args, (child) => ({ op: 'get_childspec', child }));
}
