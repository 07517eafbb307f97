import { Asking } from '../calls.js';
import { Exit, ExitReason } from '../exit-reason.js';
import { type SysOperation, type SysReply, SysRequest } from '../sys-request.js';
import { type Target, targetInWords } from '../via.js';
import type { Blocking } from '../wait.js';
import type { SysStatus } from './behaviour.js';
import type { SysEvent, SysStatistics } from './sys-debug.js';

const TIMEOUT_MS = 5000;

/**
 * What can be asked of every behaviour, whatever it does: OTP's sys. From a process: `yield* sys.getState(server)`; from
 * outside: `await runtime.wait(sys.getState(server))`. Without an answer in `timeoutMs` (5000) the caller exits with the
 * reason `call`.
 *
 * - `suspend`: from then on it takes only system messages and its parent's EXIT, until `resume`. Then its code and its
 *   state can be changed.
 * - `replaceState`: when `replace` throws, the state stays as it was and the caller exits with `callback_failed`.
 * - `changeCode`: only while it is suspended; gives `{ error }` if the callback did not do it.
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
  /** Hands every event to `sink`, in the server's turn; null ends it. What it throws ends the server. */
  trace(server: Target, sink: ((event: SysEvent) => void) | null, timeoutMs = TIMEOUT_MS): Blocking<'ok'> {
    return answerOf(server, { op: 'trace', sink: sink as ((event: unknown) => void) | null }, timeoutMs);
  },
  *changeCode(
    server: Target,
    change: { readonly callbacks?: unknown; readonly oldVersion?: unknown; readonly extra?: unknown } = {},
    timeoutMs = TIMEOUT_MS,
  ): Blocking<
    | { readonly ok: true; readonly error?: undefined }
    | { readonly error: ExitReason; readonly ok?: undefined }
  > {
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
  if (!reply.ok) {
    const reason = ExitReason.custom({ type: 'callback_failed', reason: reply.reason });
    throw new Exit({ type: 'call', reason, target: targetInWords(server) });
  }
  return reply.value as T;
}
