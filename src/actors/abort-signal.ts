import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import type { ExitHook } from './receiver.js';

class AbortHook implements ExitHook {
  readonly controller = new AbortController();

  processExited(_process: Pid, reason: ExitReason): void {
    this.controller.abort(reason);
  }
}

/** The process's AbortSignal: see `Process.signal`. */
export function abortSignalOf(process: Process<never>): AbortSignal {
  const { hooks } = process;
  for (const hook of Array.isArray(hooks) ? hooks : [hooks]) {
    if (hook instanceof AbortHook) return hook.controller.signal;
  }
  const hook = new AbortHook();
  if (process.alive) process.onExit(hook);
  else hook.controller.abort(process.first);
  return hook.controller.signal;
}
