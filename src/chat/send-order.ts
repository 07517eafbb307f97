import { ErrorCode } from '../protocol/index.js';
import { MESSAGE_ID_WINDOW } from '../storage/stores.js';
import type { Clock } from '../structures/clock.js';

/** How long beyond its wait a refused message is expected to come again, before it counts as given up. */
const GRACE_MS = 5000;

interface Refused {
  readonly id: number;
  /** Why it was: what those behind it are refused with. */
  code: ErrorCode;
  /** Clock ms from which it may come again. */
  dueMs: number;
}

/**
 * Keeps the order of a sender's messages over refusals. A message that was refused for now (rate, overload, store)
 * comes again later; those behind it must not overtake it, so they are refused too, until it has come or its time is
 * over. Each of those has to come again in its turn as well, before anything that is newer: what was on the wire already
 * when the first one came again was sent by a client that had not heard of them.
 *
 * Pure state. No more than a window of ids: who sends beyond it does not mean to send the lowest again.
 */
export class SendOrder {
  /** In the order of ids: those that were refused for now and have not come again. */
  readonly #refused: Refused[] = [];
  /** Clock ms before which none of them counts as given up: they had one before them to wait for. */
  #patientUntilMs = 0;
  /** How many refusals of the store it has heard of, modulo 2^16: see {@link StorePort.append}. */
  heard = 0;

  /** The lowest message that is waited for; 0: none. */
  get id(): number {
    return this.#refused[0]?.id ?? 0;
  }

  /** What those behind it are refused with. */
  get code(): ErrorCode {
    return this.#refused[0]?.code ?? ErrorCode.overloaded;
  }

  /** `id` was refused at `nowMs`, and may come again `waitMs` later. */
  refuse(id: number, code: ErrorCode, nowMs: number, waitMs: number): void {
    this.#giveUp(nowMs);
    const refused = this.#refused;
    const dueMs = nowMs + waitMs;
    const behind = refused.findLastIndex((one) => one.id <= id);
    const known = refused[behind];
    if (known?.id === id) {
      known.code = code;
      known.dueMs = dueMs;
      return;
    }
    refused.splice(behind + 1, 0, { id, code, dueMs });
    while (id - refused[0]!.id >= MESSAGE_ID_WINDOW) refused.shift();
  }

  /**
   * How long message `id` has to wait for one before it; 0: it does not, and is waited for no more. One that has to is
   * refused with it.
   */
  heldMs(id: number, clock: Clock): number {
    if (this.#refused.length === 0) return 0;
    const nowMs = clock.now();
    this.#giveUp(nowMs);
    const lowest = this.#refused[0];
    if (lowest === undefined) return 0;
    if (id <= lowest.id) {
      if (id === lowest.id) this.#came(nowMs);
      return 0;
    }
    const waitMs = Math.max(1, Math.ceil(lowest.dueMs - nowMs));
    this.refuse(id, lowest.code, nowMs, waitMs);
    return waitMs;
  }

  /** `id` has an answer for good, perhaps that of an earlier copy: nobody waits for it any more. */
  settled(id: number, clock: Clock): void {
    const at = this.#refused.findIndex((one) => one.id === id);
    if (at === 0) this.#came(clock.now());
    else if (at > 0) this.#refused.splice(at, 1);
  }

  #came(nowMs: number): void {
    this.#refused.shift();
    this.#patientUntilMs = nowMs + GRACE_MS;
  }

  /** Forgets those at the front whose time is over. */
  #giveUp(nowMs: number): void {
    if (nowMs < this.#patientUntilMs) return;
    const refused = this.#refused;
    while (refused.length > 0 && nowMs >= refused[0]!.dueMs + GRACE_MS) refused.shift();
  }
}
