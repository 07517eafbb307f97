import {
  ExitReason,
  type InitAck,
  type Pid,
  type Process,
  procLib,
  type StartOutcome,
  started,
} from '../../../../src/actors/index.js';
import { ScenarioError } from '../errors.js';
import type { Json } from '../json.js';
import { type Operations, text, time } from '../operation.js';
import { reasonOf, termOf } from '../reason.js';
import { isTuple, type Term, Tuple, tuple } from '../term.js';
import type { World } from '../world.js';
import { spawnPuppet, targetOf } from './processes.js';

/** What a process said with init_ack, where that is not just `{ok, self()}`. */
class Said {
  constructor(readonly term: Term) {}
}

/** With what each process says its words, and to whom. */
const acks = new WeakMap<Pid, { readonly ack: InitAck; readonly starter: Pid<unknown>; said: boolean }>();

/** proc_lib. */
export const procLibOperations: Operations = {
  proc_lib_spawn: (world, [label, operations]) => spawnPuppet(world, text(label), operations, {}),
  proc_lib_spawn_link: (world, [label, operations]) =>
    spawnPuppet(world, text(label), operations, { link: world.self }),
  *proc_lib_start(world, [label, operations, timeoutMs], env) {
    const options = { timeoutMs: time(world, timeoutMs, env, Number.POSITIVE_INFINITY) };
    const result = procLib.start(world.runtime, life(world, text(label), operations), options);
    return returned(yield* started(result));
  },
  *proc_lib_start_link(world, [label, operations, timeoutMs], env) {
    const options = { timeoutMs: time(world, timeoutMs, env, Number.POSITIVE_INFINITY) };
    const self = world.self as Process<never>;
    const result = procLib.startLink(self, life(world, text(label), operations), options);
    return returned(yield* started(result));
  },
  *proc_lib_start_monitor(world, [name, label, operations, timeoutMs], env) {
    const options = { timeoutMs: time(world, timeoutMs, env, Number.POSITIVE_INFINITY) };
    const self = world.self as Process<never>;
    const { result, ref } = procLib.startMonitor(self, life(world, text(label), operations), options);
    return tuple(returned(yield* started(result)), world.nameReference(text(name), ref));
  },
  init_ack(world, [term], env) {
    const { self } = world;
    const words = acks.get(self);
    if (words === undefined) throw new ScenarioError('init_ack is for processes that proc_lib has started');
    const { ack, starter } = words;
    const said = world.toTerm(term!, env);
    // A second word is a message like any.
    if (words.said) world.runtime.send(starter, tuple('ack', self, said));
    words.said = true;
    if (isTuple(said, 'ok', self) && said.items.length === 2) ack.ok();
    else ack.ok(new Said(said));
    return 'ok';
  },
  *proc_lib_stop(world, [target, reason, timeoutMs], env) {
    const wait = time(world, timeoutMs, env, Number.POSITIVE_INFINITY);
    const why = reason === undefined ? ExitReason.normal : reasonOf(world.toTerm(reason, env));
    yield* procLib.stop(targetOf(world, target!, env), why, wait);
    return 'ok';
  },
};

/** The life of a process that is started so: its label, the ops, one of which may be init_ack, then it is a puppet. */
function life(world: World, label: string, operations: Json | undefined) {
  const first = Array.isArray(operations) ? (operations as readonly Json[]) : [];
  const starter = world.self;
  return function* (self: Process<unknown>, ack: InitAck) {
    world.enter(label, self);
    acks.set(self, { ack, starter, said: false });
    yield* world.puppets.live(first);
  };
}

/** What a start function returned, as a term. */
export function returned(outcome: StartOutcome<Pid>): Term {
  if (outcome.ok !== undefined) {
    const { info } = outcome;
    if (info instanceof Said) return info.term;
    return info === undefined ? tuple('ok', outcome.ok) : new Tuple(['ok', outcome.ok, info]);
  }
  if (outcome.ignore !== undefined) return 'ignore';
  return tuple('error', termOf(outcome.error!));
}
