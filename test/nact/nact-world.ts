import { type ActorSystemRef, dispatch, type Ref, spawn, start } from 'nact';
import type { ExitReason, Pid, Process } from '../../src/actors/index.js';
import { joinSystem, pidOf } from '../../src/nact/index.js';
import { type ChildSpec, Supervisor, type SupervisorSpec } from '../../src/supervisors/index.js';
import { reasonOf, World } from '../actors/world.js';

/** What nact really hands to an actor's function. */
export interface Context {
  readonly self: Ref<unknown>;
  readonly parent: Ref<never>;
  readonly sender: Ref<unknown>;
  readonly name: string;
  readonly children: ReadonlyMap<string, Ref<unknown>>;
  readonly recovering?: boolean;
  persist(message: unknown, tags?: string[]): Promise<void>;
}
export type ActorFunction = (state: never, message: never, context: Context) => unknown;

/** nact's functions with the types that they have in JavaScript. */
export const spawnActor = spawn as unknown as (
  parent: Ref<never>,
  f: ActorFunction,
  name?: string,
  properties?: object,
) => Ref<unknown>;
export const tell = dispatch as unknown as (
  ref: Ref<unknown>,
  message: unknown,
  sender?: Ref<unknown>,
) => void;

/** nact takes a name in an object, whatever its types say; a string is passed over. */
export const startSystem = (name: string): ActorSystemRef => start({ name } as never);

let systems = 0;

/** A name for a nact system that no other has. */
export const systemName = (): string => `test-${++systems}`;

/** A world with nact in it: nact has timers and immediates of its own, so whoever waits for it waits with `until`. */
export class NactWorld extends World {
  /** Lets everybody run until `holds`. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (let tries = 0; ; tries++) {
      this.runtime.flush();
      if (holds()) return;
      if (tries > 5000) throw new Error(`waited in vain until ${what}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Waits for the end of a process; why it ended, in short. */
  async endOf(pid: Pid): Promise<unknown> {
    await this.until(`${String(pid)} ends`, () => !this.runtime.isAlive(pid));
    return reasonOf(this.runtime.exitReasonOf(pid));
  }

  /** Has nact do what it has put off, so that what does not come by then does not come. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 5; round++) {
      this.runtime.flush();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.runtime.flush();
  }

  /** A nact system that nobody supervises. */
  system(): ActorSystemRef {
    const system = startSystem(systemName());
    joinSystem(this.runtime, system);
    return system;
  }

  process(ref: Ref<unknown>): Process<unknown> {
    const pid = pidOf(ref);
    if (pid === undefined) throw new Error('it has stopped');
    return pid as Process<unknown>;
  }

  /** A supervisor that gives up late, and its pid. */
  supervise(...children: ChildSpec[]): Pid {
    const spec: SupervisorSpec = { children, intensity: 3, periodMs: 1000 };
    const started = Supervisor.start(this.runtime, spec);
    if (started.ok === undefined) throw new Error(`not started: ${JSON.stringify(started)}`);
    return started.ok;
  }

  /** The ends of children that were told to the events, as `[id, reason]`. */
  terminated(): [string, unknown][] {
    return this.eventsOf('child_terminated').map(({ id, reason }) => [id, reasonOf(reason)]);
  }

  /** A promise, and what resolves it. */
  gate<T = void>(): { readonly open: (value: T) => void; readonly opened: Promise<T> } {
    let open!: (value: T) => void;
    const opened = new Promise<T>((resolve) => {
      open = resolve;
    });
    return { open, opened };
  }
}

export const reason = (reason: ExitReason | null): unknown => reasonOf(reason);
