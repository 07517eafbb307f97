import { BadArgument } from '../bad-argument.js';
import { Asking, stop } from '../calls.js';
import { Exit, type ExitReason } from '../exit-reason.js';
import type { Pid } from '../pid.js';
import type { Process } from '../process.js';
import { type RequestId, sendRequest } from '../request-id.js';
import type { Runtime } from '../runtime.js';
import type { MonitoredStart, StartOutcome } from '../start-result.js';
import { isVia, type Target, targetInWords, type Via } from '../via.js';
import type { Blocking } from '../wait.js';
import type {
  EventCommand,
  HandlerAdded,
  HandlerDeleted,
  HandlerReply,
  NotifyMessage,
} from './event-commands.js';
import type { AnyHandler, HandlerFor, HandlerRef } from './event-handler.js';
import { EventManager } from './event-manager.js';
import type { ServerOptions } from './gen-server.js';
import { startBehaviour, startBehaviourMonitored } from './start-behaviour.js';

declare const events: unique symbol;

/** The pid of an event manager; it knows which events it takes, and which other messages. */
export interface EventManagerPid<in Events = never, in Info = never> extends Pid<Info> {
  readonly [events]?: (event: Events) => void;
}

/** What came of starting one. */
export type EventManagerStart<Events, Info = never> = StartOutcome<EventManagerPid<Events, Info>>;

/** A manager: its pid, or a name that it has. Of one known by its name alone nobody knows the events. */
export type EventManagerRef<Events = never, Info = never> =
  | EventManagerPid<Events, Info>
  | Via<EventManagerPid<Events, Info>>
  | string;

/** What a manager may be told; one that is known by its name alone, anything. */
type EventsOf<M> = M extends EventManagerRef<infer Events, infer _Info> ? Events : never;
/** What its handlers have to take; with a name alone nobody knows. */
type HandledBy<M> = M extends string ? never : EventsOf<M>;
type InfoOf<M> = M extends string
  ? never
  : M extends EventManagerRef<infer _Events, infer Info>
    ? Info
    : never;

/** Callbacks that manager `M` can use. */
type Fitting<M, Argument, State> = HandlerFor<HandledBy<M>, InfoOf<M>, Argument, State>;

/** Nothing need be said where it is undefined. */
type Given<Argument> = undefined extends Argument ? [argument?: Argument] : [argument: Argument];

type RequestOf<H> = H extends { handleCall?: (request: infer Request, state: never) => unknown }
  ? Request
  : never;

type ReplyIn<R> = R extends { readonly reply: infer Reply } ? Reply : never;

type ReplyOf<H> = H extends { handleCall?: (...args: never[]) => infer R }
  ? R extends Blocking<infer Result>
    ? ReplyIn<Result>
    : ReplyIn<Awaited<R>>
  : never;

/** The handler that is to go, and what its terminate gets. */
export interface SwapOut {
  readonly handler: HandlerRef;
  readonly argument?: unknown;
}

/** The handler that is to come, and what its init gets. */
export interface SwapIn<H extends AnyHandler, Argument> {
  readonly handler: HandlerRef<H>;
  readonly argument: Argument;
}

