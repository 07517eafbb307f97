import type { ExitReason } from '../exit-reason.js';
import type { Process } from '../process.js';
import type { Priority } from '../process-flag.js';
import type { CallOutcome, From } from '../request.js';
import { checkResponse, receiveResponse, sendRequest, waitResponse } from '../request-id.js';
import type { Runtime } from '../runtime.js';
import type { CallPair, ReplyTo, ServerPid } from '../server-pid.js';
import type { MonitoredStart, StartOutcome } from '../start-result.js';
import type { SystemMessage } from '../system-message.js';
import type { Name, Via } from '../via.js';
import type { BehaviourStatus } from './behaviour.js';
import { abcast, multiCall } from './multi-call.js';
import { type AnyServer, ServerProcess } from './server-process.js';
import type {
  CallResult,
  CastResult,
  CodeChange,
  CodeChanged,
  Ignored,
  InitFailed,
  Initialized,
  InitResult,
  InitStopped,
  Next,
  NotReplied,
  Replied,
  Returned,
  ServerTimeout,
  Stopped,
  StoppedReplying,
} from './server-result.js';
import { kindOf, type MakeBehaviour, startBehaviour, startBehaviourMonitored } from './start-behaviour.js';

/**
 * A server with a state, calls and casts: OTP's gen_server.
 *
 * ```ts
 * import { defaultRuntime, type From, GenServer } from 'rookery';
 *
 * type Calls = readonly [{ type: 'get' }, number] | readonly [{ type: 'add'; by: number }, 'added'];
 *
 * class Counter implements GenServer<number, Calls, 'reset'> {
 *   init() {
 *     return GenServer.ok(0);
 *   }
 *   handleCall(request: Calls[0], _from: From<Calls[1]>, count: number) {
 *     if (request.type === 'get') return GenServer.reply(count, count);
 *     return GenServer.reply('added' as const, count + request.by);
 *   }
 *   handleCast(_reset: 'reset') {
 *     return GenServer.noreply(0);
 *   }
 * }
 *
 * const runtime = defaultRuntime();
 * const counter = GenServer.start(runtime, new Counter(), { name: 'counter' }).ok!;
 * await GenServer.call(runtime, counter, { type: 'add', by: 2 });
 * console.log(await GenServer.call(runtime, counter, { type: 'get' })); // → 2
 * GenServer.cast(runtime, counter, 'reset');
 * console.log(await GenServer.call(runtime, counter, { type: 'get' })); // → 0
 * await runtime.stop(counter);
 * ```
 *
 * **Callbacks.** Each gets the state and returns the next one. `ok`, `reply`, `noreply`, `stop`, `stopReply`, `ignore`,
 * `error` make the results; anything else ends the server with `bad_return_value`. `next` in a result is a timeout, a
 * continuation, or `'hibernate'`: see {@link Next}. Without `handleInfo` other messages are dropped.
 *
 * **Waiting.** A callback may be a generator (`*handleCall(…)`), and wait with `yield* call(…)`, `yield* receive(…)`,
 * `yield* settled(promise)`, or return a promise. The server handles nothing else until it is done, as in OTP; who must
 * not wait so long is answered later: keep `from`, return `noreply`, and say `from.reply(value)` when it is time.
 *
 * **Leaving early.** A thrown value is what the callback returns: `throw GenServer.reply(…)` from deep within. Not so an
 * Error (the server crashes) and `self.exit`.
 *
 * **Calling.** In a process that waits: `yield* call(server, request)`. In one of callbacks: `GenServer.request`, whose
 * outcome is handed to a callback in the process's own turn; or `sendRequest`, whose response is a message. From outside
 * of processes: `GenServer.call`, a promise, rejected with CallFailed. Each watches the server while it waits, and a late
 * reply is dropped; the server runs the request of a caller that gave up all the same.
 *
 * **Starting.** `start` runs `init` before it returns, unless that waits: then the result is `pending`, and
 * `yield* started(result)` or `await runtime.wait(started(result))` has the outcome. With `startLink` the starter is the
 * parent: its end ends the server.
 *
 * **terminate** runs when the server stops, when a callback throws, and when it traps exits and its parent ends; not when
 * an exit signal ends it that it does not trap, and not on `kill`.
 *
 * **Looking inside.** `sys` shows and replaces the state, traces, suspends, and changes the code of every server.
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
  /** Of the code, for `sys.changeCode`. */
  readonly version?: unknown;
  /** Runs before `start` returns. Throwing, `stop` and `error` make the start fail. */
  init(self: Process<Info>): Returned<InitResult<State, Continue, Info>>;
  handleCall?(
    request: Calls[0],
    from: From<Calls[1]>,
    state: State,
  ): Returned<CallResult<State, Calls[1], Continue, Info>>;
  handleCast?(message: Casts, state: State): Returned<CastResult<State, Continue, Info>>;
  /** Everything that is no call or cast. Without it such messages are dropped. */
  handleInfo?(
    message: Info | SystemMessage | ServerTimeout,
    state: State,
  ): Returned<CastResult<State, Continue, Info>>;
  handleContinue?(argument: Continue, state: State): Returned<CastResult<State, Continue, Info>>;
  /** What it returns concerns nobody; an Error that it throws becomes the reason. */
  terminate?(reason: ExitReason, state: State): unknown;
  /** Makes the state of this code out of that of an older version: see `sys.changeCode`. */
  codeChange?(oldVersion: unknown, state: State, extra: unknown): Returned<CodeChange<State>>;
  /** What `sys.getStatus` and the report of a crash show, for a state that is secret or long. */
  formatStatus?(status: BehaviourStatus): BehaviourStatus;
}

