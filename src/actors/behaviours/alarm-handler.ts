import { current } from '../current.js';
import type { Process } from '../process.js';
import type { Runtime } from '../runtime.js';
import type { Blocking } from '../wait.js';
import type { HandlerReply } from './event-commands.js';
import type { EventHandler, HandlerResult, TerminateArgument } from './event-handler.js';
import { EventManager } from './event-manager.js';
import { type EventManagerStart, GenEvent } from './gen-event.js';
import { startBehaviour } from './start-behaviour.js';

/** Something that is wrong, for as long as it is. */
export interface Alarm {
  readonly id: unknown;
  readonly description: unknown;
}

/** What the handlers of the alarm handler get to hear. */
export type AlarmEvent =
  | { readonly type: 'set_alarm'; readonly alarm: Alarm }
  | { readonly type: 'clear_alarm'; readonly id: unknown };

/** Under which the manager is registered. */
const NAME = 'alarm_handler';

type Calls = readonly ['get_alarms', readonly Alarm[]];

/** The handler that is there unless another takes its place: it keeps the alarms, newest first, and reports them. */
class AlarmList implements EventHandler<readonly Alarm[], AlarmEvent, Calls> {
  init() {
    return GenEvent.ok<readonly Alarm[]>([]);
  }

  *handleEvent(event: AlarmEvent, alarms: readonly Alarm[]): Blocking<HandlerResult<readonly Alarm[]>> {
    const { runtime } = yield* current();
    if (event.type === 'set_alarm') {
      runtime.emit({ ...event.alarm, type: 'alarm_set' });
      return GenEvent.ok([event.alarm, ...alarms]);
    }
    runtime.emit({ type: 'alarm_cleared', id: event.id });
    const at = alarms.findIndex(({ id }) => id === event.id);
    return GenEvent.ok(at === -1 ? alarms : alarms.toSpliced(at, 1));
  }

  handleCall(_getAlarms: 'get_alarms', alarms: readonly Alarm[]) {
    return GenEvent.reply(alarms, alarms);
  }

  /** Whoever takes its place goes on with its alarms. */
  terminate(argument: TerminateArgument, alarms: readonly Alarm[]): readonly Alarm[] | undefined {
    return argument.type === 'swap' ? alarms : undefined;
  }
}

const list = new AlarmList();

/**
 * What is wrong right now: SASL's alarm_handler. An event manager, registered as `alarm_handler`, with a handler that keeps
 * the alarms and reports them as the runtime's events `alarm_set` and `alarm_cleared`.
 *
 * ```ts
 * import { Alarms, defaultRuntime, Supervisor } from 'rookery';
 *
 * const runtime = defaultRuntime();
 * Supervisor.start(runtime, {
 *   children: [{ id: 'alarms', start: (supervisor) => Alarms.startLink(supervisor) }],
 * });
 * Alarms.set(runtime, { id: 'disk', description: '95 % full' });
 * const { reply } = await runtime.wait(Alarms.get());
 * console.log(reply?.map(({ id }) => id)); // → [ 'disk' ]
 * Alarms.clear(runtime, 'disk');
 * ```
 *
 * An operator's own handler is added beside it with `GenEvent.addHandler(Alarms.name, …)`, or takes its place and its alarms:
 *
 * ```ts
 * import { type AlarmEvent, Alarms, GenEvent, type Swapped } from 'rookery';
 *
 * export const paging = {
 *   init: (_: undefined, swapped: Swapped | undefined) => GenEvent.ok(swapped?.type === 'result' ? 1 : 0),
 *   handleEvent: (_event: AlarmEvent, pages: number) => GenEvent.ok(pages + 1),
 * };
 *
 * export function* install() {
 *   return yield* GenEvent.swapHandler(Alarms.name, { handler: Alarms.handler }, { handler: paging, argument: undefined });
 * }
 * ```
 */
export const Alarms = {
  /** Under which the manager is registered. */
  name: NAME,
  /** The handler that is there from the start, to be swapped. */
  handler: list,

  /** Starts the manager, linked with `parent`, with {@link Alarms.handler}. */
  startLink(parent: Process<never>): EventManagerStart<AlarmEvent> {
    const options = { name: NAME };
    return startBehaviour(
      parent.runtime,
      parent,
      NAME,
      options,
      (self, from) => new EventManager(self, from, list),
    ) as EventManagerStart<AlarmEvent>;
  },

  /** Raises an alarm. One that is there already is there twice. Throws a BadArgument if there is no manager. */
  set(runtime: Runtime, alarm: Alarm): void {
    const event: AlarmEvent = { type: 'set_alarm', alarm };
    GenEvent.notify(runtime, NAME, event as never);
  },

  /** Says that an alarm is over: the newest with that id (compared with `===`). If there is none, nothing happens. */
  clear(runtime: Runtime, id: unknown): void {
    const event: AlarmEvent = { type: 'clear_alarm', id };
    GenEvent.notify(runtime, NAME, event as never);
  },

  /** The alarms, newest first. The error `bad_module` if another handler has taken the place of {@link Alarms.handler}. */
  get(timeoutMs?: number): Blocking<HandlerReply<readonly Alarm[]>> {
    return GenEvent.call(NAME, list, 'get_alarms', timeoutMs);
  },
} as const;
