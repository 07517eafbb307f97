import { Coroutine } from './coroutine.js';
import { beCut, Word, words } from './cut.js';
import { Exit, ExitReason, formatReason, sameReason } from './exit-reason.js';
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
  StopRequest,
} from './request.js';
import type { Runtime } from './runtime.js';
import type { CallPair, ReplyTo, ServerPid } from './server-pid.js';
import { SysRequest } from './sys-request.js';
import { type Target, targetInWords, type Via } from './via.js';
import { type Blocking, Wait, type WaitingMailbox } from './wait.js';

/** A call got no answer. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';

  /** A name of a table is given in words. */
  readonly target: Pid | string;

  constructor(
    target: Target,
    readonly reason: ExitReason,
  ) {
    const named = targetInWords(target);
    super(`call of ${String(named)} failed: ${formatReason(reason)}`);
    this.target = named;
  }
}

/** Sends a request and watches the server: see `Process.request`. */
export function ask<R>(
  runtime: Runtime,
  owner: Process<never>,
  target: Target,
  request: unknown,
  done: (outcome: CallOutcome<R>) => void,
  timeoutMs: number,
): void {
  if (words[Word.cutting] !== 0) beCut();
  if ((owner.flags & ProcessFlag.requests) === 0) {
    owner.flags |= ProcessFlag.requests;
    if (owner.receiver instanceof Coroutine) owner.receiver.takeRequests();
    else if (owner.receiver !== null) owner.receiver = new RequestReceiver(owner.receiver);
  }
  begin(runtime, owner, target, request, done, timeoutMs);
}

function begin<R>(
  runtime: Runtime,
  owner: Process<never>,
  target: Target,
  request: unknown,
  done: (outcome: CallOutcome<R>) => void,
  timeoutMs: number,
): Request<R> {
  const pid = runtime.resolve(target);
  const name = typeof target === 'string' ? target : null;
  const call =
    request instanceof StopMessage
      ? new StopRequest<R>(owner, pid, name, done, request)
      : new Request<R>(owner, pid, name, done);
  if (pid === (owner as unknown)) {
    call.flags = 0;
    call.down(ExitReason.callingSelf);
    return call;
  }
  runtime.signals.watch(call);
  if (!call.isMonitor) return call;
  call.sent = true;
  owner.send(pid as Pid<unknown>, isFramed(request) ? request.frame(call) : new CallMessage(call, request));
  if (timeoutMs !== Number.POSITIVE_INFINITY && call.isMonitor) {
    runtime.callTimes.add(call as Request<unknown>, timeoutMs);
  }
  return call;
}

/** A request that reaches the server otherwise than in a {@link CallMessage}. */
export interface FramedRequest {
  /** The message to send; the answer goes to `from`. */
  frame(from: From<unknown>): unknown;
}

function isFramed(request: unknown): request is FramedRequest {
  return request instanceof StopMessage || request instanceof SysRequest;
}

/**
 * The wait for the outcome of a request: from it `call`, `stop` and the functions of `sys` are made. The reply, or why
 * there is none; it never throws.
 */
export class Asking<R> extends Wait<CallOutcome<R>> {
  readonly afterMs = Number.POSITIVE_INFINITY;
  #request: Request<R> | null = null;

  constructor(
    private readonly target: Target,
    private readonly what: unknown,
    private readonly timeoutMs: number,
  ) {
    super();
  }

  override begin(self: Process<never>, mailbox: WaitingMailbox): void {
    // The reference of this call is new: nothing that waits already can be its answer.
    mailbox.setAside();
    this.#request = begin<R>(self.runtime, self, this.target, this.what, ignore, this.timeoutMs);
  }

  /** Whether the end of the target decided it, and not an answer, the time, or that there is nobody. */
  get targetEnded(): boolean {
    const request = this.#request;
    if (request?.targetEnded !== true) return false;
    // That there is nobody is only found out over there.
    const isHere = request.target?.scheduler === request.owner.scheduler;
    return isHere || request.result.ok || request.result.reason.type !== 'noproc';
  }

  matches(message: unknown): boolean {
    return message === this.#request;
  }

  finish(): CallOutcome<R> {
    return this.#request!.result;
  }

  expired(): CallOutcome<R> {
    return { ok: false, reason: ExitReason.timeout };
  }
}

function ignore(): void {}

