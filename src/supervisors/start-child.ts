import { ExitReason, type Pid, type Process, type StartResult } from '../actors/index.js';
import type { CheckedSpec } from './child-spec.js';

/** Runs a start function in the supervisor: whatever it returns or throws becomes a result. */
export function runStart(supervisor: Process<never>, spec: CheckedSpec): StartResult {
  let result: Pid | StartResult;
  try {
    result = spec.start(supervisor);
  } catch (thrown) {
    return { error: ExitReason.ofThrown(thrown) };
  }
  if (typeof result !== 'object' || result === null)
    return { error: { type: 'bad_return_value', value: result } };
  const pid = 'scheduler' in result ? result : result.ok;
  if (pid === undefined) return result as StartResult;
  const { runtime } = supervisor;
  const reason = pid.scheduler === runtime.scheduler ? runtime.exitReasonOf(pid) : null;
  if (reason !== null) return { error: reason };
  // The start function should have done it, and then this does nothing.
  supervisor.link(pid);
  return { ok: pid };
}