/**
 * An event manager: OTP's gen_event. It is a process, and what it does with an event is the business of its handlers, which
 * come and go while it runs.
 *
 * ```ts
 * import { defaultRuntime, type EventHandler, GenEvent } from 'rookery';
 *
 * interface Reading {
 *   readonly sensor: string;
 *   readonly celsius: number;
 * }
 *
 * // Remembers the highest reading of each sensor. `init` makes the state from what `addHandler` was given.
 * class Highest implements EventHandler<ReadonlyMap<string, number>, Reading, readonly [string, number | undefined]> {
 *   init() {
 *     return GenEvent.ok(new Map<string, number>());
 *   }
 *   handleEvent({ sensor, celsius }: Reading, highest: ReadonlyMap<string, number>) {
 *     const before = highest.get(sensor) ?? Number.NEGATIVE_INFINITY;
 *     return GenEvent.ok(celsius > before ? new Map(highest).set(sensor, celsius) : highest);
 *   }
 *   handleCall(sensor: string, highest: ReadonlyMap<string, number>) {
 *     return GenEvent.reply(highest.get(sensor), highest);
 *   }
 * }
 *
 * // Counts down, and removes itself.
 * const threeReadings = {
 *   init: (left: number) => GenEvent.ok(left),
 *   handleEvent(reading: Reading, left: number) {
 *     console.log(`${reading.sensor}: ${reading.celsius} °C`);
 *     return left === 1 ? GenEvent.remove : GenEvent.ok(left - 1);
 *   },
 * };
 *
 * const runtime = defaultRuntime();
 * const readings = GenEvent.start<Reading>(runtime, { name: 'readings' }).ok!;
 * const highest = new Highest();
 * await runtime.wait(GenEvent.addHandler(readings, highest));
 * await runtime.wait(GenEvent.addHandler(readings, threeReadings, 3));
 * for (const celsius of [19, 23, 21, 20]) GenEvent.notify(runtime, readings, { sensor: 'attic', celsius });
 * await runtime.wait(GenEvent.syncNotify(readings, { sensor: 'cellar', celsius: 12 }));
 * // → attic: 19 °C
 * // → attic: 23 °C
 * // → attic: 21 °C
 * const { reply } = await runtime.wait(GenEvent.call(readings, highest, 'attic'));
 * console.log(reply); // → 23
 * await runtime.stop(readings);
 * ```
 *
 * **Handlers** are objects of callbacks ({@link EventHandler}); the manager keeps the state of each. With `{ module, id }`
 * the same callbacks serve several handlers. Events go to all of them, the newest first, one after the other; calls to one.
 *
 * **Functions that wait.** All but `start` and `notify` ask the manager, and are used as all that waits: in a process
 * `yield* GenEvent.addHandler(…)`, from outside `await runtime.wait(GenEvent.addHandler(…))`. If the manager is not there, or
 * ends before it answers, the caller exits with the bare reason; `call` with the reason `call`, and it has a timeout.
 *
 * **Results.** `ok`, `remove`, `swap`; of `handleCall` `reply`, `removeReplying`, `swapReplying`. A handler that crashes, or
 * returns something else, is removed, and the event `handler_crashed` tells of it; manager and other handlers go on. As
 * in all behaviours a callback may be a generator or return a promise, and a thrown value is what it returned. The next
 * handler waits so long.
 *
 * **terminate** of a handler runs whenever it goes, and is told why ({@link TerminateArgument}). What it returns is the
 * result of `deleteHandler`, and what a handler gets to know that takes its place: so state is handed over.
 *
 * **Owners.** `addSupHandler` makes the calling process the owner. They are linked: when the owner ends, so does the handler;
 * and when the handler goes, whatever the reason, the owner gets a {@link GenEventExit}. To put a handler in again is its
 * business.
 *
 * **Looking inside.** `sys.getState` shows the state of each handler; `sys.changeCode` with `{ callbacks: { module, by } }`
 * puts the callbacks `by` in the place of `module`, whose `codeChange` makes the new states.
 *
 * **When not to use it.** A slow handler holds up all others: for much work, or many receivers, have processes of their own
 * in a process group, or in a Registry with duplicate keys.
 */