export interface ServerOptions {
  /** Registered before `init` runs; if it is taken the start fails with `already_started`. */
  readonly name?: Name;
  /** Default: the name, or that of the callbacks' class. */
  readonly label?: string;
  /** How long `init` may wait, in ms; then it is killed, and the start fails with `timeout`. Default: as long as it likes. */
  readonly timeoutMs?: number;
  readonly trapExit?: boolean;
  readonly priority?: Priority;
}

/** What came of starting a server. */
export type ServerStart<C extends CallPair = never, Casts = never, Info = never> = StartOutcome<
  ServerPid<C, Casts, Info>
>;

export const GenServer = {
  // ---- results of callbacks ------------------------------------------------------------------------------------

  /** Of `init`. */
  ok<State, Continue = never, Info = never>(
    state: State,
    next?: Next<Continue, Info>,
  ): Initialized<State, Continue, Info> {
    return { type: 'ok', state, next };
  },
  ignore: { type: 'ignore' } as Ignored,
  /** Of `init` and `codeChange`: it fails, but nothing went wrong. */
  error(reason: ExitReason): InitFailed {
    return { type: 'error', reason };
  },
  noreply<State, Continue = never, Info = never>(
    state: State,
    next?: Next<Continue, Info>,
  ): NotReplied<State, Continue, Info> {
    return { type: 'noreply', state, next };
  },
  reply<Reply, State, Continue = never, Info = never>(
    reply: Reply,
    state: State,
    next?: Next<Continue, Info>,
  ): Replied<State, Reply, Continue, Info> {
    return { type: 'reply', reply, state, next };
  },
  /** The same function makes the `stop` of `init`, where the state is of no account. */
  stop: stopped,
  stopReply<Reply, State>(reason: ExitReason, reply: Reply, state: State): StoppedReplying<State, Reply> {
    return { type: 'stop_reply', reason, reply, state };
  },
  /** Of `codeChange`. */
  changed<State>(state: State): CodeChanged<State> {
    return { type: 'ok', state };
  },

  // ---- starting ------------------------------------------------------------------------------------------------

  /** Starts a server that nobody is linked with. */
  start<State, C extends CallPair, Casts, Info, Continue>(
    runtime: Runtime,
    callbacks: GenServer<State, C, Casts, Info, Continue>,
    options: ServerOptions = {},
  ): ServerStart<C, Casts, Info> {
    return startBehaviour(runtime, null, kindOf(callbacks, 'gen_server'), options, maker(callbacks));
  },

  /** Starts a server linked with `parent`, whose end ends it. If the start fails, a parent that traps exits gets no EXIT. */
  startLink<State, C extends CallPair, Casts, Info, Continue>(
    parent: Process<never>,
    callbacks: GenServer<State, C, Casts, Info, Continue>,
    options: ServerOptions = {},
  ): ServerStart<C, Casts, Info> {
    return startBehaviour(parent.runtime, parent, kindOf(callbacks, 'gen_server'), options, maker(callbacks));
  },

  /** Starts a server that `self` monitors: `ref` tells of its end. If the start fails there is no monitor. */
  startMonitor<State, C extends CallPair, Casts, Info, Continue>(
    self: Process<never>,
    callbacks: GenServer<State, C, Casts, Info, Continue>,
    options: ServerOptions = {},
  ): MonitoredStart<ServerPid<C, Casts, Info>> {
    return startBehaviourMonitored(self, kindOf(callbacks, 'gen_server'), options, maker(callbacks));
  },

  // ---- for clients ---------------------------------------------------------------------------------------------

  /** Calls from outside of processes. Rejects with CallFailed. In a process: `yield* call(…)`, or {@link GenServer.request}. */
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

  /** Sends a request without an answer. Never fails. */
  cast<Casts>(
    runtime: Runtime,
    server: ServerPid<never, Casts, never> | Via<ServerPid<never, Casts, never>>,
    message: Casts,
  ): void {
    runtime.cast(server, message);
  },

  /** Answers a call whose callback returned `noreply`. To somebody who gave up, and a second time, nothing happens. */
  replyTo<R>(from: From<R>, value: R): void {
    from.reply(value);
  },

  sendRequest,
  receiveResponse,
  waitResponse,
  checkResponse,
  multiCall,
  abcast,
} as const;

function stopped(reason: ExitReason): InitStopped;
function stopped<State>(reason: ExitReason, state: State): Stopped<State>;
function stopped(reason: ExitReason, state?: unknown): Stopped<unknown> {
  return { type: 'stop', reason, state };
}

function maker(callbacks: object): MakeBehaviour {
  return (self, parent) => new ServerProcess(self, parent, callbacks as AnyServer);
}
