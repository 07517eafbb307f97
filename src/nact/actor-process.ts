import {
  type Blocking,
  CallMessage,
  CastMessage,
  Exit,
  ExitMessage,
  ExitReason,
  isPromise,
  type Process,
  StopMessage,
  SysMessage,
  settled,
} from '../actors/index.js';
import { type ActorMethods, hookActor } from './actor-hooks.js';
import { callerRef } from './caller-ref.js';
import { concernsChildrenOnly, follow } from './decisions.js';
import { Dispatched } from './dispatched.js';
import { FENCED_ENGINE } from './fenced-engine.js';
import { IdleTimer } from './idle-timer.js';
import { type ConcreteActor, type Decision, type Mail, Nobody, type Reference } from './nact-internals.js';
import { NactProcess, processOf } from './nact-process.js';
import { UntilIdle } from './until-idle.js';

/** What is said of an actor that is a child of one of our supervisors. */
export interface SupervisedActor {
  readonly supervisor: Process<never>;
  readonly label: string;
  readonly name?: string;
  /** Exit signals come as messages. */
  readonly trapExit: boolean;
}

const NOBODY = new Nobody();

/**
 * A nact actor as a process. The actor's mailbox is the process's: everything that is dispatched to the actor, or sent to
 * the process, waits there and is counted there. The actor's function runs in the process's slices; while it is async, or
 * the actor recovers, or its policy decides, the process is blocked and what comes waits. All else is nact's own doing.
 *
 *     dispatch(ref, …) ─┐
 *     send(pid, …)     ─┼─▶ mailbox of the process ─▶ receive ─▶ f(state, message, context)
 *     call(pid, …)     ─┘                                             │ throws
 *                                                        onCrash ◀────┘  stop: the process exits with the error
 *
 * How it ends: see docs/nact.md.
 */
export class ActorProcess extends NactProcess {
  /** Why it is about to end, if somebody has decided that. */
  endReason: ExitReason | null = null;
  /** Resolves when its afterStop was called; null before it has stopped. */
  afterStopCalled: Promise<void> | null = null;
  readonly #actor: ConcreteActor;
  readonly #methods: ActorMethods;
  /** That of its parent. */
  readonly above: NactProcess;
  readonly #trapExit: boolean;
  readonly supervised: boolean;
  /** Its function is at work, or has failed and nobody has decided yet. */
  #occupied = false;
  /** Its policy has decided about its children, when it was itself that had failed. */
  #goesOn = false;
  #inFlight: Promise<void> | null = null;
  #idle: UntilIdle | null = null;
  /** nact has stopped it, at once and with what waits: nobody waits for its children. */
  #abrupt = false;
  #lastMessage: unknown = undefined;
  readonly #timer: IdleTimer;

  private constructor(
    self: Process<never>,
    above: NactProcess,
    actor: ConcreteActor,
    supervised: SupervisedActor | null,
  ) {
    super(self, supervised === null ? above.pid : supervised.supervisor, actor);
    this.#actor = actor;
    this.above = above;
    this.#timer = new IdleTimer(self, () => actor.stop());
    this.supervised = supervised !== null;
    this.#trapExit = supervised?.trapExit ?? false;
    above.children.add(this);
    for (const { message, sender } of actor.mailbox.toArray()) self.deliver(new Dispatched(message, sender));
    this.#methods = hookActor(actor, this);
    for (const child of actor.children.values()) ActorProcess.adopt(this, child, null);
  }

  /** Makes a process of an actor, which may just be made, or at work already. `above`: that of its parent. */
  static adopt(above: NactProcess, actor: ConcreteActor, supervised: SupervisedActor | null): ActorProcess {
    let made: ActorProcess | null = null;
    const start = (self: Process<never>) => {
      made = new ActorProcess(self, above, actor, supervised);
      return made;
    };
    if (supervised === null) {
      above.process.spawn(start, { label: actor.name, trapExit: true });
    } else {
      const { supervisor, label, name } = supervised;
      const naming = name === undefined ? { label } : { label, name };
      supervisor.spawnLink(start, { ...naming, trapExit: true });
    }
    return made!;
  }

  override get behaviour(): string {
    return 'NactActor';
  }

  override receive(message: unknown): void {
    if (this.#actor.busy && !this.ending) {
      // It recovers, or was taken over at work.
      const { self } = this;
      self.handledCount = (self.handledCount - 1) | 0;
      self.putFirst(message);
      this.#blockWhileBusy();
    } else {
      super.receive(message);
    }
  }

