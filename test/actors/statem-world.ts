import {
  type EventResult,
  GenStatem,
  type HandleEventFunction,
  type Pid,
  type StatemEvent,
} from '../../src/actors/index.js';
import { brief, reasonOf, World } from './world.js';

const { keepStateAndData, ok } = GenStatem;

/** A machine of which little is known. */
export interface Machine {
  state: string;
  data: unknown;
  call: readonly [unknown, unknown];
  cast: unknown;
  info: unknown;
  internal: unknown;
  timeout: unknown;
}

export type Handle = HandleEventFunction<Machine>['handleEvent'];
export type Result = EventResult<Machine>;

/** `type content state`, and the name of a named timeout. */
export function words(event: StatemEvent<Machine>, state: string): string {
  const name = event.type === 'generic_timeout' ? ` ${String(event.name)}` : '';
  return `${event.type}${name} ${String(brief(event.content))} in ${state}`;
}

export interface Logged {
  readonly world: World;
  readonly log: string[];
  readonly pid: Pid;
  cast(message: unknown): void;
}

/** A machine that logs its events; `handle` has them first. */
export function machine(
  handle: Handle = () => keepStateAndData(),
  more: Partial<HandleEventFunction<Machine>> = {},
  world = new World(),
): Logged {
  const log: string[] = [];
  const callbacks: HandleEventFunction<Machine> = {
    init: () => ok('start', 0),
    handleEvent(event, state, data) {
      log.push(words(event, state));
      return handle(event, state, data);
    },
    terminate(reason, state, data) {
      log.push(`terminate ${String(reasonOf(reason))} in ${state} with ${String(data)}`);
    },
    ...more,
  };
  const pid = GenStatem.start<Machine>(world.runtime, callbacks).ok!;
  world.runtime.flush();
  const cast = (message: unknown) => {
    world.runtime.cast(pid, message);
    world.runtime.flush();
  };
  return { world, log, pid, cast };
}

/** What a cast is answered with; other events change nothing. */
export function onCast(results: { readonly [message: string]: Result | (() => Result) }): Handle {
  return (event) => {
    const result = event.type === 'cast' ? results[String(event.content)] : undefined;
    if (result === undefined) return keepStateAndData();
    return typeof result === 'function' ? result() : result;
  };
}
