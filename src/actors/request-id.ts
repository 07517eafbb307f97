import { BadArgument } from './bad-argument.js';
import type { ExitReason } from './exit-reason.js';
import type { Pid } from './pid.js';
import type { Process } from './process.js';
import { Ref, RefFlag } from './ref.js';
import { CallMessage, type From } from './request.js';
import type { CallPair, ReplyTo, ServerPid } from './server-pid.js';
import { DownMessage } from './system-message.js';
import { type Target, targetInWords, type Via } from './via.js';
import { Wait } from './wait.js';

/** The reply to a request of {@link sendRequest}: an ordinary message in the mailbox of who sent it. */
export class ResponseMessage {
  readonly type = '$response';

  constructor(
    readonly request: RequestId<unknown>,
    readonly value: unknown,
  ) {}
}

/** What came of a request. */
export type Response<R> =
  | { readonly type: 'reply'; readonly value: R }
  | { readonly type: 'error'; readonly reason: ExitReason; readonly server: Pid | string };

/** What came of a request of a collection. */
export type LabelledResponse<R, L> = Response<R> & { readonly label: L };

/**
 * A request under way whose reply is a message: a monitor on the server and an alias for the reply, until it is answered
 * or abandoned. Made by {@link sendRequest}.
 */
export class RequestId<R> extends Ref implements From<R> {
  readonly immediate = false;
  /** Who was asked; the name if nobody had it. */
  readonly server: Pid | string;

  constructor(owner: Process<never>, server: Target) {
    const pid = owner.runtime.resolve(server);
    const name = pid === null ? (targetInWords(server) as string) : null;
    super(owner, pid, name, RefFlag.monitor | RefFlag.alias | RefFlag.demonitor);
    this.server = pid ?? name!;
  }

  get caller(): Pid {
    return this.owner;
  }

  reply(value: R): void {
    this.owner.runtime.sendAlias(this, value);
  }

  override aliased(message: unknown): void {
    this.owner.deliver(new ResponseMessage(this, message));
  }
}

/**
 * Sends a request to a server and returns at once: OTP's gen_server:send_request. The reply, or the DOWN of the server,
 * comes as a message; {@link receiveResponse} or {@link waitResponse} wait for it, {@link checkResponse} says whether a
 * message is it.
 */
export function sendRequest<C extends CallPair, const Q extends C[0]>(
  self: Process<never>,
  server: ServerPid<C, never, never>,
  request: Q,
): RequestId<ReplyTo<C, Q>>;
export function sendRequest<R = unknown>(self: Process<never>, name: string, request: unknown): RequestId<R>;
export function sendRequest(
  self: Process<never>,
  server: Pid | string,
  request: unknown,
): RequestId<unknown> {
  const id = new RequestId<unknown>(self, server);
  self.runtime.signals.watch(id);
  if (id.isMonitor) self.send(id.target as Pid<unknown>, new CallMessage(id, request));
  return id;
}

function responseOf<R>(message: unknown, id: RequestId<R>): Response<R> | null {
  if (message instanceof ResponseMessage) {
    return message.request === id ? { type: 'reply', value: message.value as R } : null;
  }
  if (message instanceof DownMessage && (message.ref as unknown) === id) {
    return { type: 'error', reason: message.reason, server: id.server };
  }
  return null;
}

/** It is answered: no DOWN comes any more, and a second reply is dropped. */
function answered<R>(id: RequestId<R>, response: Response<R>): Response<R> {
  if (response.type === 'reply') id.owner.demonitor(id, true);
  return response;
}

/** No response comes any more; one that waits already is it. */
function abandon<R>(id: RequestId<R>): Response<R> | null {
  id.owner.demonitor(id, true);
  let response: Response<R> | null = null;
  id.owner.flush((message) => {
    response = responseOf(message, id);
    return response !== null;
  });
  return response;
}

function checkOwner(id: RequestId<unknown>, self: Process<never>): void {
  if (id.owner !== self) throw new BadArgument(`${id.owner} made this request: ${self} cannot wait for it`);
}

class AwaitingResponse<R> extends Wait<Response<R> | 'timeout'> {
  constructor(
    private readonly id: RequestId<R>,
    readonly afterMs: number,
    private readonly abandons: boolean,
  ) {
    super();
  }

  override begin(self: Process<never>): void {
    checkOwner(this.id, self);
  }

  matches(message: unknown): boolean {
    return responseOf(message, this.id) !== null;
  }

  finish(message: unknown): Response<R> {
    return answered(this.id, responseOf(message, this.id)!);
  }

  expired(): Response<R> | 'timeout' {
    return this.abandons ? (abandon(this.id) ?? 'timeout') : 'timeout';
  }
}

/**
 * Waits for the response: `yield* receiveResponse(id, 1000)`. When the time is over the request is abandoned: a late
 * response is dropped. Throws a {@link BadArgument} at the wait if another process made the request.
 */
