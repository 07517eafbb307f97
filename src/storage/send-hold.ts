/** Time by the commands' own clock after which a hold is over: what was in a ring then is long through. */
const HOLD_MS = 5_000;
/** Requesters with a hold; the oldest goes first. */
const HOLDS_MAX = 65_536;

interface Hold {
  /** The lowest message id that came to nothing. */
  lowest: number;
  /** Wall-clock ms of the batch that it was in. */
  time: number;
}

/**
 * What stands in the ring behind a batch that came to nothing must not overtake it: a session hears of the failure
 * only later, and what it had sent meanwhile would be stored before the message that is tried again. So a
 * requester's higher ids are refused until the lowest one of them comes again.
 *
 * This is about commands under way, not about what is stored: it is forgotten with the process, like the rings.
 */
export class SendHold {
  readonly #holds = new Map<number, Hold>();

  /** An append came to nothing. `time`: of the last append of its batch. */
  failed(requester: number, messageId: number, time: number): void {
    const hold = this.#holds.get(requester);
    if (hold !== undefined) {
      hold.lowest = Math.min(hold.lowest, messageId);
      hold.time = time;
      return;
    }
    if (this.#holds.size >= HOLDS_MAX) {
      const [oldest] = this.#holds.keys();
      if (oldest !== undefined) this.#holds.delete(oldest);
    }
    this.#holds.set(requester, { lowest: messageId, time });
  }

  /** Whether this append would overtake one that came to nothing. The one that was waited for ends the hold. */
  holds(requester: number, messageId: number, time: number): boolean {
    if (this.#holds.size === 0) return false;
    const hold = this.#holds.get(requester);
    if (hold === undefined) return false;
    if (messageId > hold.lowest && Math.abs(time - hold.time) < HOLD_MS) return true;
    this.#holds.delete(requester);
    return false;
  }
}
