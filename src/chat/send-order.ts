import { ErrorCode } from '../protocol/index.js';
import type { Clock } from '../structures/clock.js';

/** How long beyond its wait a refused message is expected to come again, before it counts as given up. */
const GRACE_MS = 5000;

/**
 * Keeps the order of a sender's messages over refusals. A message that was refused for now (rate, overload, store)
 * comes again later; those that were already on the wire behind it must not overtake it, so they are refused too,
 * until it has come or its time is over. Pure state: one number while nothing is refused.
 */
export class SendOrder {
  /** The lowest message that was refused for now; 0: none. */
  id = 0;
  /** Why it was: what those behind it are refused with. */
  code: ErrorCode = ErrorCode.rateLimited;
  #untilMs = 0;
  #retryAtMs = 0;

  /** `id` was refused at `nowMs`, and may come again `waitMs` later. */
  refuse(id: number, code: ErrorCode, nowMs: number, waitMs: number): void {
    if (this.id !== 0 && id > this.id) return;
    this.id = id;
    this.code = code;
    this.#retryAtMs = nowMs + waitMs;
    this.#untilMs = this.#retryAtMs + GRACE_MS;
  }

  /** How long message `id` has to wait for one before it; 0: it does not, and if it is the refused one, nobody does. */
  heldMs(id: number, clock: Clock): number {
    if (this.id === 0) return 0;
    const nowMs = clock.now();
    if (id <= this.id || nowMs >= this.#untilMs) {
      this.id = 0;
      return 0;
    }
    return Math.max(1, Math.ceil(this.#retryAtMs - nowMs));
  }
}
