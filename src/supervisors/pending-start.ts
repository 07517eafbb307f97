import {
  type ExitHook,
  type ExitReason,
  type Pid,
  type Process,
  type StartResult,
  Wait,
} from '../actors/index.js';
import { Token } from '../actors/wait.js';

/** It is known what came of a start. */
class Known extends Token {}

/**
 * The answer to somebody who asked for a child on this very stack, while its start waits for something: what he waits
 * for. If the supervisor ends first, its reason is that of the failure.
 */
export class PendingStart extends Wait<StartResult> implements ExitHook {
  readonly afterMs = Number.POSITIVE_INFINITY;
  readonly #supervisor: Process<never>;
  readonly #known = new Known();
  #outcome: StartResult | null = null;
  #waiting: Process<never> | null = null;

  constructor(supervisor: Process<never>) {
    super();
    this.#supervisor = supervisor;
    supervisor.onExit(this);
  }

  settle(outcome: StartResult): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    this.#supervisor.offExit(this);
    this.#waiting?.deliver(this.#known);
  }

  processExited(_supervisor: Pid, reason: ExitReason): void {
    this.settle({ error: reason });
  }

  override begin(self: Process<never>): void {
    this.#waiting = self;
    if (this.#outcome !== null) self.deliver(this.#known);
  }

  matches(message: unknown): boolean {
    return message === this.#known;
  }

  finish(): StartResult {
    return this.#outcome!;
  }

  expired(): StartResult {
    return this.#outcome!;
  }
}
