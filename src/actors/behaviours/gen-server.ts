import { BadArgument } from '../bad-argument.js';
import { Exit, ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import type { Receiver } from '../receiver.js';
import { CallMessage, type CallOutcome, CastMessage, type From, StopMessage } from '../request.js';
import type { Runtime } from '../runtime.js';
import type { CallPair, ReplyTo, ServerPid } from '../server-pid.js';
import type { StartResult } from '../start-result.js';
import { ExitMessage, type SystemMessage } from '../system-message.js';
import type { Timer } from '../timers.js';
import { type Name, nameInWords, type Via } from '../via.js';

/**
 * A server with a state, calls and casts: OTP's gen_server.
 *
 *     type Calls = [{ type: 'get' }, number] | [{ type: 'add'; by: number }, void];
 *
 *     class Counter implements GenServer<number, Calls> {
 *       init() { return GenServer.ok(0); }
 *       handleCall(request: Calls[0], _from: From<Calls[1]>, count: number) {
 *         return request.type === 'get' ? GenServer.reply(count, count) : GenServer.reply(undefined, count + request.by);
 *       }
 *     }
 *     const started = GenServer.start(runtime, new Counter());
 *     const count = await GenServer.call(runtime, started.ok!, { type: 'get' });      // number
 *
 * **Callbacks.** Each gets the state and returns the next one: `ok`, `reply`, `noreply`, `stop`, `stopReply`,
 * `ignore` make the results. `next` in a result is a timeout in ms (`handleInfo` gets {@link serverTimeout} unless a
 * message comes first) or `{ continue: x }` (`handleContinue` runs before anything else). Anything else returned ends
 * the server with `bad_return_value`.
 *
 * **Calling.** From outside of processes `GenServer.call` gives a promise, rejected with CallFailed. In a process the
 * caller cannot stand still: `self.request` hands the outcome to a callback that runs in the process's own turn, and
 * `self.call` exits when there is no reply, as Erlang does. Both watch the server while they wait, and a late reply is
 * dropped; the server runs the request of a caller that gave up all the same.
 *
 * **terminate** runs when the server stops, when a callback throws, and when it traps exits and its parent (who
 * started it with startLink) ends; not when an exit signal ends it that it does not trap, and not on `kill`.
 *
 * **When not to use it.** Something that only takes messages needs no more than `runtime.spawn` and a receiver.
 */
export interface GenServer<
  State,
  Calls extends CallPair = never,
  Casts = never,
  Info = never,
  Continue = never,
> {
  /** Runs before `start` returns. Throwing, or `stop`, makes the start fail. */
  init(self: Process<Info>): InitResult<State, Continue>;
  handleCall?(request: Calls[0], from: From<Calls[1]>, state: State): CallResult<State, Calls[1], Continue>;
  handleCast?(message: Casts, state: State): CastResult<State, Continue>;
  /** Everything that is no call or cast. Without it such messages are dropped. */
  handleInfo?(message: Info | SystemMessage | ServerTimeout, state: State): CastResult<State, Continue>;
  handleContinue?(argument: Continue, state: State): CastResult<State, Continue>;
  terminate?(reason: ExitReason, state: State): void;
}

/** What happens next: a timeout in ms, or a continuation. */
export type Next<Continue> = number | { readonly continue: Continue };

export type InitResult<State, Continue = never> =
  | { readonly type: 'ok'; readonly state: State; readonly next?: Next<Continue> | undefined }
  | { readonly type: 'ignore' }
  | { readonly type: 'stop'; readonly reason: ExitReason };

export type CastResult<State, Continue = never> =
  | { readonly type: 'noreply'; readonly state: State; readonly next?: Next<Continue> | undefined }
  | { readonly type: 'stop'; readonly reason: ExitReason; readonly state: State };

export type CallResult<State, Reply, Continue = never> =
  | CastResult<State, Continue>
  | {
      readonly type: 'reply';
      readonly reply: Reply;
      readonly state: State;
      readonly next?: Next<Continue> | undefined;
    }
  | {
      readonly type: 'stop_reply';
      readonly reason: ExitReason;
      readonly reply: Reply;
      readonly state: State;
    };

/** What `handleInfo` gets when the timeout of `next` is over. */
export interface ServerTimeout {
  readonly type: 'server_timeout';
}

export const serverTimeout: ServerTimeout = { type: 'server_timeout' };

export interface ServerOptions {
  readonly name?: Name;
  /** Default: the name, or that of the callbacks' class. */
  readonly label?: string;
}

type AnyServer = GenServer<unknown, CallPair, unknown, unknown, unknown>;

export const GenServer = {
  ok<State, Continue = never>(state: State, next?: Next<Continue>): InitResult<State, Continue> {
    return { type: 'ok', state, next };
  },
  ignore: { type: 'ignore' } as InitResult<never>,
  noreply<State, Continue = never>(state: State, next?: Next<Continue>): CastResult<State, Continue> {
    return { type: 'noreply', state, next };
  },
  reply<Reply, State, Continue = never>(
    reply: Reply,
    state: State,
    next?: Next<Continue>,
  ): CallResult<State, Reply, Continue> {
    return { type: 'reply', reply, state, next };
  },
  stop<State>(
    reason: ExitReason,
    state: State,
  ): { readonly type: 'stop'; readonly reason: ExitReason; readonly state: State } {
    return { type: 'stop', reason, state };
  },
  stopReply<Reply, State>(reason: ExitReason, reply: Reply, state: State): CallResult<State, Reply> {
    return { type: 'stop_reply', reason, reply, state };
  },

  /** Starts a server that nobody is linked with. */
  start<State, C extends CallPair, Casts, Info, Continue>(
    runtime: Runtime,
    callbacks: GenServer<State, C, Casts, Info, Continue>,
    options: ServerOptions = {},
  ): ServerStart<C, Casts, Info> {
    return startServer(runtime, null, callbacks as unknown as AnyServer, options) as ServerStart<
      C,
      Casts,
      Info
    >;
  },

  /** Starts a server linked with `parent`, whose end ends it. If the start fails the parent gets no EXIT. */
  startLink<State, C extends CallPair, Casts, Info, Continue>(
    parent: Process<never>,
    callbacks: GenServer<State, C, Casts, Info, Continue>,
    options: ServerOptions = {},
  ): ServerStart<C, Casts, Info> {
    return startServer(parent.runtime, parent, callbacks as unknown as AnyServer, options) as ServerStart<
      C,
      Casts,
      Info
    >;
  },

  /** Calls from outside of processes. Rejects with CallFailed. */
  call<C extends CallPair, const Q extends C[0]>(
    runtime: Runtime,
    server: ServerPid<C, never, never> | Via<ServerPid<C, never, never>>,
    request: Q,
    timeoutMs = 5000,
  ): Promise<ReplyTo<C, Q>> {
    return runtime.call(server, request, timeoutMs);
  },

  /** Calls from a process: `done` runs in it later. See `Process.request`. */
  request<C extends CallPair, const Q extends C[0]>(
    self: Process<never>,
    server: ServerPid<C, never, never> | Via<ServerPid<C, never, never>>,
    request: Q,
    done: (outcome: CallOutcome<ReplyTo<C, Q>>) => void,
    timeoutMs = 5000,
  ): void {
    self.request(server, request, done, timeoutMs);
  },

  cast<Casts>(
    runtime: Runtime,
    server: ServerPid<never, Casts, never> | Via<ServerPid<never, Casts, never>>,
    message: Casts,
  ): void {
    runtime.cast(server, message);
  },
} as const;

/** What came of starting a server. */
export type ServerStart<C extends CallPair, Casts, Info> =
  | { readonly ok: ServerPid<C, Casts, Info>; readonly ignore?: undefined; readonly error?: undefined }
  | Exclude<StartResult, { readonly ok: Pid }>;

function startServer(
  runtime: Runtime,
  parent: Process<never> | null,
  callbacks: AnyServer,
  options: ServerOptions,
): StartResult {
  if (options.name !== undefined) {
    const holder = runtime.whereis(options.name);
    if (holder !== undefined) return { error: { type: 'already_started', pid: holder } };
  }
  const { name } = callbacks.constructor;
  let ignored = false;
  const pid = runtime.spawn<unknown>(
    (self) => {
      const server = new ServerReceiver(self, parent, callbacks);
      try {
        ignored = !server.init();
      } catch (thrown) {
        // The caller learns of it from the result, and must not be told twice.
        if (parent !== null) self.unlink(parent);
        throw thrown;
      }
      return server;
    },
    {
      label:
        options.label ??
        nameInWords(options.name ?? (name === 'Object' || name === '' ? 'gen_server' : name)),
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(parent === null ? {} : { link: parent }),
    },
  );
  if (ignored) {
    // It is still linked: it leaves without a word.
    if (parent !== null) runtime.local(pid)!.unlink(parent);
    runtime.finish(pid, ExitReason.normal);
    return { ignore: true };
  }
  const error = runtime.exitReasonOf(pid);
  return error === null ? { ok: pid } : { error };
}

/** What is put into the server's own mailbox when its timeout is over; the object tells which one. */
class TimeoutToken {}

/** Wakes a server that has to continue. */
const wake = Symbol('continue');

class ServerReceiver implements Receiver<unknown> {
  #state: unknown = undefined;
  #timeout: TimeoutToken | null = null;
  #timer: Timer | null = null;
  #continue: { readonly continue: unknown } | null = null;
  #lastReply: { readonly from: From<unknown>; readonly value: unknown } | null = null;
  #initialized = false;

  constructor(
    private readonly self: Process<unknown>,
    private readonly parent: Process<never> | null,
    private readonly callbacks: AnyServer,
  ) {}

  /** False: there is nothing to do. */
  init(): boolean {
    const result = this.callbacks.init(this.self);
    switch (result?.type) {
      case 'ok':
        this.#state = result.state;
        this.#initialized = true;
        if (typeof result.next === 'object') {
          // The start returns first; whatever has come by then waits until the continuation has run.
          this.#continue = result.next;
          this.self.deliver(wake);
        } else if (result.next !== undefined) {
          this.#startTimeout(result.next);
        }
        return true;
      case 'ignore':
        return false;
      case 'stop':
        throw new Exit(result.reason);
      default:
        throw new Exit({ type: 'bad_return_value', value: result });
    }
  }

  receive(message: unknown): void {
    if (this.#continue !== null) this.#runContinue();
    if (message === wake) return;
    if (message instanceof TimeoutToken) {
      // One that was overtaken by a message is void, and is no message itself: it must not cancel the next one.
      if (message !== this.#timeout) return;
      this.#stopTimeout();
      this.#apply(this.#info(serverTimeout), null);
      return;
    }
    if (this.#timeout !== null) this.#stopTimeout();
    if (message instanceof CallMessage) this.#call(message);
    else if (message instanceof CastMessage) this.#apply(this.#cast(message.message), null);
    else if (message instanceof StopMessage) throw new Exit(message.reason);
    else if (message instanceof ExitMessage && message.from === (this.parent as unknown))
      throw new Exit(message.reason);
    else this.#apply(this.#info(message), null);
  }

  terminate(reason: ExitReason): void {
    if (this.#initialized) this.callbacks.terminate?.(reason, this.#state);
    if (this.#lastReply !== null) this.#lastReply.from.reply(this.#lastReply.value);
  }

  #call(message: CallMessage): void {
    const { callbacks } = this;
    if (callbacks.handleCall === undefined) throw new BadArgument(`${this.self.label} takes no calls`);
    this.#apply(callbacks.handleCall(message.request, message.from, this.#state), message.from);
  }

  #cast(message: unknown): CastResult<unknown, unknown> {
    if (this.callbacks.handleCast === undefined) throw new BadArgument(`${this.self.label} takes no casts`);
    return this.callbacks.handleCast(message, this.#state);
  }

  #info(message: unknown): CastResult<unknown, unknown> {
    return this.callbacks.handleInfo?.(message, this.#state) ?? { type: 'noreply', state: this.#state };
  }

  #runContinue(): void {
    const argument = this.#continue!.continue;
    this.#continue = null;
    if (this.callbacks.handleContinue === undefined)
      throw new BadArgument(`${this.self.label} cannot continue`);
    this.#apply(this.callbacks.handleContinue(argument, this.#state), null);
  }

  #apply(result: CallResult<unknown, unknown, unknown>, from: From<unknown> | null): void {
    switch (result?.type) {
      case 'reply':
        if (from === null) break;
        this.#state = result.state;
        from.reply(result.reply);
        this.#then(result.next);
        return;
      case 'noreply':
        this.#state = result.state;
        this.#then(result.next);
        return;
      case 'stop':
        this.#state = result.state;
        throw new Exit(result.reason);
      case 'stop_reply':
        if (from === null) break;
        this.#state = result.state;
        this.#lastReply = { from, value: result.reply };
        throw new Exit(result.reason);
    }
    throw new Exit({ type: 'bad_return_value', value: result });
  }

  #then(next: Next<unknown> | undefined): void {
    if (next === undefined) return;
    if (typeof next === 'number') {
      this.#startTimeout(next);
    } else {
      this.#continue = next;
      this.#runContinue();
    }
  }

  #startTimeout(delayMs: number): void {
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#timeout = new TimeoutToken();
    this.#timer = this.self.sendAfter(delayMs, this.#timeout);
  }

  #stopTimeout(): void {
    this.#timeout = null;
    if (this.#timer !== null) this.self.cancelTimer(this.#timer);
    this.#timer = null;
  }
}
