import type { ActorSystemRef } from 'nact';
import {
  BadArgument,
  type Blocking,
  type InitAck,
  isPromise,
  type Name,
  type Pid,
  type Process,
  type Runtime,
  type StartOutcome,
  settled,
  startProcess,
} from '../actors/index.js';
import type { ChildOverrides, ChildSpec } from '../supervisors/index.js';
import { type ConcreteSystem, systemMap } from './nact-internals.js';
import { processOf } from './nact-process.js';
import { concreteOf } from './pid-of.js';
import { SystemProcess } from './system-process.js';

export interface NactSystemOptions extends ChildOverrides {
  /** Registered for the process of the system. */
  readonly name?: Name;
}

/** What starts a system: existing code that calls nact's `start`, and spawns what is in it. */
export type SystemStart = () => ActorSystemRef | Promise<ActorSystemRef>;

/**
 * A nact system as a child of a supervisor.
 *
 * - Each of its actors is a process below the system's.
 * - An error that is escalated to the system ends the process with it, and the supervisor decides.
 * - Asked to end, its actors end first, the last one first; each handles what waits before the request. Those that have
 *   not ended when the `shutdown` time (5 s) is over are killed.
 * - nact's `stop(system)` is an orderly end (`normal`).
 */
export function nactSystem(id: string, start: SystemStart, options: NactSystemOptions = {}): ChildSpec {
  const { name, ...overrides } = options;
  const naming = name === undefined ? { label: id } : { label: id, name };
  return {
    id,
    start: (parent) =>
      startProcess<never>(parent.runtime, { ...naming, trapExit: true, parent, link: true }, (self, ack) => {
        new StartingSystem(self, parent, ack).run(start);
        return self.receiver!;
      }) as StartOutcome<Pid<never>>,
    ...overrides,
  };
}

/**
 * The process of a system that runs already and is supervised by nobody; made when it is first asked for. Its actors become
 * processes with it; what they are handling just then is not counted.
 */
export function joinSystem(runtime: Runtime, ref: ActorSystemRef): Pid {
  const system = systemOf(ref);
  const known = processOf(system);
  if (known !== undefined) return known.pid;
  const start = (self: Process<never>) => new SystemProcess(self, null, system, false);
  return runtime.spawn(start, { label: system.name, trapExit: true });
}

/** The start of a supervised system. */
class StartingSystem {
  #process: SystemProcess | null = null;

  constructor(
    private readonly self: Process<never>,
    private readonly parent: Process<never>,
    private readonly ack: InitAck,
  ) {}

  run(start: SystemStart): void {
    const { self } = this;
    const result = this.#observe(start);
    // Until it is known which system it is.
    self.receiver = this.#process ?? { receive() {} };
    if (isPromise(result))
      self.block(resolved(result as PromiseLike<ActorSystemRef>), (ref) => this.#started(ref));
    else this.#started(result);
  }

  /** The system that `start` makes is a process before there are actors in it, so that nothing escapes the counters. */
  #observe<T>(start: () => T): T {
    const { add } = systemMap;
    systemMap.add = (system) => {
      if (systemMap.find(system.name) !== undefined) {
        throw new BadArgument(`a nact system with the name ${system.name} runs already`);
      }
      add(system);
      this.#process ??= new SystemProcess(this.self, this.parent, system as ConcreteSystem, true);
    };
    try {
      return start();
    } finally {
      systemMap.add = add;
    }
  }

  #started(ref: ActorSystemRef): void {
    const system = systemOf(ref);
    const known = processOf(system);
    if (known === undefined) {
      this.#process = new SystemProcess(this.self, this.parent, system, true);
    } else if (known !== this.#process) {
      throw new BadArgument(`the nact system ${system.name} is the process ${known.pid} already`);
    }
    this.self.receiver = this.#process;
    this.ack.ok();
  }
}

function* resolved<T>(promise: PromiseLike<T>): Blocking<T> {
  return yield* settled(promise);
}

function systemOf(ref: ActorSystemRef): ConcreteSystem {
  const system = concreteOf(ref);
  if (system === undefined || !('handleFault' in system) || !('find' in system)) {
    throw new BadArgument(`not a nact system that runs: ${String(ref)}`);
  }
  return system as unknown as ConcreteSystem;
}
