import type { Request } from './request.js';
import type { Runtime } from './runtime.js';
import { ProcessTimer } from './timers.js';

/** The time of a call is over. */
class RequestTimer extends ProcessTimer {
  constructor(private readonly request: Request<unknown>) {
    super(request.owner, null, false);
  }

  override expired(): void {
    this.detach();
    this.request.timedOut();
  }
}

/** Calls of one turn that are kept before those that are decided are thrown out. */
const KEPT = 1024;

/**
 * The times of calls. Most calls of a turn are answered in it: a timer for each would cost as much as the call itself. So
 * a call gets its timer at the end of the turn in which it was made, if it is still open: its time is over late by what
 * was left of that turn, and never early.
 */
export class CallTimes {
  readonly #runtime: Runtime;
  #fresh: Request<unknown>[] = [];
  #limit = KEPT;
  #wanted = false;
  readonly #turnEnded = () => {
    this.#wanted = false;
    const fresh = this.#fresh;
    this.#fresh = [];
    this.#limit = KEPT;
    for (const request of fresh) this.#start(request);
  };

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The call's time begins. */
  add(request: Request<unknown>, timeoutMs: number): void {
    request.timeoutMs = timeoutMs;
    if (timeoutMs === 0) {
      this.#start(request);
      return;
    }
    this.#fresh.push(request);
    if (this.#fresh.length >= this.#limit) this.#compact();
    if (this.#wanted) return;
    this.#wanted = true;
    this.#runtime.afterTurn(this.#turnEnded);
  }

  #start(request: Request<unknown>): void {
    if (!request.isMonitor || !request.owner.alive) return;
    const timer = new RequestTimer(request);
    request.timer = timer;
    this.#runtime.timers.start(timer, request.timeoutMs);
  }

  #compact(): void {
    this.#fresh = this.#fresh.filter((request) => request.isMonitor);
    this.#limit = Math.max(KEPT, this.#fresh.length * 2);
  }
}
