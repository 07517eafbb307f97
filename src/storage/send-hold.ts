import { HEARD_MODULUS } from './stores.js';

/**
 * Time by the commands' own clock after which a hold is over even if its requester has not heard of everything: its
 * numbers are given to others one day. A commit that hangs for so long is the end of a server.
 */
const HOLD_MS = 60_000;
/** Requesters with a hold; whose last refusal is the longest ago goes first. */
const HOLDS_MAX = 65_536;

interface Hold {
  /** The lowest message id that came to nothing. */
  lowest: number;
  /** The requester's count of refusals when it will have heard of all that it was told. */
  told: number;
  /** Wall-clock ms of the batch that came to nothing. */
  time: number;
}

/**
 * What stands in the ring behind a batch that came to nothing must not overtake it: a session hears of the failure
 * only later, and what it had sent meanwhile would be stored before the message that is tried again. So a
 * requester's higher ids are refused until it has heard of all its refusals; from then on it keeps its order itself.
 * Each append says how many it has heard of (`heard`), each refusal is one more, and the difference is what is on the way.
 *
 * This is about commands under way, not about what is stored: it is forgotten with the process. (A writer that ends
 * between a batch that came to nothing and what stood behind it in the ring is the one case in which that is stored
 * first.) A requester that is forgotten for 65,536 others has none of its commands left in a ring of 4 MiB.
 */
export class SendHold {
  readonly #holds = new Map<number, Hold>();

  /** An append came to nothing, and its requester is told. `time`: of the last append of its batch. */
  failed(requester: number, messageId: number, heard: number, time: number): void {
    const before = this.#holds.get(requester);
    const told = before === undefined || isBehind(before.told, heard) ? heard : before.told;
    const lowest = told === heard || before === undefined ? messageId : Math.min(before.lowest, messageId);
    // Put in anew, so that it is the latest.
    if (before !== undefined) this.#holds.delete(requester);
    if (this.#holds.size >= HOLDS_MAX) {
      const [oldest] = this.#holds.keys();
      if (oldest !== undefined) this.#holds.delete(oldest);
    }
    this.#holds.set(requester, { lowest, told: next(told), time });
  }

  /** Whether this append would overtake one that came to nothing. If so its requester is told. */
  holds(requester: number, messageId: number, heard: number, time: number): boolean {
    if (this.#holds.size === 0) return false;
    const hold = this.#holds.get(requester);
    if (hold === undefined) return false;
    if (hold.told === heard || isBehind(hold.told, heard) || Math.abs(time - hold.time) >= HOLD_MS) {
      this.#holds.delete(requester);
      return false;
    }
    if (messageId <= hold.lowest) return false;
    hold.told = next(hold.told);
    return true;
  }
}

function next(count: number): number {
  return (count + 1) % HEARD_MODULUS;
}

/** Whether `count` is below `heard`, as numbers on a circle are. */
function isBehind(count: number, heard: number): boolean {
  const ahead = (heard - count + HEARD_MODULUS) % HEARD_MODULUS;
  return ahead !== 0 && ahead < HEARD_MODULUS / 2;
}
