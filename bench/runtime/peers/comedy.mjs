/** The workloads on comedy's actors in memory: those that it has anything for. */
import comedy from 'comedy';
import { bytesEach, contend } from '../../../dist/bench/runtime/measure.js';

const times = (scale, full) => Math.max(1, Math.round(scale * full));
const system = comedy({ log: { error() {}, warn() {}, info() {}, debug() {} } });
const root = await system.rootActor();

await contend({
  ping_pong: (scale) => {
    const messages = times(scale, 50_000);
    return {
      events: messages,
      work: () =>
        new Promise((resolve, reject) => {
          let left = messages;
          const players = [];
          const behaviour = (other) => ({
            ball() {
              if (--left > 0) players[other].send('ball');
              else resolve();
            },
          });
          Promise.all([root.createChild(behaviour(1)), root.createChild(behaviour(0))]).then((made) => {
            players.push(...made);
            players[0].send('ball');
          }, reject);
        }),
    };
  },
  calls: (scale) => {
    const count = times(scale, 20_000);
    return {
      events: count,
      async work() {
        let state = 0;
        const server = await root.createChild({ get: () => state++ });
        for (let left = count; left > 0; left--) await server.sendAndReceive('get');
        if (state !== count) throw new Error(`${state} calls`);
      },
    };
  },
  spawn_exit: (scale) => {
    const count = times(scale, 2000);
    return {
      events: count,
      async work() {
        for (let at = count; at > 0; at--) await (await root.createChild({ x() {} })).destroy();
      },
    };
  },
  idle_bytes: (scale) => {
    const made = [];
    return bytesEach(times(scale, 2000), () => {
      const one = root.createChild({ x() {} });
      made.push(one);
      return one;
    });
  },
});
