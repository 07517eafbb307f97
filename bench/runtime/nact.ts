/** The workloads on nact: those that it has anything for. A few hundred thousand messages a second, so fewer of them. */
import { dispatch, query, type Ref, spawn, start, stop } from 'nact';
import { bytesEach, contend, type Workload, type Workloads } from './measure.js';

const system = start();
let serial = 0;
const name = () => `actor${serial++}`;
const times = (scale: number, full: number) => Math.max(1, Math.round(scale * full));

function pingPong(messages: number): Workload {
  return {
    events: messages,
    work: () =>
      new Promise<void>((resolve) => {
        let left = messages;
        const player = () =>
          spawn(
            system,
            (_state: undefined, message: { readonly from: Ref<unknown> }, context) => {
              if (--left > 0) dispatch(message.from, { from: context.self } as never);
              else resolve();
              return undefined;
            },
            name(),
          );
        const a = player();
        dispatch(a, { from: player() as Ref<unknown> });
      }),
  };
}

function ring(processes: number, hops: number): Workload {
  return {
    events: hops,
    work: () =>
      new Promise<void>((resolve) => {
        let next: Ref<unknown> | null = null;
        const pass = (following: () => Ref<unknown>) =>
          spawn(
            system,
            (_state: undefined, left: number) => {
              if (left > 0) dispatch(following(), (left - 1) as never);
              else resolve();
              return undefined;
            },
            name(),
          );
        const first = pass(() => next as Ref<unknown>);
        next = first as Ref<unknown>;
        for (let at = 1; at < processes; at++) {
          const following = next;
          next = pass(() => following) as Ref<unknown>;
        }
        dispatch(first, hops);
      }),
  };
}

function fan(senders: number, each: number, out: boolean): Workload {
  return {
    events: senders * each,
    work: () =>
      new Promise<void>((resolve) => {
        let left = senders * each;
        const counting = () => {
          if (--left === 0) resolve();
          return undefined;
        };
        if (out) {
          const receivers = Array.from({ length: senders }, () => spawn(system, counting, name()));
          for (let message = 0; message < each; message++) {
            for (const receiver of receivers) dispatch(receiver, 1 as never);
          }
          return;
        }
        const sink = spawn(system, counting, name());
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
      }),
  };
}

function calls(count: number): Workload {
  return {
    events: count,
    async work() {
      const server = spawn(
        system,
        (state: number | undefined, message: { readonly from: Ref<number> }) => {
          dispatch(message.from, state ?? 0);
          return (state ?? 0) + 1;
        },
        name(),
      );
      for (let left = count; left > 0; left--) {
        await query(server, (from) => ({ from: from as unknown as Ref<number> }), 5000);
      }
    },
  };
}

function spawnExit(count: number): Workload {
  return {
    events: count,
    work() {
      for (let at = 0; at < count; at++) stop(spawn(system, () => undefined, name()));
    },
  };
}

const workloads: Workloads = {
  ping_pong: (scale) => pingPong(times(scale, 200_000)),
  ring: (scale) => ring(1000, times(scale, 200_000)),
  fan_in: (scale) => fan(100, times(scale, 2000), false),
  fan_out: (scale) => fan(100, times(scale, 2000), true),
  calls: (scale) => calls(times(scale, 20_000)),
  spawn_exit: (scale) => spawnExit(times(scale, 20_000)),
  backlog: (scale) => fan(1, times(scale, 300_000), false),
  // Its parent copies the map of its children, so they are not many here.
  idle_bytes: (scale) =>
    bytesEach(times(scale, 2000), () =>
      spawn(system, (_state: undefined, _message: unknown) => undefined, name()),
    ),
};

await contend(workloads);
