import { MESSAGE_ID_WINDOW, type UserId } from './stores.js';

/** How long after the last refusal of an inbox what was refused is expected to come again, before it counts as given up. */
const PATIENCE_MS = 5_000;
/** Requesters with a hold; whose first refusal is the longest ago goes first. */
const REQUESTERS_MAX = 4096;
/** Full inboxes of one requester; the first goes first. */
const INBOXES_MAX = 64;

interface Hold {
  readonly inbox: UserId;
  /** Upwards: what was refused and has not come again. */
  readonly ids: number[];
  /** Wall-clock ms by the commands' clock: when the inbox refused last, or what was waited for came. */
  time: number;
}

/**
 * Keeps the order of one requester's messages to an inbox that is full. While the refusal of one is on its way, those behind
 * it are in the ring or on the wire already; if the recipient accepts something just then, they would find room and be
 * stored first. So they are refused as well, until the ones before them have come again or count as given up. Other
 * recipients are not concerned.
 *
 * Like {@link SendHold} it is about commands under way and is forgotten with the process.
 */
export class FullHold {
  readonly #requesters = new Map<number, Hold[]>();

  /** The inbox had no room for this message. `time`: the append's. */
  refused(requester: number, inbox: UserId, messageId: number, time: number): void {
    let holds = this.#requesters.get(requester);
    if (holds === undefined) {
      if (this.#requesters.size >= REQUESTERS_MAX) {
        const [oldest] = this.#requesters.keys();
        if (oldest !== undefined) this.#requesters.delete(oldest);
      }
      holds = [];
      this.#requesters.set(requester, holds);
    }
    let hold = holds.find((one) => one.inbox === inbox);
    if (hold === undefined) {
      if (holds.length >= INBOXES_MAX) holds.shift();
      hold = { inbox, ids: [], time };
      holds.push(hold);
    }
    hold.time = time;
    insert(hold.ids, messageId);
  }

  /** Whether this append would overtake one that the inbox had no room for. Then it is refused, and waited for as well. */
  holds(requester: number, inbox: UserId, messageId: number, time: number): boolean {
    if (this.#requesters.size === 0) return false;
    const holds = this.#requesters.get(requester);
    if (holds === undefined) return false;
    const at = holds.findIndex((one) => one.inbox === inbox);
    const hold = holds[at];
    if (hold === undefined) return false;
    const { ids } = hold;
    const lowest = ids[0]!;
    if (messageId > lowest && Math.abs(time - hold.time) < PATIENCE_MS) {
      insert(ids, messageId);
      return true;
    }
    if (messageId === lowest) {
      ids.shift();
      hold.time = time;
    } else if (messageId > lowest) ids.length = 0;
    if (ids.length === 0) {
      holds.splice(at, 1);
      if (holds.length === 0) this.#requesters.delete(requester);
    }
    return false;
  }
}

/** No more than a window of ids: who sends beyond it does not mean to send the lowest again. */
function insert(ids: number[], id: number): void {
  const behind = ids.findLastIndex((one) => one <= id);
  if (ids[behind] === id) return;
  ids.splice(behind + 1, 0, id);
  while (id - ids[0]! >= MESSAGE_ID_WINDOW) ids.shift();
}
