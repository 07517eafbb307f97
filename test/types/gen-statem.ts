/** What the compiler has to accept and refuse of state machines. Compiled with everything else, and never run. */
import {
  type EnterResult,
  type EventResult,
  GenStatem,
  type HandleEventFunction,
  type Pid,
  type Runtime,
  type StateFunctions,
  sleep,
} from '../../src/actors/index.js';

const { keepState, keepStateAndData, nextState, reply, stateTimeout, nextEvent, postpone, stop } = GenStatem;

interface Door {
  states: { locked: { typed: number[] }; open: { since: number } };
  call: readonly ['isOpen', boolean] | readonly [{ type: 'count'; of: string }, number];
  cast: { type: 'button'; digit: number };
  info: 'knock';
  internal: 'relock';
  timeout: 'lock' | number;
}

type Locked = EventResult<Door, 'locked'>;

export const door: StateFunctions<Door> = {
  init: () => GenStatem.ok('locked', { typed: [] }, stateTimeout(100, 'lock')),
  states: {
    locked(event, data) {
      if (event.type === 'call' && event.tag === 'isOpen') return keepStateAndData(reply(event.from, false));
      if (event.type === 'call' && event.tag === 'count') {
        // @ts-expect-error: the reply to this request is a number
        reply(event.from, 'many');
        return keepStateAndData([reply(event.from, event.content.of.length), postpone]);
      }
      // @ts-expect-error: which call it is is not known here, so neither is what it wants to hear
      if (event.type === 'call') reply(event.from, true);
      if (event.type === 'info' && event.content === 'knock') return nextState('open', { since: 1 });
      if (event.type === 'cast') return keepState({ typed: [...data.typed, event.content.digit] });
      // @ts-expect-error: no such event
      if (event.type === 'enter') return keepStateAndData();
      return event.type === 'internal' ? stop() : keepStateAndData(nextEvent('internal', 'relock'));
    },
    open: {
      enter: (before, data) => (before === 'locked' ? keepState({ since: data.since }) : keepStateAndData()),
      *handle(event, data) {
        if (event.type === 'generic_timeout') return keepState({ since: Number(event.name) });
        yield* sleep(1);
        return data.since > 0 ? nextState('locked', { typed: [] as number[] }) : keepStateAndData();
      },
    },
  },
};

// @ts-expect-error: a state has no handler
export const missing: StateFunctions<Door>['states'] = { locked: () => keepStateAndData() };

// @ts-expect-error: no such state
export const nowhere: Locked = nextState('ajar', { since: 1 });
// @ts-expect-error: these are the data of another state
export const wrongData: Locked = nextState('open', { typed: [] });
// @ts-expect-error: the data of this state are others
export const wrongKept: Locked = keepState({ since: 1 });
// @ts-expect-error: no such internal event
export const wrongInternal: Locked = keepStateAndData(nextEvent('internal', 'unlock'));
// @ts-expect-error: no such content of a timeout
export const wrongTimeout: Locked = keepStateAndData(stateTimeout(1, 'open'));
// @ts-expect-error: no such cast
export const wrongCast: Locked = keepStateAndData(nextEvent('cast', { type: 'button', digit: 'x' }));
// @ts-expect-error: no result
export const none: Locked = undefined;

// @ts-expect-error: an enter call stays where it is
export const leaves: EnterResult<Door, 'open'> = nextState('locked', { typed: [] });
// @ts-expect-error: an enter call has no event that it could keep
export const keeps: EnterResult<Door, 'open'> = keepStateAndData(postpone);
// @ts-expect-error: nor does it insert any
export const inserts: EnterResult<Door, 'open'> = keepStateAndData(nextEvent('internal', 'relock'));
export const enters: EnterResult<Door, 'open'> = keepState({ since: 2 }, [stateTimeout(5, 7)]);

export async function clients(runtime: Runtime): Promise<void> {
  const pid = GenStatem.start<Door>(runtime, door).ok!;
  const isOpen: boolean = await GenStatem.call(runtime, pid, 'isOpen');
  const count: number = await GenStatem.call(runtime, pid, { type: 'count', of: String(isOpen) });
  // @ts-expect-error: the reply is a boolean
  const text: string = await GenStatem.call(runtime, pid, 'isOpen');
  // @ts-expect-error: no such request
  await GenStatem.call(runtime, pid, 'isShut');
  GenStatem.cast(runtime, pid, { type: 'button', digit: count });
  // @ts-expect-error: no such cast
  GenStatem.cast(runtime, pid, { type: 'bell' });
  const knocks: Pid<'knock'> = pid;
  runtime.send(knocks, 'knock');
  // @ts-expect-error: no such message
  runtime.send(pid, text);
  // @ts-expect-error: callbacks of another machine
  GenStatem.start<Counter>(runtime, door);
}

interface Counter {
  state: 'idle' | { readonly left: number };
  data: number;
  cast: 'tick';
}

export class Countdown implements HandleEventFunction<Counter> {
  init() {
    return GenStatem.ok({ left: 3 }, 0);
  }
  handleEvent(event: { readonly type: string }, state: Counter['state'], data: number): EventResult<Counter> {
    if (event.type !== 'cast' || state === 'idle') return keepStateAndData();
    return state.left === 0 ? nextState('idle', data) : nextState({ left: state.left - 1 }, data + 1);
  }
  async terminate() {}
}

// @ts-expect-error: no such state
export const wrongState: EventResult<Counter> = nextState('busy', 0);
// @ts-expect-error: the data are a number
export const wrongNumber: EventResult<Counter> = keepState('0');
// @ts-expect-error: the machine has no internal events
export const noInternal: EventResult<Counter> = keepStateAndData(nextEvent('internal', 'x'));