export function receiveResponse<R>(
  id: RequestId<R>,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Wait<Response<R> | 'timeout'> {
  return new AwaitingResponse(id, checkTime(timeoutMs), true);
}

/** The same, but when the time is over the request stays, and can be waited for again. */
export function waitResponse<R>(
  id: RequestId<R>,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Wait<Response<R> | 'timeout'> {
  return new AwaitingResponse(id, checkTime(timeoutMs), false);
}

/** Whether a message is the response, for a process that takes its messages itself: null if it is not. */
export function checkResponse<R>(message: unknown, id: RequestId<R>): Response<R> | null {
  const response = responseOf(message, id);
  return response === null ? null : answered(id, response);
}

/**
 * Requests under way, each with a label: OTP's request id collection. Responses come in whatever order they come.
 *
 * ```ts
 * import { defaultRuntime, GenServer, RequestIds } from 'rookery';
 *
 * const runtime = defaultRuntime();
 * const counter = (count: number) => ({
 *   init: () => GenServer.ok(count),
 *   handleCall: (_request: 'count', _from: unknown, count: number) => GenServer.reply(count, count),
 * });
 * for (const [name, count] of [['apples', 3], ['pears', 5]] as const) {
 *   GenServer.start(runtime, counter(count), { name });
 * }
 * runtime.spawn(function* (self) {
 *   const requests = new RequestIds<number, string>();
 *   for (const name of ['apples', 'plums', 'pears']) requests.send(self, name, 'count', name);
 *   const counts: Record<string, number> = {};
 *   for (;;) {
 *     const response = yield* requests.receive(1000);
 *     if (response === 'no_request' || response === 'timeout') break;
 *     if (response.type === 'reply') counts[response.label] = response.value;
 *     else console.log(response.label, response.reason.type); // → plums noproc
 *   }
 *   console.log(JSON.stringify(counts)); // → {"apples":3,"pears":5}
 * });
 * ```
 *
 * A response takes its request out unless `keep` is set; what is kept and answered is waited for in vain, as in OTP.
 */
export class RequestIds<R = unknown, L = unknown> {
  readonly #labels = new Map<RequestId<R>, L>();

  /** How many are in it. */
  get size(): number {
    return this.#labels.size;
  }

  /** Adds a request. Throws a {@link BadArgument} if it is there already. */
  add(id: RequestId<R>, label: L): void {
    if (this.#labels.has(id)) throw new BadArgument('this request is in the collection already');
    this.#labels.set(id, label);
  }

  /** Sends a request and adds it. */
  send<C extends CallPair, const Q extends C[0]>(
    self: Process<never>,
    server: ServerPid<C, never, never> | Via<ServerPid<C, never, never>> | string,
    request: Q,
    label: L,
  ): void {
    this.add(sendRequest<R>(self, server as string, request), label);
  }

  /** The requests with their labels. */
  toList(): (readonly [id: RequestId<R>, label: L])[] {
    return [...this.#labels];
  }

  /** Waits for a response to any of them; when the time is over all are abandoned. */
  receive(
    timeoutMs: number = Number.POSITIVE_INFINITY,
    options: { readonly keep?: boolean } = {},
  ): Wait<LabelledResponse<R, L> | 'timeout' | 'no_request'> {
    return new AwaitingAny(this, checkTime(timeoutMs), options.keep === true, true);
  }

  /** The same, but when the time is over the requests stay. */
  wait(
    timeoutMs: number = Number.POSITIVE_INFINITY,
    options: { readonly keep?: boolean } = {},
  ): Wait<LabelledResponse<R, L> | 'timeout' | 'no_request'> {
    return new AwaitingAny(this, checkTime(timeoutMs), options.keep === true, false);
  }

  /** Whether a message is the response to one of them: null if it is not. */
  check(
    message: unknown,
    options: { readonly keep?: boolean } = {},
  ): LabelledResponse<R, L> | 'no_request' | null {
    if (this.size === 0) return 'no_request';
    const id = this.idOf(message);
    return id === null ? null : this.take(message, id, options.keep === true);
  }

  /** @internal The request that a message answers. */
  idOf(message: unknown): RequestId<R> | null {
    let id: unknown;
    if (message instanceof ResponseMessage) id = message.request;
    else if (message instanceof DownMessage) id = message.ref;
    return this.#labels.has(id as RequestId<R>) ? (id as RequestId<R>) : null;
  }

  /** @internal */
  take(message: unknown, id: RequestId<R>, keep: boolean): LabelledResponse<R, L> {
    const label = this.#labels.get(id) as L;
    if (!keep) this.#labels.delete(id);
    return { ...answered(id, responseOf(message, id)!), label };
  }

  /** @internal */
  *ids(): Generator<RequestId<R>, void, undefined> {
    yield* this.#labels.keys();
  }
}

class AwaitingAny<R, L> extends Wait<LabelledResponse<R, L> | 'timeout' | 'no_request'> {
  readonly #empty: boolean;

  constructor(
    private readonly ids: RequestIds<R, L>,
    private readonly timeoutMs: number,
    private readonly keep: boolean,
    private readonly abandons: boolean,
  ) {
    super();
    this.#empty = ids.size === 0;
  }

  get afterMs(): number {
    return this.#empty ? 0 : this.timeoutMs;
  }

  override begin(self: Process<never>): void {
    for (const id of this.ids.ids()) checkOwner(id as RequestId<unknown>, self);
  }

  matches(message: unknown): boolean {
    return !this.#empty && this.ids.idOf(message) !== null;
  }

  finish(message: unknown): LabelledResponse<R, L> {
    return this.ids.take(message, this.ids.idOf(message)!, this.keep);
  }

  expired(self: Process<never>): LabelledResponse<R, L> | 'timeout' | 'no_request' {
    if (this.#empty) return 'no_request';
    if (!this.abandons) return 'timeout';
    let found: unknown = null;
    self.flush((message) => {
      if (this.ids.idOf(message) === null) return false;
      found = message;
      return true;
    });
    const first = found === null ? null : this.ids.idOf(found);
    for (const id of this.ids.ids()) if (id !== first) abandon(id);
    return first === null ? 'timeout' : this.ids.take(found, first, this.keep);
  }
}

function checkTime(timeoutMs: number): number {
  if (timeoutMs >= 0) return timeoutMs;
  throw new BadArgument(`a time to wait must be a number of milliseconds ≥ 0, not ${timeoutMs}`);
}
