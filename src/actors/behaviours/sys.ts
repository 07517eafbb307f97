import { Asking } from '../calls.js';
import { Exit, type ExitReason, formatReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import { type SysOperation, type SysReply, SysRequest } from '../sys-request.js';
import { type Target, targetInWords } from '../via.js';
import type { Blocking } from '../wait.js';
import type { SysStatus } from './behaviour.js';
import { type DebugFunction, debugDone, type SysEvent, type SysStatistics } from './sys-debug.js';

const TIMEOUT_MS = 5000;

/** The behaviour could not do what was asked of it: its state could not be read, or `replace` threw. */
export class CallbackFailed extends Error {
  override readonly name = 'CallbackFailed';

  readonly target: Pid | string;

  constructor(
    target: Target,
    readonly operation: SysOperation['op'],
    readonly reason: ExitReason,
  ) {
    const named = targetInWords(target);
    super(
      `${operation} of ${String(named)} failed: ${formatReason(reason)}`,
      reason.type === 'error' ? { cause: reason.error } : {},
    );
    this.target = named;
  }
}

/** What came of a change of code. */
export type CodeChangeResult =
  | { readonly ok: true; readonly error?: undefined }
  | { readonly error: ExitReason; readonly ok?: undefined };

/**
 * What can be asked of every behaviour, whatever it does: OTP's sys. From a process: `yield* sys.getState(server)`; from
 * outside: `await runtime.wait(sys.getState(server))`. Without an answer in `timeoutMs` (5000) the caller exits with the
 * reason `call`.
 *
 * ```ts
 * import { defaultRuntime, GenServer, sys } from 'rookery';
 *
 * const counter = (step: number) => ({
 *   version: step,
 *   init: () => GenServer.ok(0),
 *   handleCast: (_tick: 'tick', count: number) => GenServer.noreply(count + step),
 *   codeChange: (_from: unknown, count: number) => GenServer.changed(count * 100),
 * });
 * const runtime = defaultRuntime();
 * const server = GenServer.start(runtime, counter(1)).ok!;
 * GenServer.cast(runtime, server, 'tick');
 * console.log(await runtime.wait(sys.getState(server))); // → 1
 *
 * await runtime.wait(sys.suspend(server));
 * GenServer.cast(runtime, server, 'tick'); // It waits.
 * await runtime.wait(sys.changeCode(server, { callbacks: counter(7) }));
 * console.log(await runtime.wait(sys.getState(server))); // → 100
 * await runtime.wait(sys.resume(server));
 * console.log(await runtime.wait(sys.getState(server))); // → 107
 * ```
 *
 * - `suspend`: from then on it takes only system messages and its parent's EXIT, until `resume`. Everything else stays in
 *   its mailbox. Then its code and its state can be changed.
 * - `replaceState`: when `replace` throws, the state stays as it was and {@link CallbackFailed} is thrown.
 * - `changeCode`: only while it is suspended; gives `{ error }` if the callback did not do it, and the state stays.
 * - `statistics`, `log`, `trace`, `install`: what goes in and out. They cost nothing while nobody asks for them.
 * - `terminate`: ends it through its terminate, in its turn, suspended or not. `stop` also waits for the end.
 */
export const sys = {
  getState<T = unknown>(server: Target, timeoutMs = TIMEOUT_MS): Blocking<T> {
    return answerOf<T>(server, { op: 'get_state' }, timeoutMs);
  },
  replaceState<T = unknown>(server: Target, replace: (state: T) => T, timeoutMs = TIMEOUT_MS): Blocking<T> {
    return answerOf<T>(
      server,
      { op: 'replace_state', replace: replace as (state: unknown) => unknown },
      timeoutMs,
    );
  },
  suspend(server: Target, timeoutMs = TIMEOUT_MS): Blocking<'ok'> {
    return answerOf(server, { op: 'suspend' }, timeoutMs);
  },
  resume(server: Target, timeoutMs = TIMEOUT_MS): Blocking<'ok'> {
    return answerOf(server, { op: 'resume' }, timeoutMs);
  },
  getStatus(server: Target, timeoutMs = TIMEOUT_MS): Blocking<SysStatus> {
    return answerOf(server, { op: 'get_status' }, timeoutMs);
  },
  /** `true` begins to count, `false` ends it, `get` tells. */
  statistics(
    server: Target,
    flag: boolean | 'get',
    timeoutMs = TIMEOUT_MS,
  ): Blocking<'ok' | 'no_statistics' | SysStatistics> {
    return answerOf(server, { op: 'statistics', flag }, timeoutMs);
  },
  /** `true` keeps the last `length` (10) events, `false` ends it, `get` tells, oldest first. */
  log(
    server: Target,
    flag: boolean | 'get',
    length?: number,
    timeoutMs = TIMEOUT_MS,
  ): Blocking<'ok' | readonly SysEvent[]> {
    return answerOf(
      server,
      length === undefined ? { op: 'log', flag } : { op: 'log', flag, length },
      timeoutMs,
    );
  },
  /** Hands every event to `sink`, in the server's turn; null ends it, and so does an error of its own. */
  trace(server: Target, sink: ((event: SysEvent) => void) | null, timeoutMs = TIMEOUT_MS): Blocking<'ok'> {
    return answerOf(server, { op: 'trace', sink: sink as ((event: unknown) => void) | null }, timeoutMs);
  },
  /** What a {@link DebugFunction} returns that wants to see no more. */
  done: debugDone,
  /** Has `call` see every event. `id` (default: the function) names it for `remove`; one that is there already stays. */
  install<S>(
    server: Target,
    call: DebugFunction<S>,
    state: S,
    options: { readonly id?: unknown; readonly timeoutMs?: number } = {},
  ): Blocking<'ok'> {
    const { id = call, timeoutMs = TIMEOUT_MS } = options;
    return answerOf(server, { op: 'install', id, call, state }, timeoutMs);
  },
  /** Takes a debug function away, by its id or itself. */
  remove(server: Target, id: unknown, timeoutMs = TIMEOUT_MS): Blocking<'ok'> {
    return answerOf(server, { op: 'remove', id }, timeoutMs);
  },
  /** Ends statistics, log, trace and debug functions. */
  noDebug(server: Target, timeoutMs = TIMEOUT_MS): Blocking<'ok'> {
    return answerOf(server, { op: 'no_debug' }, timeoutMs);
  },
  /** Asks it to end with `reason`. The answer comes before its terminate runs. */
  terminate(server: Target, reason: ExitReason, timeoutMs = TIMEOUT_MS): Blocking<'ok'> {
    return answerOf(server, { op: 'terminate', reason }, timeoutMs);
  },
  /**
   * Has it change its code, which it must be suspended for: `callbacks` take the place of its own if their code_change
   * agrees; without them its own are asked. `oldVersion` is the `version` of those that it has unless said otherwise.
   */
  *changeCode(
    server: Target,
    change: { readonly callbacks?: unknown; readonly oldVersion?: unknown; readonly extra?: unknown } = {},
    timeoutMs = TIMEOUT_MS,
  ): Blocking<CodeChangeResult> {
    const { callbacks = null, oldVersion, extra } = change;
    const reply = yield* ask(server, { op: 'change_code', callbacks, oldVersion, extra }, timeoutMs);
    return reply.ok ? { ok: true } : { error: reply.reason };
  },
} as const;

function* ask(server: Target, operation: SysOperation, timeoutMs: number): Blocking<SysReply> {
  const outcome = yield* new Asking<SysReply>(server, new SysRequest(operation), timeoutMs);
  if (!outcome.ok) throw new Exit({ type: 'call', reason: outcome.reason, target: targetInWords(server) });
  return outcome.value;
}

function* answerOf<T>(server: Target, operation: SysOperation, timeoutMs: number): Blocking<T> {
  const reply = yield* ask(server, operation, timeoutMs);
  if (!reply.ok) throw new CallbackFailed(server, operation.op, reply.reason);
  return reply.value as T;
}
