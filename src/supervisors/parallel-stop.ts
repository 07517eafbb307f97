import {
  type Blocking,
  DownMessage,
  ExitReason,
  type Pid,
  type Process,
  type Ref,
  receive,
  TimeoutMessage,
  type Timer,
} from '../actors/index.js';
import type { CheckedSpec } from './child-spec.js';
import { stopNow } from './stop-child.js';

/** A child that was asked to end. */
interface Stopping {
  readonly spec: CheckedSpec;
  readonly ref: Ref;
  readonly timer: Timer | null;
  /** Who waits for it. */
  readonly done: (() => void) | null;
}

/** The time of one child, or of all with the same time, is over. */
class Overdue {
  constructor(readonly what: Pid | number) {}
}

/** Children that end at the same time, in no order: each is asked, and killed when its time is over. */
export class ParallelStop {
  readonly #self: Process<never>;
  readonly #ended: (pid: Pid, spec: CheckedSpec, reason: ExitReason) => void;
  readonly #stopping = new Map<Pid, Stopping>();

  /** @param ended is told of each child when it has ended */
  constructor(self: Process<never>, ended: (pid: Pid, spec: CheckedSpec, reason: ExitReason) => void) {
    this.#self = self;
    this.#ended = ended;
  }

  has(pid: Pid): boolean {
    return this.#stopping.has(pid);
  }

  /** Stops one child; then `done` is called, perhaps before this returns. The messages go to {@link handle}. */
  stop(pid: Pid, spec: CheckedSpec, done: () => void): void {
    if (this.#stopsNow(pid, spec)) {
      done();
      return;
    }
    const { shutdown } = spec;
    const timer = typeof shutdown === 'number' ? this.#self.startTimer(shutdown, new Overdue(pid)) : null;
    this.#ask(pid, spec, timer, done);
  }

  /**
   * Stops all of these, and waits for them and for all that were being stopped; one timer for all with the same time.
   * It is the last that the supervisor does: other messages are dropped meanwhile.
   */
  *stopAll(children: Iterable<readonly [Pid, CheckedSpec]>): Blocking<void> {
    const times = new Set<number>();
    for (const [pid, spec] of children) {
      if (this.#stopping.has(pid) || this.#stopsNow(pid, spec)) continue;
      this.#ask(pid, spec, null, null);
      if (typeof spec.shutdown === 'number') times.add(spec.shutdown);
    }
    for (const time of times) this.#self.startTimer(time, new Overdue(time));
    while (this.#stopping.size > 0) this.handle(yield* receive());
  }

  /** Returns whether the message was for it. */
  handle(message: unknown): boolean {
    if (message instanceof DownMessage) return this.#down(message);
    if (!(message instanceof TimeoutMessage) || !(message.message instanceof Overdue)) return false;
    const { what } = message.message;
    const { runtime } = this.#self;
    if (typeof what !== 'number') {
      if (this.#stopping.has(what)) runtime.exit(what, ExitReason.kill);
      return true;
    }
    for (const [pid, { spec }] of this.#stopping)
      if (spec.shutdown === what) runtime.exit(pid, ExitReason.kill);
    return true;
  }

  #stopsNow(pid: Pid, spec: CheckedSpec): boolean {
    const reason = stopNow(this.#self, pid, spec);
    if (reason !== null) this.#ended(pid, spec, reason);
    return reason !== null;
  }

  #ask(pid: Pid, spec: CheckedSpec, timer: Timer | null, done: (() => void) | null): void {
    this.#stopping.set(pid, { spec, ref: this.#self.monitor(pid), timer, done });
    this.#self.runtime.exit(pid, spec.shutdown === 'brutal_kill' ? ExitReason.kill : ExitReason.shutdown);
  }

  #down({ ref, from, reason }: DownMessage): boolean {
    const pid = from as Pid;
    const stopping = this.#stopping.get(pid);
    if (stopping === undefined || stopping.ref !== ref) return false;
    this.#stopping.delete(pid);
    if (stopping.timer !== null) this.#self.cancelTimer(stopping.timer);
    this.#self.unlink(pid);
    this.#ended(pid, stopping.spec, reason);
    stopping.done?.();
    return true;
  }
}
