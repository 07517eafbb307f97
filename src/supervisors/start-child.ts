import {
  BadArgument,
  type Blocking,
  Exit,
  ExitReason,
  isBlocking,
  isPromise,
  type Pid,
  type Process,
  type Started,
  type StartResult,
  settled,
} from '../actors/index.js';
import type { StartReturn } from './child-spec.js';

type StartFunction = (supervisor: Process<never>, ...args: never[]) => StartReturn;

/**
 * Runs a start function in the supervisor: whatever it returns or throws becomes a result, at once, or by waiting for
 * it.
 */
export function runStart(
  supervisor: Process<never>,
  start: StartFunction,
  args: readonly unknown[],
): Started | Blocking<Started> {
  let result: StartReturn;
  try {
    result = args.length === 0 ? start(supervisor) : start(supervisor, ...(args as never[]));
  } catch (thrown) {
    if (isCrash(thrown)) return crashed(thrown);
    result = thrown as StartReturn;
  }
  if (typeof result !== 'object' || result === null) return failed(result);
  if ('scheduler' in result) return ofPid(supervisor, result);
  if (isBlocking(result) || isPromise(result)) return waitFor(supervisor, result);
  return result.pending === undefined ? checked(result) : waitForPending(result);
}

/** The same for a result that is known to be none that waits. */
export function isWaiting(result: Started | Blocking<Started>): result is Blocking<Started> {
  return isBlocking(result);
}

/** A value that is thrown is one that is returned, as for all callbacks. */
function isCrash(thrown: unknown): boolean {
  return thrown instanceof Error || thrown instanceof Exit;
}

function crashed(thrown: unknown): Started {
  return { error: { type: 'start_crashed', reason: ExitReason.ofThrown(thrown) } };
}

function failed(value: unknown): Started {
  return { error: { type: 'bad_start_result', value } };
}

/** A bare pid says nothing about how its start went: it has failed if there is no process any more. */
function ofPid(supervisor: Process<never>, pid: Pid): Started {
  const { runtime } = supervisor;
  const reason = pid.scheduler === runtime.scheduler ? runtime.exitReasonOf(pid) : null;
  if (reason !== null) return { error: reason };
  // The start function should have done it, and then this does nothing.
  supervisor.link(pid);
  return { ok: pid };
}

function checked(result: Started): Started {
  if (result.ok !== undefined) {
    const pid: unknown = result.ok;
    if (typeof pid === 'object' && pid !== null && 'scheduler' in pid) return result;
    return failed(result);
  }
  if (result.error !== undefined || result.ignore === true) return result;
  return failed(result);
}

function* waitFor(
  supervisor: Process<never>,
  waiting: Blocking<Pid | StartResult> | PromiseLike<Pid | StartResult>,
): Blocking<Started> {
  let result: Pid | StartResult;
  try {
    result = isBlocking(waiting) ? ((yield* waiting) as Pid | StartResult) : yield* settled(waiting);
  } catch (thrown) {
    if (isCrash(thrown)) return crashed(thrown);
    result = thrown as Pid | StartResult;
  }
  if (typeof result !== 'object' || result === null) return failed(result);
  if ('scheduler' in result) return ofPid(supervisor, result);
  return result.pending === undefined ? checked(result) : yield* waitForPending(result);
}

function* waitForPending(result: StartResult): Blocking<Started> {
  let now = result;
  while (now.pending !== undefined) now = yield* now.pending;
  return checked(now);
}

/** What a start that was asked for with arguments is given: an array, or there is no start. */
export function checkedArguments(args: unknown): readonly unknown[] {
  if (Array.isArray(args)) return args as unknown[];
  throw new BadArgument(`arguments of a start function must be an array, not ${String(args)}`);
}
