import type { Process } from '../process.js';
import { checkResponse, receiveResponse, sendRequest, waitResponse } from '../request-id.js';
import type { Runtime } from '../runtime.js';
import type { CallPair, ReplyTo, ServerPid } from '../server-pid.js';
import type { MonitoredStart, StartOutcome } from '../start-result.js';
import type { ServerOptions } from './gen-server.js';
import { kindOf, type MakeBehaviour, startBehaviour, startBehaviourMonitored } from './start-behaviour.js';
import { StateMachine } from './state-machine.js';
import { actions, results } from './statem-actions.js';
import type { AnyStatem, GenStatem as Callbacks } from './statem-callbacks.js';
import type { CallsOf, CastsOf, InfoOf, StatemTypes } from './statem-event.js';

/**
 * A state machine: OTP's gen_statem. It takes calls, casts and messages as a GenServer does, but what an event leads to
 * depends on the state that the machine is in; and it has what state machines need: timeouts that end with the state,
 * events that are kept for a later state, events of its own, and calls when a state is entered.
 *
 * ```ts
 * import { defaultRuntime, GenStatem, type StateFunctions } from 'rookery';
 *
 * // A door with a code lock: the states with their data, and what may happen.
 * interface Door {
 *   states: { locked: { typed: string }; open: { code: string } };
 *   cast: { type: 'button'; digit: string };
 *   call: readonly ['isOpen', boolean];
 *   timeout: 'lock';
 * }
 *
 * class CodeLock implements StateFunctions<Door> {
 *   constructor(private readonly code: string) {}
 *   init() {
 *     return GenStatem.ok('locked', { typed: '' });
 *   }
 *   readonly states: StateFunctions<Door>['states'] = {
 *     locked: (event, data) => {
 *       if (event.type === 'call') return GenStatem.keepStateAndData(GenStatem.reply(event.from, false));
 *       if (event.type !== 'cast') return GenStatem.keepStateAndData();
 *       const typed = data.typed + event.content.digit;
 *       if (typed !== this.code) return GenStatem.keepState({ typed });
 *       return GenStatem.nextState('open', { code: typed }, GenStatem.stateTimeout(10, 'lock'));
 *     },
 *     open(event) {
 *       if (event.type === 'state_timeout') return GenStatem.nextState('locked', { typed: '' });
 *       if (event.type === 'call') return GenStatem.keepStateAndData(GenStatem.reply(event.from, true));
 *       return GenStatem.keepStateAndData(GenStatem.postpone); // Buttons are for when it is locked.
 *     },
 *   };
 * }
 *
 * const runtime = defaultRuntime();
 * const door = GenStatem.start<Door>(runtime, new CodeLock('42')).ok!;
 * for (const digit of '42') GenStatem.cast(runtime, door, { type: 'button', digit });
 * console.log(await GenStatem.call(runtime, door, 'isOpen')); // → true
 * await new Promise((resolve) => setTimeout(resolve, 50));
 * console.log(await GenStatem.call(runtime, door, 'isOpen')); // → false
 * await runtime.stop(door);
 * ```
 *
 * **Two modes.** {@link StateFunctions}: the states are names, each with a handler of its own in `states`, and the data of
 * each may be of its own type. {@link HandleEventFunction}: one `handleEvent` for all, and a state may be anything: a
 * string, an object, a list. Two states are the same if they are equal as data ({@link sameState}).
 *
 * **Events** have a `type` ({@link StatemEvent}), a `content`, and a `tag`: the content itself if it is a name, otherwise its
 * `type`. By the tag TypeScript knows which reply a call wants: `if (event.type === 'call' && event.tag === 'get')`.
 *
 * **Results.** `nextState`, `keepState`, `keepStateAndData`, `repeatState`, `repeatStateAndData`, `stop`, `stopAndReply`; each
 * but the last two takes one action or a list of them. A change is when the new state is not the same as the old one:
 *
 * | | same state | change, or repeated |
 * | --- | --- | --- |
 * | enter call | no | yes |
 * | postponed events | stay | come back, oldest first; not when the state is repeated |
 * | state timeout | goes on | is off; goes on when the state is repeated |
 * | named timeouts | go on | go on |
 *
 * **Actions** are done in their order: `reply`, `postpone`, `nextEvent`, timeouts, `changeCallbackModule` and its kin. Events
 * inserted by `nextEvent` come before all others, then those that came back, then timeouts of 0 ms, and then only the next
 * message. Any event, also one of these, ends the event timeout (`timeout`).
 *
 * **Timeouts.** `timeout` (until any event), `stateTimeout` (until the state changes), `genericTimeout` (by name, until it is
 * cancelled). Setting one again replaces it. The time is in ms, or of the runtime's clock with `absolute`; `'cancel'` and
 * Infinity end it, `'update'` changes the content of what runs. A machine that is suspended gets what was due when it
 * goes on.
 *
 * **Enter calls.** With `enter` (of a state of `states`, or beside `handleEvent`) it hears that a state is entered, at the start
 * too. It may set timeouts, reply and change the data, but not leave the state, postpone or insert events.
 *
 * **Waiting, leaving early.** As in a GenServer a callback may be a generator or return a promise, and a thrown value is
 * what it returned. An Error, or a result or action that is none ({@link StatemError}), ends the machine; `terminate` sees
 * the state and data from before the event.
 *
 * **Calling.** In a process that waits: `yield* call(machine, request)`; from outside `GenStatem.call`. It answers with the
 * action `reply`, at once or in any later event, or with `GenStatem.replyTo`.
 *
 * **Bounds.** Postponed and inserted events count as its mailbox does: with more than `mailboxMax` it ends with
 * `mailbox_overflow`. The events that one message leads to are handled in one go, and others wait so long.
 *
 * **When not to use it.** When what is done does not depend on a state, a GenServer says the same in fewer words.
 */
