import {
  DownMessage,
  ExitReason,
  type Pid,
  type Process,
  type Ref,
  TimeoutMessage,
  type Timer,
} from '../actors/index.js';
import type { CheckedSpec } from './child-spec.js';

/** A child that runs, to be stopped. */
export interface Stoppable {
  readonly pid: Pid;
  readonly spec: CheckedSpec;
}

/**
 * Stops children one after another, as a supervisor has to: monitor, ask with `shutdown` (or kill), wait, kill when
 * the time is over, wait again; then unlink. The monitor makes sure that a child that unlinked itself cannot hang the
 * supervisor. While {@link active}, the supervisor hands every message to {@link handle} first and keeps those that
 * are not taken for later.
 *
 * The EXIT messages of children stopped so stay in the supervisor's mailbox: it does not know their pids any more
 * when it comes to them, and drops them.
 */
export class ShutdownSequence {
  #queue: readonly Stoppable[] = [];
  #at = 0;
  #ref: Ref | null = null;
  #timer: Timer | null = null;
  #done: (() => void) | null = null;

  constructor(
    private readonly self: Process<never>,
    private readonly stopped: (child: Stoppable, reason: ExitReason) => void,
  ) {}

  /** Whether it waits for a child. */
  get active(): boolean {
    return this.#done !== null;
  }

  /** Stops `children` in this order, then calls `done`: before it returns if nobody had to be waited for. */
  stop(children: readonly Stoppable[], done: () => void): void {
    this.#queue = children;
    this.#at = 0;
    this.#done = done;
    this.#proceed();
  }

  /** Returns whether the message was for it. */
  handle(message: unknown): boolean {
    if (message instanceof DownMessage && message.ref === this.#ref) {
      this.#finish(message.reason);
      this.#proceed();
      return true;
    }
    if (message instanceof TimeoutMessage && message.ref === this.#timer) {
      this.#timer = null;
      // Its DOWN follows.
      this.self.runtime.exit(this.#queue[this.#at]!.pid, ExitReason.kill);
      return true;
    }
    return false;
  }

  #proceed(): void {
    while (this.#at < this.#queue.length) {
      if (!this.#begin(this.#queue[this.#at]!)) return;
    }
    const done = this.#done!;
    this.#queue = [];
    this.#done = null;
    done();
  }

  /** False: we have to wait for it. */
  #begin(child: Stoppable): boolean {
    const { runtime } = this.self;
    const { shutdown } = child.spec;
    this.#ref = this.self.monitor(child.pid);
    runtime.exit(child.pid, shutdown === 'brutal_kill' ? ExitReason.kill : ExitReason.shutdown);
    const local = child.pid.scheduler === runtime.scheduler;
    const reason = local ? runtime.exitReasonOf(child.pid) : null;
    if (reason !== null) {
      // Nobody who does not trap exits has to be waited for: it is dead already.
      this.self.demonitor(this.#ref, true);
      this.#finish(reason);
      return true;
    }
    if (typeof shutdown === 'number') this.#timer = this.self.startTimer(shutdown, null);
    return false;
  }

  #finish(reason: ExitReason): void {
    const child = this.#queue[this.#at++]!;
    if (this.#timer !== null) this.self.cancelTimer(this.#timer);
    this.#timer = null;
    this.#ref = null;
    this.self.unlink(child.pid);
    this.stopped(child, reason);
  }
}

/** Whether a child that was asked to end ended as asked; if not it is reported. */
export function endedAsAsked(spec: CheckedSpec, reason: ExitReason): boolean {
  if (spec.shutdown === 'brutal_kill' && reason.type === 'killed') return true;
  if (reason.type === 'shutdown' && (reason.detail === undefined || spec.restart !== 'permanent'))
    return true;
  return reason.type === 'normal' && spec.restart !== 'permanent';
}