/** A call of a server: {@link Asking}, but without a reply the caller exits, as after Erlang's gen_server:call. */
class Calling<R> extends Wait<R> {
  readonly afterMs = Number.POSITIVE_INFINITY;
  readonly #asking: Asking<R>;

  constructor(
    private readonly target: Target,
    request: unknown,
    timeoutMs: number,
  ) {
    super();
    this.#asking = new Asking<R>(target, request, timeoutMs);
  }

  override begin(self: Process<never>, mailbox: WaitingMailbox): void {
    this.#asking.begin(self, mailbox);
  }

  matches(message: unknown): boolean {
    return this.#asking.matches(message);
  }

  finish(): R {
    const outcome = this.#asking.finish();
    if (!outcome.ok)
      throw new Exit({ type: 'call', reason: outcome.reason, target: targetInWords(this.target) });
    return outcome.value;
  }

  expired(): R {
    return this.finish();
  }
}

/**
 * Calls a server from a process that waits: `const count = yield* call(counter, { type: 'get' })`. Without a reply in
 * `timeoutMs` (5000), or when there is no server, or it ends, the process exits with the reason `call`; the exit can be
 * caught (`catch` of an {@link Exit}). A late reply is dropped. From outside of processes: `runtime.call`, or
 * `await runtime.wait(call(…))`.
 */
export function call<C extends CallPair, const Q extends C[0]>(
  server: ServerPid<C, never, never> | Via<ServerPid<C, never, never>>,
  request: Q,
  timeoutMs?: number,
): Wait<ReplyTo<C, Q>>;
export function call<R = unknown>(name: string, request: unknown, timeoutMs?: number): Wait<R>;
export function call(target: Target, request: unknown, timeoutMs = 5000): Wait<unknown> {
  return new Calling(target, request, timeoutMs);
}

/**
 * Ends a behaviour through its terminate, and waits until it has ended. OTP's proc_lib:stop. The caller exits
 *
 * - with `noproc` or `timeout`, bare, if there is nobody or it takes too long; the request stands then;
 * - with the reason with which the other ended, if that is not `reason`;
 * - with the reason `call` if the other ended before it came to the request, whatever for, or is the caller itself.
 */
export function* stop(
  target: Target,
  reason: ExitReason = ExitReason.normal,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Blocking<void> {
  const message = new StopMessage(reason);
  const asking = new Asking<never>(target, message, timeoutMs);
  const outcome = yield* asking;
  const end = outcome.ok ? ExitReason.normal : outcome.reason;
  if ((asking.targetEnded && !message.taken) || end.type === 'calling_self') {
    throw new Exit({ type: 'call', reason: end, target: targetInWords(target) });
  }
  if (!sameReason(end, reason)) throw new Exit(end);
}

/** A call on this stack: see `Runtime.callNow`. */
export function callNow<R>(runtime: Runtime, target: Target, request: unknown): CallOutcome<R> {
  if (words[Word.cutting] !== 0) beCut();
  const { turns } = runtime;
  const pid = runtime.resolve(target);
  const process = pid === null ? null : runtime.local(pid);
  if (process === null || !process.alive) return { ok: false, reason: ExitReason.noproc };
  if (process.receiver instanceof Coroutine) return { ok: false, reason: ExitReason.busy };
  const running = (process.flags & (ProcessFlag.running | ProcessFlag.suspended)) !== 0;
  if (running || turns.tooDeep) return { ok: false, reason: ExitReason.busy };
  for (let left = process.mailboxLength; left > 0 && process.mailboxLength > 0; left--) {
    turns.handleNow(process, process.take());
  }
  if (!process.alive) return { ok: false, reason: process.first as ExitReason };
  if (process.mailboxLength !== 0 || process.receiver instanceof Coroutine)
    return { ok: false, reason: ExitReason.busy };
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
  target: Target,
  resolve: (value: R) => void,
  reject: (error: CallFailed) => void,
): (outcome: CallOutcome<R>) => void {
  return (outcome) => {
    if (outcome.ok) resolve(outcome.value);
    else reject(new CallFailed(target, outcome.reason));
  };
}

/** Exits with the reason `call` when there is no reply. */
export function orExit<R>(target: Target, done: (reply: R) => void): (outcome: CallOutcome<R>) => void {
  return (outcome) => {
    if (!outcome.ok) throw new Exit({ type: 'call', reason: outcome.reason, target: targetInWords(target) });
    done(outcome.value);
  };
}
