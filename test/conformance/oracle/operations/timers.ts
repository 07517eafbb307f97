import type { Pid, Timer } from '../../../../src/actors/index.js';
import { type Operations, text } from '../operation.js';

/** Timers. How much was left is not shown: it would differ from run to run of the real thing. */
export const timerOperations: Operations = {
  send_after(world, [name, delay, target, message], env) {
    const to = world.toTerm(target!, env) as Pid<unknown> | string;
    return world.nameReference(
      text(name),
      world.runtime.sendAfter(delay as number, to, world.toMessage(message!, env)),
    );
  },
  start_timer(world, [name, delay, target, message], env) {
    const to = world.toTerm(target!, env) as Pid<unknown> | string;
    return world.nameReference(
      text(name),
      world.runtime.startTimer(delay as number, to, world.toTerm(message!, env)),
    );
  },
  cancel_timer(world, [name]) {
    return world.runtime.cancelTimer(world.reference<Timer>(text(name))) === false ? false : 'left';
  },
  read_timer(world, [name]) {
    return world.runtime.readTimer(world.reference<Timer>(text(name))) === false ? false : 'left';
  },
};
