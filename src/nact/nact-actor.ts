import { type ActorSystemRef, type Ref, start as startSystem, stop } from 'nact';
import { BadArgument, ExitReason, type Process, type StartResult } from '../actors/index.js';
import type { ChildOverrides, ChildSpec } from '../supervisors/index.js';
import type { ActorProcess } from './actor-process.js';
import { processOf } from './nact-process.js';
import { joinSystem } from './nact-system.js';
import { concreteOf } from './pid-of.js';
import type { SystemProcess } from './system-process.js';

export interface NactActorOptions extends ChildOverrides {
  /** Registered for the process of the actor. */
  readonly name?: string;
  /** The system in which it lives; a function is asked at each start. Default: one of its own. */
  readonly system?: ActorSystemRef | (() => ActorSystemRef);
  /** Exit signals over links come as messages, but for those of its supervisor and its system. Default false: they end it. */
  readonly trapExit?: boolean;
}

/**
 * A nact actor as a child of a supervisor. `start` spawns it, right under the system that it is given:
 *
 *     nactActor('accounts', (system) => spawn(system, accounts, 'accounts'), { name: 'accounts' })
 *
 * - A policy that stops the actor for an error, or escalates, ends the process with that error.
 * - nact's `stop`, and an actor that was idle for its `shutdownAfter`, are an orderly end (`normal`).
 * - Asked to end, it handles what waits before the request, its children end, and then its afterStop runs. If that takes
 *   longer than the `shutdown` time (5 s) it is killed, and its children with it.
 */
export function nactActor<M>(
  id: string,
  start: (system: ActorSystemRef) => Ref<M>,
  options: NactActorOptions = {},
): ChildSpec {
  const { name, system, trapExit, ...overrides } = options;
  return { id, start: (supervisor) => startActor(supervisor, id, start, options), ...overrides };
}

function startActor<M>(
  supervisor: Process<never>,
  label: string,
  start: (system: ActorSystemRef) => Ref<M>,
  { name, system: given, trapExit = false }: NactActorOptions,
): StartResult {
  const { runtime } = supervisor;
  const holder = name === undefined ? undefined : runtime.whereis(name);
  if (holder !== undefined) return { error: { type: 'already_started', pid: holder } };
  const system = given === undefined ? startSystem() : typeof given === 'function' ? given() : given;
  const systemPid = joinSystem(runtime, system);
  try {
    const systemProcess = processOf(concreteOf(system)!) as SystemProcess;
    const naming = name === undefined ? {} : { name };
    const ref = systemProcess.supervising({ supervisor, label, trapExit, ...naming }, () => start(system));
    const actor = concreteOf(ref);
    const process = actor === undefined ? undefined : (processOf(actor) as ActorProcess | undefined);
    if (process?.parent !== supervisor) {
      throw new BadArgument(
        `the start of ${label} must return the first actor that it spawns under the system`,
      );
    }
    if (given === undefined) {
      process.process.onExit({ processExited: () => runtime.exit(systemPid, ExitReason.shutdown) });
    }
    return { ok: process.pid };
  } catch (error) {
    if (given === undefined) stop(system);
    throw error;
  }
}
