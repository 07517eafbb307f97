import { SimulatedClock } from '../../src/structures/simulated-clock.js';
import { MemoryListener } from '../../src/transport/memory/memory-listener.js';
import type { ContractClient, ContractWorld } from './socket-contract.js';

/** The contract's world without a network. */
export function memoryWorld(latencyMs: () => number): ContractWorld {
  const clock = new SimulatedClock();
  const handlerErrors: unknown[] = [];
  const maxPayloadBytes = 32 * 1024;
  const maxBackpressureBytes = 512 * 1024;
  const listener = new MemoryListener(
    {
      maxPayloadBytes,
      maxBackpressureBytes,
      networkBytes: 100_000,
      latencyMs,
      onHandlerError: (error) => handlerErrors.push(error),
    },
    { opened: (socket) => world.accept(socket) },
    clock,
  );
  const world: ContractWorld = {
    listener,
    maxPayloadBytes,
    maxBackpressureBytes,
    handlerErrors,
    accept: () => null,
    connect: () => {
      const received: Uint8Array[] = [];
      let ended: ContractClient['ended'] = null;
      const connection = listener.connect({
        message: (bytes) => {
          received.push(bytes);
        },
        closed: (code, reason) => {
          ended = { code, reason };
        },
      });
      if (connection === null) return Promise.resolve(null);
      return Promise.resolve({
        received,
        get ended() {
          return ended;
        },
        send: (bytes, isBinary = true) => connection.send(bytes, isBinary),
        close: (code, reason) => connection.close(code, reason),
        terminate: () => connection.terminate(),
        pause: () => connection.pause(),
        resume: () => connection.resume(),
      });
    },
    until: async (condition) => {
      for (let steps = 0; ; steps++) {
        await Promise.resolve();
        if (condition()) return;
        if (!clock.runOne() && !clock.step() && steps > 10)
          throw new Error('nothing is left that could happen');
      }
    },
    pass: async (ms) => clock.advance(ms),
    dispose: () => listener.close(),
  };
  return world;
}