  protected override handle(message: unknown): void {
    if (message instanceof Dispatched) {
      this.#work(message.message, message.sender);
    } else if (message instanceof CallMessage) {
      const { request, from } = message;
      const sender = callerRef(from);
      this.#work(typeof request === 'function' ? request(sender) : request, sender);
    } else if (message instanceof CastMessage) {
      this.#work(message.message, NOBODY);
    } else if (message instanceof ExitMessage && (!this.#trapExit || message.from === this.above.pid)) {
      // As if it did not trap, but in its turn, and with its afterStop.
      if (message.reason.type !== 'normal') throw new Exit(message.reason);
    } else {
      this.#work(message, NOBODY);
    }
  }

  protected override getState(): unknown {
    return this.#actor.state;
  }

  protected override replaceState(replace: (state: unknown) => unknown): unknown {
    this.#actor.state = replace(this.#actor.state);
    return this.#actor.state;
  }

  /** `callbacks` is the new function of the actor. */
  protected override changeCode(callbacks: unknown): void {
    if (callbacks === null) return;
    if (typeof callbacks !== 'function') {
      throw new TypeError(`the code of a nact actor is a function, not ${String(callbacks)}`);
    }
    (this.#actor as { f: unknown }).f = callbacks;
  }

  override *terminate(reason: ExitReason): Blocking<void> {
    this.ending = true;
    this.#idle = null;
    if (!this.#abrupt) yield* this.stopChildren();
    yield* settled(this.#stopActor());
    if (this.#inFlight !== null) yield* settled(this.#inFlight);
    this.reportEnd(reason, this.#lastMessage);
  }

  protected override ended(reason: ExitReason): void {
    this.#timer.stop();
    this.above.children.delete(this);
    this.above.escalated.delete(this);
    const actor = this.#actor;
    // What is still under way after this has no effect on what is kept of it.
    if (actor.persistenceEngine !== undefined) actor.persistenceEngine = FENCED_ENGINE;
    if (actor.stopped) return;
    this.endReason = reason;
    actor.afterStop = () => undefined;
    this.#methods.stop();
  }

  // ---- the actor's side: called by its hooks ---------------------------------------------------------------------

  /** Its parent has failed. */
  abandon(): void {
    if (this.afterStopCalled !== null && this.#inFlight === null) this.abandonChildren();
    else this.self.runtime.exit(this.pid, ExitReason.kill);
  }

  /** Somebody has dispatched to it. */
  dispatched(message: unknown, sender: Reference = NOBODY): void {
    this.#timer.stop();
    this.self.runtime.send(this.pid, new Dispatched(message, sender));
  }

  /** What waits, as nact shows it to policies and in afterStop. */
  mail(): Mail[] {
    return this.self.waiting().flatMap((message) => {
      if (message instanceof Dispatched) return [{ message: message.message, sender: message.sender }];
      if (message instanceof CallMessage)
        return [{ message: message.request, sender: callerRef(message.from) }];
      if (message instanceof CastMessage) return [{ message: message.message, sender: NOBODY }];
      return isForProcess(message) ? [] : [{ message, sender: NOBODY }];
    });
  }

  /** It has a new child. */
  spawned(child: ConcreteActor): void {
    ActorProcess.adopt(this, child, null);
  }

  /** nact wants it to go on with the next message. */
  next(): void {
    // A parent that decides about the failure of a child resumes itself, whatever it is doing.
    if (this.#occupied) return;
    this.#methods.processNext();
    this.endReason = null;
    this.above.escalated.delete(this);
    const idle = this.#idle;
    if (idle === null || this.#actor.busy) return;
    this.#idle = null;
    idle.wake(this.self);
  }

  /** nact wants it to stop, at once. */
  stopNow(): void {
    if (this.ending || !this.self.alive) return;
    this.#abrupt = true;
    this.self.finish(this.endReason ?? ExitReason.normal);
  }

  /** The same, for an error. */
  stopFor(error: unknown): void {
    this.endReason = ExitReason.ofThrown(error);
    this.stopNow();
  }

  reset(): void {
    for (const child of this.children) child.endReason ??= ExitReason.shutdown;
    this.#methods.reset();
  }

  /** Its function failed (no child), or a child's failure was escalated to it. */
  failed(
    message: unknown,
    sender: unknown,
    error: unknown,
    child?: { readonly name: string },
  ): Promise<void> {
    const { runtime } = this.self;
    if (this.ending || !this.self.alive) {
      // It decides nothing any more: a child that counts on it ends.
      if (child === undefined) runtime.emit({ type: 'hook_failed', error });
      else this.#childNamed(child.name)?.stopFor(error);
      return Promise.resolve();
    }
    return Promise.resolve(this.#methods.handleFault(message, sender, error, child)).then(
      () => {
        if (this.#goesOn && child === undefined) this.#actor.processNext();
      },
      (thrown: unknown) => {
        // The child has been stopped while the policy thought.
        if (child !== undefined && !this.#actor.children.has(child.name)) return;
        // The policy failed, or decided what cannot be: nact would leave it to nobody.
        this.#occupied = false;
        this.stopFor(thrown);
      },
    );
  }

  /** A policy has decided; nact does it next. */
  decided(decision: Decision, error: unknown, childName: string | undefined): void {
    if (childName === undefined) this.#occupied = false;
    follow(decision, error, this, childName === undefined ? undefined : this.#childNamed(childName));
    this.#goesOn = childName === undefined && concernsChildrenOnly(decision);
  }

  /** Somebody above has decided that it goes on, and with it those whose failure it had escalated. */
  resumeEscalated(): void {
    const escalated = [...this.escalated];
    this.escalated.clear();
    this.next();
    for (const child of escalated) child.resumeEscalated();
  }

  /** Idle from now on: it stops when that lasts. */
  startTimer(): void {
    const { shutdownPeriod } = this.#actor;
    if (shutdownPeriod !== undefined && !this.ending) this.#timer.start(shutdownPeriod);
  }

  stopTimer(): void {
    this.#timer.stop();
  }

  // ----------------------------------------------------------------------------------------------------------------

  #work(message: unknown, sender: Reference): void {
    const actor = this.#actor;
    this.#lastMessage = message;
    this.#occupied = true;
    actor.busy = true;
    this.#timer.stop();
    let result: unknown;
    try {
      const context = actor.createContext(sender);
      result = actor.f.call(context, actor.state, message, context);
    } catch (thrown) {
      if (thrown instanceof Exit) throw thrown;
      void this.failed(message, sender, thrown);
      this.#blockWhileBusy();
      return;
    }
    if (isPromise(result)) {
      this.#inFlight = Promise.resolve(result).then(
        (state) => this.#done(message, sender, state),
        (thrown: unknown) => {
          this.#inFlight = null;
          void this.failed(message, sender, thrown);
        },
      );
    } else {
      this.#done(message, sender, result);
    }
    this.#blockWhileBusy();
  }

  #done(message: unknown, sender: Reference, state: unknown): void {
    const actor = this.#actor;
    this.#inFlight = null;
    if (!this.self.alive) return;
    actor.state = state;
    try {
      actor.afterMessage();
    } catch (thrown) {
      void this.failed(message, sender, thrown);
      return;
    }
    this.#occupied = false;
    actor.processNext();
  }

  #blockWhileBusy(): void {
    if (!this.#actor.busy || this.ending || !this.self.alive) return;
    this.#idle = new UntilIdle();
    this.self.block(this.#idle[Symbol.iterator]());
  }

  /** Stops the actor, and its children with it. Resolves when its afterStop is done. */
  #stopActor(): Promise<void> {
    const actor = this.#actor;
    const { afterStop } = actor;
    const children = [...this.children];
    let called!: () => void;
    this.afterStopCalled = new Promise((resolve) => {
      called = resolve;
    });
    const done = new Promise<void>((resolve, reject) => {
      actor.afterStop = async (state, context) => {
        called();
        // nact would let what it throws end the program.
        try {
          await afterStop.call(actor, state, context);
          resolve();
        } catch (thrown) {
          reject(thrown);
        }
      };
    });
    this.#methods.stop();
    for (const child of children) {
      child.endReason ??= ExitReason.shutdown;
      child.stopNow();
    }
    return done;
  }

  #childNamed(name: string): ActorProcess | undefined {
    const child = this.#actor.children.get(name);
    return child === undefined ? undefined : (processOf(child) as ActorProcess | undefined);
  }
}

/** Not for the actor's function. */
function isForProcess(message: unknown): boolean {
  return message instanceof ExitMessage || message instanceof StopMessage || message instanceof SysMessage;
}
