import {
  BadArgument,
  type Blocking,
  Exit,
  ExitMessage,
  ExitReason,
  type Pid,
  type Process,
  settled,
} from '../actors/index.js';
import { ActorProcess, type SupervisedActor } from './actor-process.js';
import { type ConcreteActor, type ConcreteSystem, systemMap } from './nact-internals.js';
import { NactProcess, processOf } from './nact-process.js';

/**
 * A nact system as a process: the parent of its actors' processes. Supervised, it exits with the error that was escalated
 * to the system; else the actor is stopped that escalated it, as nact does.
 */
export class SystemProcess extends NactProcess {
  readonly #system: ConcreteSystem;
  readonly #supervised: boolean;
  readonly #stop: () => void;
  /** Asked to, by whoever supervises it; by nact's stop; by an error that was escalated to it. */
  #ends: 'in order' | 'stopped' | 'failed' = 'in order';
  /** What the next actor under a parent will be told about its supervisor. */
  #next: SupervisedActor | null = null;

  constructor(self: Process<never>, parent: Pid | null, system: ConcreteSystem, supervised: boolean) {
    super(self, parent, system);
    this.#system = system;
    this.#supervised = supervised;
    this.#stop = system.stop.bind(system);
    const childSpawned = system.childSpawned.bind(system);
    system.childSpawned = (child) => {
      this.#spawned(child);
      childSpawned(child);
    };
    system.handleFault = (_message, _sender, error, child) => this.#failed(error, child);
    system.stop = () => this.#stopNow();
    for (const child of system.children.values()) this.#spawned(child);
  }

  override get behaviour(): string {
    return 'NactSystem';
  }

  /** Runs `start`, in which the next actor right under the system is a supervisor's child. */
  supervising<T>(actor: SupervisedActor, start: () => T): T {
    this.#next = actor;
    try {
      return start();
    } finally {
      this.#next = null;
    }
  }

  protected override handle(message: unknown): void {
    if (message instanceof ExitMessage && message.reason.type !== 'normal') throw new Exit(message.reason);
  }

  /** Its actors by name, and how many there are below them. */
  protected override getState(): unknown {
    const actors: Record<string, number> = {};
    for (const child of this.children) actors[child.concrete.name] = child.descendants;
    return actors;
  }

  protected override replaceState(): never {
    throw new BadArgument('a nact system has no state that could be replaced');
  }

  protected override changeCode(): never {
    throw new BadArgument('a nact system has no code that could be changed');
  }

  override *terminate(): Blocking<void> {
    this.ending = true;
    if (this.#ends === 'in order') yield* this.stopChildren();
    else for (const child of [...this.children]) child.stopNow();
    if (this.#ends === 'stopped') yield* this.stopChildren();
    // What they are doing may take for ever: whoever waits for this one's end must not.
    else yield* settled(Promise.all([...this.children].map((child) => child.afterStopCalled)));
    this.#stop();
  }

  protected override ended(): void {
    if (!this.#system.stopped) this.#stop();
  }

  #spawned(child: ConcreteActor): void {
    const supervised = this.#next;
    this.#next = null;
    ActorProcess.adopt(this, child, supervised);
  }

  #stopNow(): void {
    if (this.ending || !this.self.alive) return;
    this.#ends = 'stopped';
    // From now on nobody finds its actors.
    systemMap.remove(this.#system.name);
    this.self.finish(ExitReason.normal);
  }

  #failed(error: unknown, child: { readonly name: string } | undefined): void {
    const actor = child === undefined ? undefined : this.#system.children.get(child.name);
    const process = actor === undefined ? undefined : (processOf(actor) as ActorProcess | undefined);
    if (process === undefined) return;
    if (this.#supervised && !process.supervised && !this.ending) {
      this.#ends = 'failed';
      this.self.finish(ExitReason.ofThrown(error));
    } else {
      process.stopFor(error);
    }
  }
}
