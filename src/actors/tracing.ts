import { BadArgument } from './bad-argument.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import { CallMessage } from './request.js';
import type { Runtime } from './runtime.js';
import { SysMessage } from './sys-request.js';
import { ExitMessage } from './system-message.js';
import { Token } from './wait.js';

/** A message that came into a mailbox, or went out. */
export type TraceEvent =
  /**
   * `from`: the process that ran when it came, or the caller that a request of another scheduler names; null: none (a timer, a
   * socket), or another scheduler's message that does not say. `scheduler`: the number of the one it came from; null: this one.
   */
  | {
      readonly type: 'in';
      readonly from: Pid | null;
      readonly scheduler: number | null;
      readonly message: unknown;
    }
  | { readonly type: 'out'; readonly to: Pid; readonly message: unknown };

/** Sees each message before it is sent or put into the mailbox. It must be quick, must not throw, and must not send. */
export type TraceSink = (event: TraceEvent) => void;

/** Those of the processes that have the flag `traced`. */
const sinks = new WeakMap<Process<never>, TraceSink>();

/**
 * Shows every message of a process to `sink` until the function that it returns is called or the process has ended:
 * Erlang's `trace(Pid, true, [send, 'receive'])`. Messages that would be handled on the stack of their sender wait in the
 * mailbox meanwhile. Throws a {@link BadArgument} if it is traced already, has ended or is elsewhere.
 *
 * While nobody traces it costs a look at a flag for each message that is sent, and nothing where one comes: there it is one
 * of the bits that are looked at anyway. (Other methods for the traced process alone, by another prototype, were three
 * times as slow for ever after: V8 does not forget the second shape.)
 */
export function trace(runtime: Runtime, pid: Pid, sink: TraceSink): () => void {
  const process = runtime.local(pid);
  if (process === null || !process.alive || process === runtime.outside)
    throw new BadArgument(`not a live process of this scheduler: ${String(pid)}`);
  if (sinks.has(process)) throw new BadArgument(`${process.label}${String(pid)} is traced already`);
  sinks.set(process, sink);
  process.flags |= ProcessFlag.traced;
  return () => {
    if (sinks.get(process) !== sink) return;
    sinks.delete(process);
    process.flags &= ~ProcessFlag.traced;
  };
}

/** @internal A message comes for a process that is traced. */
export function traceIn(process: Process<never>, message: unknown): void {
  // Not what the core says to itself.
  if (message instanceof Token) return;
  const { current, outside, arrivesFrom } = process.runtime;
  const isLocal = current !== outside;
  const from = isLocal ? current : arrivesFrom === null ? null : callerIn(message);
  sinks.get(process)?.({ type: 'in', from, scheduler: isLocal ? null : arrivesFrom, message });
}

/** Who sent it, as far as it says so itself. */
function callerIn(message: unknown): Pid | null {
  if (message instanceof CallMessage || message instanceof SysMessage) return message.from.caller;
  return message instanceof ExitMessage ? message.from : null;
}

/** @internal A process that is traced sends a message. */
export function traceOut(process: Process<never>, to: Pid, message: unknown): void {
  sinks.get(process)?.({ type: 'out', to, message });
}
