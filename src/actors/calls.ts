import { Exit, ExitReason, formatReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import { ProcessFlag } from './process-flag.js';
import {
  CallMessage,
  type CallOutcome,
  type From,
  ImmediateFrom,
  Request,
  RequestReceiver,
  StopMessage,
} from './request.js';
import type { Runtime } from './runtime.js';
import { ProcessTimer } from './timers.js';

/** A call got no answer. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';

  constructor(
    readonly target: Pid | string,
    readonly reason: ExitReason,
  ) {
    super(`call of ${String(target)} failed: ${formatReason(reason)}`);
  }
}

/** The time of a call is over. */
class RequestTimer extends ProcessTimer {
  constructor(private readonly request: Request<unknown>) {
    super(request.owner, null, false);
  }

  override expired(): void {
    this.detach();
    this.request.timedOut();
  }
}

/** Sends a request and watches the server: see `Process.request`. */
export function ask<R>(
  runtime: Runtime,
  owner: Process<never>,
  target: Pid | string,
  request: unknown,
  done: (outcome: CallOutcome<R>) => void,
  timeoutMs: number,
): void {
  if ((owner.flags & ProcessFlag.requests) === 0) {
    owner.flags |= ProcessFlag.requests;
    if (owner.receiver !== null) owner.receiver = new RequestReceiver(owner.receiver);
  }
  const pid = runtime.resolve(target);
  const call = new Request<R>(owner, pid, typeof target === 'string' ? target : null, done);
  if (pid === (owner as unknown)) {
    call.flags = 0;
    call.down(ExitReason.callingSelf);
    return;
  }
  runtime.signals.watch(call);
  if (!call.isMonitor) return;
  if (timeoutMs !== Number.POSITIVE_INFINITY) {
    const timer = new RequestTimer(call as Request<unknown>);
    call.timer = timer;
    runtime.timers.start(timer, timeoutMs);
    if (!call.isMonitor) return;
  }
  const message = request instanceof StopMessage ? request : new CallMessage(call, request);
  owner.send(pid as Pid<unknown>, message);
}

/** A call on this stack: see `Runtime.callNow`. */
export function callNow<R>(runtime: Runtime, target: Pid | string, request: unknown): CallOutcome<R> {
  const { turns } = runtime;
  const pid = runtime.resolve(target);
  const process = pid === null ? null : runtime.local(pid);
  if (process === null || !process.alive) return { ok: false, reason: ExitReason.noproc };
  const running = (process.flags & ProcessFlag.running) !== 0;
  if (running || turns.tooDeep) return { ok: false, reason: ExitReason.busy };
  for (let left = process.mailboxLength; left > 0 && process.mailboxLength > 0; left--) {
    turns.handleNow(process, process.take());
  }
  if (!process.alive) return { ok: false, reason: process.first as ExitReason };
  if (process.mailboxLength !== 0) return { ok: false, reason: ExitReason.busy };
  const from = new ImmediateFrom<R>(runtime.current);
  const message = new CallMessage(from as From<unknown>, request);
  if ((process.flags & ProcessFlag.scheduled) === 0)
    runtime.tryDispatch(process as Pid<never>, message as never);
  else turns.handleNow(process, message);
  if (from.answered) return { ok: true, value: from.value as R };
  return { ok: false, reason: process.alive ? ExitReason.busy : (process.first as ExitReason) };
}

/** Turns the outcome of a call into that of a promise. */
export function settle<R>(
  target: Pid | string,
  resolve: (value: R) => void,
  reject: (error: CallFailed) => void,
): (outcome: CallOutcome<R>) => void {
  return (outcome) => {
    if (outcome.ok) resolve(outcome.value);
    else reject(new CallFailed(target, outcome.reason));
  };
}

/** Exits with the reason `call` when there is no reply. */
export function orExit<R>(target: Pid | string, done: (reply: R) => void): (outcome: CallOutcome<R>) => void {
  return (outcome) => {
    if (!outcome.ok) throw new Exit({ type: 'call', reason: outcome.reason, target });
    done(outcome.value);
  };
}
