import {
  BadArgument,
  Behaviour,
  type Blocking,
  CallMessage,
  CastMessage,
  Exit,
  ExitMessage,
  ExitReason,
  type From,
  type InitAck,
  isBlocking,
  type Pid,
  type Process,
  type StartResult,
} from '../actors/index.js';
import { type InitFunction, initialize } from './initialize.js';
import { PendingStart } from './pending-start.js';
import { type SupervisorReply, type SupervisorRequest, TryAgain, UnknownRequest } from './requests.js';
import type { Supervision } from './supervision.js';

/** The process of a supervisor: takes its messages, one after the other, and hands them to its {@link Supervision}. */
export class SupervisorProcess extends Behaviour {
  #init: object | InitFunction<object>;
  readonly #supervise: (self: Process<never>, spec: object) => Supervision;
  /** Null until its children have been started. */
  #supervision: Supervision | null = null;

  /**
   * @param init the specification, or what makes it
   * @param kind what kind of supervisor it is
   * @param supervise made of the specification; throws an Exit if that is no good
   */
  constructor(
    self: Process<never>,
    parent: Pid | null,
    init: object | InitFunction<object>,
    private readonly kind: string,
    supervise: (self: Process<never>, spec: object) => Supervision,
  ) {
    super(self, parent);
    this.#init = init;
    this.#supervise = supervise;
  }

  override get behaviour(): string {
    return this.kind;
  }

  /** Runs its init and starts the children; everything else waits until that is done. */
  begin(ack: InitAck): void {
    this.self.block(this.#begin(ack));
  }

  *#begin(ack: InitAck): Blocking<void> {
    const spec = yield* initialize(this.self, this.#init);
    if (spec === null) {
      ack.ignore();
      throw new Exit(ExitReason.normal);
    }
    const supervision = this.#supervise(this.self, spec);
    const starting = supervision.start();
    const failed = starting === null ? null : yield* starting;
    if (failed !== null) throw new Exit(failed);
    this.#supervision = supervision;
    ack.ok();
  }

  /** Requests and ends of children come most often, and are looked for first. */
  override receive(message: unknown): void {
    if (message instanceof CallMessage) {
      if (this.debug !== null) this.debug.in(message);
      this.#call(message.request as SupervisorRequest, message.from as From<SupervisorReply>);
    } else if (message instanceof ExitMessage && message.from !== this.parent) {
      if (this.debug !== null) this.debug.in(message);
      this.#run(this.#supervision!.exited(message.from, message.reason));
    } else {
      super.receive(message);
    }
  }

  protected handle(message: unknown): void {
    const supervision = this.#supervision!;
    if (message instanceof TryAgain) {
      this.#run(supervision.tryAgain(message.child));
    } else if (message instanceof CastMessage) {
      throw new UnknownRequest(message.message);
    } else {
      supervision.other?.(message);
    }
  }

  *terminate(reason: ExitReason): Blocking<void> {
    if (this.#supervision === null) return;
    yield* this.#supervision.terminate();
    this.reportEnd(reason, undefined);
  }

  #run(work: Blocking<void> | undefined): void {
    if (work !== undefined) this.self.block(work);
  }

  #call(request: SupervisorRequest, from: From<SupervisorReply>): void {
    const answer = this.#supervision!.asked(request, from);
    if (answer === null) return;
    if (!isBlocking(answer)) {
      this.#reply(from, answer);
      return;
    }
    let pending: PendingStart | null = null;
    let answered = false;
    this.self.block(answer, (reply) => {
      answered = true;
      if (pending === null) this.#reply(from, reply);
      else pending.settle(reply as StartResult);
    });
    if (answered || !from.immediate || request.op !== 'start_child' || !this.self.alive) return;
    pending = new PendingStart(this.self);
    this.#reply(from, { pending });
  }

  #reply(from: From<SupervisorReply>, reply: SupervisorReply): void {
    from.reply(reply);
    if (this.debug !== null) this.debug.out(reply, from.caller);
  }

  // ---- sys -----------------------------------------------------------------------------------------------------

  protected getState(): unknown {
    return this.#supervision!.state();
  }

  protected replaceState(replace: (state: unknown) => unknown): unknown {
    const state = this.getState();
    if (replace(state) === state) return state;
    throw new BadArgument('the state of a supervisor is not replaced: change its specification (changeCode)');
  }

  /** The specification is made anew, by `callbacks` if there are any; no child is started or stopped. */
  protected *changeCode(callbacks: unknown): Blocking<void> {
    const init = (callbacks ?? this.#init) as object | InitFunction<object>;
    const spec = yield* initialize(this.self, init);
    if (spec !== null) this.#supervision!.update(spec);
    this.#init = init;
  }
}
