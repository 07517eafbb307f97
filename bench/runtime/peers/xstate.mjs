/** The workloads on xstate's actors (transition functions): those that it has anything for. */
import { createActor, fromTransition } from 'xstate';
import { bytesEach, contend } from '../../../dist/bench/runtime/measure.js';

const times = (scale, full) => Math.max(1, Math.round(scale * full));
const actor = (transition) => createActor(fromTransition(transition, 0)).start();

function pingPong(messages) {
  return {
    events: messages,
    work() {
      let left = messages;
      const player = (peer) =>
        actor((state) => {
          if (--left > 0) peer().send({ type: 'ball' });
          return state;
        });
      const a = player(() => b);
      const b = player(() => a);
      a.send({ type: 'ball' });
      if (left !== 0) throw new Error(`${left} messages left`);
    },
  };
}

function fan(actors, each, out) {
  return {
    events: actors * each,
    work() {
      let handled = 0;
      const counting = () => {
        handled++;
        return 0;
      };
      const counters = Array.from({ length: out ? actors : 1 }, () => actor(counting));
      for (let message = 0; message < each * (out ? 1 : actors); message++) {
        for (const counter of counters) counter.send({ type: 'x' });
      }
      if (handled !== actors * each) throw new Error(`${handled} messages`);
    },
  };
}

await contend({
  // Sends nest on the stack of the sender, which bounds what one ball can do.
  ping_pong: (scale) => pingPong(times(scale, 1000)),
  fan_in: (scale) => fan(100, times(scale, 2000), false),
  fan_out: (scale) => fan(100, times(scale, 2000), true),
  spawn_exit: (scale) => ({
    events: times(scale, 20_000),
    work() {
      for (let at = times(scale, 20_000); at > 0; at--) actor((state) => state).stop();
    },
  }),
  idle_bytes: (scale) => bytesEach(times(scale, 20_000), () => actor((state) => state)),
});
