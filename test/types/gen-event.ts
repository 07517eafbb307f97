/** What the compiler has to accept and refuse of event managers. Compiled with everything else, and never run. */
import {
  type Blocking,
  type EventHandler,
  type EventManagerPid,
  GenEvent,
  type Runtime,
} from '../../src/actors/index.js';

type Weather =
  | { readonly type: 'rain'; readonly mm: number }
  | { readonly type: 'wind'; readonly kmh: number };

class Rain implements EventHandler<number, Weather, readonly ['total', number], { readonly from: number }> {
  init({ from }: { readonly from: number }) {
    return GenEvent.ok(from);
  }
  handleEvent(event: Weather, total: number) {
    return event.type === 'rain' ? GenEvent.ok(total + event.mm) : GenEvent.ok(total);
  }
  async handleCall(_total: 'total', total: number) {
    return GenEvent.reply(total, total);
  }
}

export class BadState implements EventHandler<number, Weather> {
  // @ts-expect-error: the state is a number
  init() {
    return GenEvent.ok('dry');
  }
  handleEvent(_event: Weather, total: number) {
    return GenEvent.ok(total);
  }
}

const onlyRain = {
  init: () => GenEvent.ok(0),
  handleEvent: (event: { readonly type: 'rain'; readonly mm: number }, total: number) =>
    GenEvent.ok(total + event.mm),
};

const everything = {
  init: () => GenEvent.ok(0),
  handleEvent: (_event: unknown, total: number) => GenEvent.ok(total + 1),
};

export function* clients(runtime: Runtime, weather: EventManagerPid<Weather>): Blocking<void> {
  const rain = new Rain();
  yield* GenEvent.addHandler(weather, rain, { from: 0 });
  yield* GenEvent.addHandler(weather, { module: rain, id: 'roof' }, { from: 0 });
  yield* GenEvent.addHandler(weather, everything);
  yield* GenEvent.addHandler('weather', rain, { from: 0 });
  // @ts-expect-error: its init wants an argument
  yield* GenEvent.addHandler(weather, rain);
  // @ts-expect-error: not this one
  yield* GenEvent.addSupHandler(weather, rain, { from: 'zero' });
  // @ts-expect-error: it cannot handle all the events of this manager
  yield* GenEvent.addHandler(weather, onlyRain);
  // @ts-expect-error: no handler at all
  yield* GenEvent.addHandler(weather, { init: () => GenEvent.ok(0) });
  // @ts-expect-error: its init wants another argument
  yield* GenEvent.swapHandler(weather, { handler: everything }, { handler: rain, argument: 0 });

  GenEvent.notify(runtime, weather, { type: 'wind', kmh: 80 });
  // @ts-expect-error: no such event
  GenEvent.notify(runtime, weather, { type: 'snow', cm: 2 });
  // @ts-expect-error: no such event
  yield* GenEvent.syncNotify(weather, 'rain');

  const { reply } = yield* GenEvent.call(weather, { module: rain, id: 'roof' }, 'total');
  const total: number | undefined = reply;
  // @ts-expect-error: the answer is a number
  const text: string | undefined = reply;
  // @ts-expect-error: no such request
  yield* GenEvent.call(weather, rain, 'average');
  // @ts-expect-error: it answers no calls
  yield* GenEvent.call(weather, everything, String(total) + text);
}