export type GenStatem<T extends StatemTypes> = Callbacks<T>;

/** The pid of a state machine; it knows what may be asked. */
export type StatemPid<T> = ServerPid<CallsOf<T>, CastsOf<T>, InfoOf<T>>;

/** What came of starting one. */
export type StatemStart<T> = StartOutcome<StatemPid<T>>;

/** Makes the results and actions of a machine's callbacks, and starts and asks it. */
export const GenStatem = {
  // ---- results of callbacks, and actions -----------------------------------------------------------------------
  ...results,
  ...actions,

  // ---- starting ------------------------------------------------------------------------------------------------

  /** Starts a machine that nobody is linked with. */
  start<T extends StatemTypes>(
    runtime: Runtime,
    callbacks: Callbacks<T>,
    options: ServerOptions = {},
  ): StatemStart<T> {
    return startBehaviour(runtime, null, kindOf(callbacks, 'gen_statem'), options, make(callbacks));
  },

  /** Starts a machine linked with `parent`, whose end ends it. If the start fails, a parent that traps exits gets no EXIT. */
  startLink<T extends StatemTypes>(
    parent: Process<never>,
    callbacks: Callbacks<T>,
    options: ServerOptions = {},
  ): StatemStart<T> {
    const kind = kindOf(callbacks, 'gen_statem');
    return startBehaviour(parent.runtime, parent, kind, options, make(callbacks));
  },

  /** Starts a machine that `self` monitors: `ref` tells of its end. If the start fails there is no monitor. */
  startMonitor<T extends StatemTypes>(
    self: Process<never>,
    callbacks: Callbacks<T>,
    options: ServerOptions = {},
  ): MonitoredStart<StatemPid<T>> {
    return startBehaviourMonitored(self, kindOf(callbacks, 'gen_statem'), options, make(callbacks));
  },

  // ---- for clients ---------------------------------------------------------------------------------------------

  /**
   * Calls from outside of processes. Rejects with CallFailed. In a process: `yield* call(…)`. The reply of a machine may take
   * as long as it likes unless said otherwise.
   */
  call<C extends CallPair, const Q extends C[0]>(
    runtime: Runtime,
    machine: ServerPid<C, never, never>,
    request: Q,
    timeoutMs: number = Number.POSITIVE_INFINITY,
  ): Promise<ReplyTo<C, Q>> {
    return runtime.call(machine, request, timeoutMs);
  },

  /** Sends an event of type `cast`. Never fails. */
  cast<Casts>(runtime: Runtime, machine: ServerPid<never, Casts, never>, message: Casts): void {
    runtime.cast(machine, message);
  },

  sendRequest,
  receiveResponse,
  waitResponse,
  checkResponse,
} as const;

function make<T extends StatemTypes>(callbacks: Callbacks<T>): MakeBehaviour {
  return (self, parent) => new StateMachine(self, parent, callbacks as unknown as AnyStatem);
}
