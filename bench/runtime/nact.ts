import { dispatch, type Ref, spawn, start, stop } from 'nact';
import { bestOf, bytesEach, cpuMicros, type Figure } from './measure.js';

/** The same work done with nact. Rates of a few hundred thousand a second, so fewer messages. */
export async function nactFigures(): Promise<Figure[]> {
  const system = start();
  let serial = 0;
  const name = () => `actor${serial++}`;

  const pingPong = (messages: number) =>
    new Promise<number>((resolve) => {
      let left = messages;
      const began = cpuMicros();
      const player = () =>
        spawn(
          system,
          (_state: undefined, message: { readonly from: Ref<unknown> }, context) => {
            if (--left > 0) dispatch(message.from, { from: context.self } as never);
            else resolve((messages * 1e6) / (cpuMicros() - began));
            return undefined;
          },
          name(),
        );
      const a = player();
      const b = player();
      dispatch(a, { from: b as Ref<unknown> });
    });

  const fanIn = (senders: number, each: number) =>
    new Promise<number>((resolve) => {
      let left = senders * each;
      const began = cpuMicros();
      const sink = spawn(
        system,
        () => {
          if (--left === 0) resolve((senders * each * 1e6) / (cpuMicros() - began));
          return undefined;
        },
        name(),
      );
      for (let at = 0; at < senders; at++) {
        const sender = spawn(
          system,
          () => {
            for (let message = 0; message < each; message++) dispatch(sink, 1 as never);
            return undefined;
          },
          name(),
        );
        dispatch(sender, 0 as never);
      }
    });

  const figures: Figure[] = [
    { name: 'ping-pong', unit: ' messages', value: await bestOf(2, () => pingPong(200_000)) },
    { name: 'fan-in of 100', unit: ' messages', value: await bestOf(2, () => fanIn(100, 2000)) },
    {
      // Its parent copies the map of its children, so they are not many here.
      name: 'idle process, own receiver',
      unit: 'bytes',
      value: bytesEach(2000, () =>
        spawn(system, (_state: undefined, _message: unknown) => undefined, name()),
      ),
    },
  ];
  stop(system);
  return figures;
}