export const GenEvent = {
  // ---- results of callbacks ------------------------------------------------------------------------------------

  /** Goes on with this state. */
  ok<State>(state: State) {
    return { type: 'ok', state } as const;
  },
  /** Of `handleCall`: answers, and goes on with this state. */
  reply<Reply, State>(reply: Reply, state: State) {
    return { type: 'ok', reply, state } as const;
  },
  /** The handler is to be removed. */
  remove: { type: 'remove_handler' } as const,
  /** Of `handleCall`: answers, and the handler is to be removed. */
  removeReplying<Reply>(reply: Reply) {
    return { type: 'remove_handler', reply } as const;
  },
  /** Another handler is to take its place: its terminate gets `argument`, the other one's init `otherArgument`. */
  swap<State>(argument: unknown, state: State, other: HandlerRef, otherArgument?: unknown) {
    return { type: 'swap_handler', argument, state, other, otherArgument } as const;
  },
  /** The same of `handleCall`, with an answer. */
  swapReplying<Reply, State>(
    reply: Reply,
    argument: unknown,
    state: State,
    other: HandlerRef,
    otherArgument?: unknown,
  ) {
    return { type: 'swap_handler', reply, argument, state, other, otherArgument } as const;
  },
  /** Of `init`: the handler is not added, and the caller is told why. */
  refuse(reason: ExitReason) {
    return { type: 'error', reason } as const;
  },

  // ---- starting ------------------------------------------------------------------------------------------------

  /** Starts a manager that nobody is linked with. */
  start<Events = never, Info = never>(
    runtime: Runtime,
    options: ServerOptions = {},
  ): EventManagerStart<Events, Info> {
    return startBehaviour(runtime, null, 'gen_event', options, make) as EventManagerStart<Events, Info>;
  },

  /** Starts a manager linked with `parent`, whose end ends it. */
  startLink<Events = never, Info = never>(
    parent: Process<never>,
    options: ServerOptions = {},
  ): EventManagerStart<Events, Info> {
    const start = startBehaviour(parent.runtime, parent, 'gen_event', options, make);
    return start as EventManagerStart<Events, Info>;
  },

  /** Starts a manager that `self` monitors. */
  startMonitor<Events = never, Info = never>(
    self: Process<never>,
    options: ServerOptions = {},
  ): MonitoredStart<EventManagerPid<Events, Info>> {
    const start = startBehaviourMonitored(self, 'gen_event', options, make);
    return start as MonitoredStart<EventManagerPid<Events, Info>>;
  },

  // ---- events --------------------------------------------------------------------------------------------------

  /**
   * Tells all handlers of an event, and does not wait for them. To a manager that has ended: nothing happens. Throws a
   * {@link BadArgument} if nobody has the name.
   */
  notify<M extends EventManagerRef>(runtime: Runtime, manager: M, event: EventsOf<M>): void {
    const target = manager as EventManagerRef;
    const pid = isName(target) ? runtime.whereis(target) : target;
    if (pid === undefined) throw new BadArgument(`nobody is registered as ${String(targetInWords(target))}`);
    runtime.send(pid as Pid<NotifyMessage>, { type: '$notify', event });
  },

  /** The same, and waits until all handlers have handled it. */
  syncNotify<M extends EventManagerRef>(manager: M, event: EventsOf<M>): Blocking<'ok'> {
    return ask(manager, { type: '$sync_notify', event });
  },

  // ---- handlers ------------------------------------------------------------------------------------------------

  /** Adds a handler, before those that are there. There may be one already with the same callbacks and id. */
  addHandler<M extends EventManagerRef, Argument, State>(
    manager: M,
    handler: HandlerRef<Fitting<M, Argument, State>>,
    ...[argument]: Given<NoInfer<Argument>>
  ): Blocking<HandlerAdded> {
    return ask(manager, add(handler as HandlerRef, argument, false));
  },

  /**
   * Adds a handler that belongs to the calling process. Manager and owner are linked: when the owner ends the handler does,
   * and when the handler ends the owner is told, by a {@link GenEventExit}.
   */
  addSupHandler<M extends EventManagerRef, Argument, State>(
    manager: M,
    handler: HandlerRef<Fitting<M, Argument, State>>,
    ...[argument]: Given<NoInfer<Argument>>
  ): Blocking<HandlerAdded> {
    return ask(manager, add(handler as HandlerRef, argument, true));
  },

  /** Removes a handler, of several the newest; its terminate gets the argument. */
  deleteHandler(manager: EventManagerRef, handler: HandlerRef, argument?: unknown): Blocking<HandlerDeleted> {
    return ask(manager, { type: '$delete_handler', handler, argument });
  },

  /**
   * Puts a handler in the place of another one, with no event between them: the terminate of `old` gets its argument, the
   * init of `other` its own, and what that terminate returned. The new one belongs to the owner of the old one. If there is
   * no old one the other is added all the same; if the other cannot begin the old one is gone all the same.
   */
  swapHandler<M extends EventManagerRef, Argument, State>(
    manager: M,
    old: SwapOut,
    other: SwapIn<Fitting<M, Argument, State>, NoInfer<Argument>>,
  ): Blocking<HandlerAdded> {
    return ask(manager, swap(old, other as SwapOut, false));
  },

  /** The same, but the new one belongs to the calling process. */
  swapSupHandler<M extends EventManagerRef, Argument, State>(
    manager: M,
    old: SwapOut,
    other: SwapIn<Fitting<M, Argument, State>, NoInfer<Argument>>,
  ): Blocking<HandlerAdded> {
    return ask(manager, swap(old, other as SwapOut, true));
  },

  /** The handlers that are there, newest first. */
  whichHandlers(manager: EventManagerRef): Blocking<readonly HandlerRef[]> {
    return ask(manager, { type: '$which_handlers' });
  },

  /** Asks one handler, of several the newest. Without an answer in `timeoutMs` (5000) the caller exits with the reason `call`. */
  *call<H extends AnyHandler>(
    manager: EventManagerRef,
    handler: HandlerRef<H>,
    request: NoInfer<RequestOf<H>>,
    timeoutMs = 5000,
  ): Blocking<HandlerReply<ReplyOf<H>>> {
    const command = { type: '$call', handler: handler as HandlerRef, request } satisfies EventCommand;
    const outcome = yield* new Asking<HandlerReply<ReplyOf<H>>>(manager, command, timeoutMs);
    if (outcome.ok) return outcome.value;
    throw new Exit({ type: 'call', reason: outcome.reason, target: targetInWords(manager) });
  },

  /**
   * Asks one handler, and does not wait: what `receiveResponse` and its kin yield has the {@link HandlerReply} as its value.
   * OTP's gen_event:send_request.
   */
  sendRequest<H extends AnyHandler>(
    self: Process<never>,
    manager: EventManagerRef,
    handler: HandlerRef<H>,
    request: NoInfer<RequestOf<H>>,
  ): RequestId<HandlerReply<ReplyOf<H>>> {
    const command: EventCommand = { type: '$call', handler: handler as HandlerRef, request };
    return sendRequest(self, manager as string, command);
  },

  /** Ends a manager; its handlers end with it. */
  stop,
} as const;

function make(self: Process<never>, parent: Pid | null): EventManager {
  return new EventManager(self, parent);
}

function isName(target: EventManagerRef): target is string | Via<EventManagerPid> {
  return typeof target === 'string' || isVia(target);
}

function add(handler: HandlerRef, argument: unknown, supervised: boolean): EventCommand {
  return { type: '$add_handler', handler, argument, supervised };
}

function swap(one: SwapOut, other: SwapOut, supervised: boolean): EventCommand {
  return { type: '$swap_handler', one, other, supervised };
}

/** Without an answer the caller exits with the bare reason. */
function* ask<R>(manager: Target, command: EventCommand): Blocking<R> {
  const outcome = yield* new Asking<R>(manager, command, Number.POSITIVE_INFINITY);
  if (!outcome.ok) throw new Exit(outcome.reason);
  return outcome.value;
}
