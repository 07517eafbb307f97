import {
  Behaviour,
  type Blocking,
  DownMessage,
  type ExitHook,
  ExitReason,
  isOrderly,
  type Pid,
  type Process,
  receive,
} from '../actors/index.js';
import type { ActorProcess } from './actor-process.js';
import type { ConcreteParent } from './nact-internals.js';

/** The processes that stand for actors and systems of nact: by these, and by the process itself. */
const byConcrete = new WeakMap<object, NactProcess>();
const byPid = new WeakMap<Pid, NactProcess>();

/** That of a concrete actor or system. */
export function processOf(concrete: object): NactProcess | undefined {
  return byConcrete.get(concrete);
}

/** That which is this process. */
export function nactProcessOf(pid: Pid): NactProcess | undefined {
  return byPid.get(pid);
}

/**
 * What the processes of nact's actors and systems have in common: children, which are processes too, and how these end.
 * In an orderly end they are asked first, the last one first, and waited for; with one that fails they are killed.
 */
export abstract class NactProcess extends Behaviour implements ExitHook {
  readonly children = new Set<ActorProcess>();
  /** Children whose failure it has escalated, and about whom nobody has decided. */
  readonly escalated = new Set<ActorProcess>();
  /** Its terminate runs. */
  protected ending = false;

  constructor(
    self: Process<never>,
    parent: Pid | null,
    readonly concrete: ConcreteParent,
  ) {
    super(self, parent);
    byConcrete.set(concrete, this);
    byPid.set(self, this);
    self.onExit(this);
  }

  /** The process itself, as others may hold it. */
  get pid(): Pid<unknown> {
    return this.self as unknown as Pid<unknown>;
  }

  get process(): Process<unknown> {
    return this.self as unknown as Process<unknown>;
  }

  /** Actors below it. */
  get descendants(): number {
    let count = 0;
    for (const child of this.children) count += 1 + child.descendants;
    return count;
  }

  /** Asks all children to end, and waits until they have. There may be new ones meanwhile. */
  protected *stopChildren(): Blocking<void> {
    while (this.children.size > 0) {
      for (const child of [...this.children].reverse()) {
        const ref = this.self.monitor(child.pid);
        this.self.runtime.exit(child.pid, ExitReason.shutdown);
        yield* receive(
          (message): message is DownMessage => message instanceof DownMessage && message.ref === ref,
        );
        this.children.delete(child);
      }
    }
  }

  processExited(_process: Pid, reason: ExitReason): void {
    this.ended(reason);
    if (!isOrderly(reason)) this.abandonChildren();
  }

  /** Nobody is there for them any more: those that are not about to end are killed. */
  protected abandonChildren(): void {
    for (const child of this.children) child.abandon();
  }

  /** The process has ended: nothing of the concrete one may go on. */
  protected abstract ended(reason: ExitReason): void;
}
