import type { UserId } from '../stores.js';
import type { UserState } from '../user-state.js';

/** States looked at, at least, each time room is made. */
const STEPS_MIN = 64;

/**
 * The user states in memory. Bounded by activity: beyond `countMax` a hand goes round and takes those that
 * were not used since it came by last (second chance). A state with changes that no row holds, or with young
 * entries, stays; there are never more of those than the young log has records.
 */
export class UserCache {
  readonly #states = new Map<UserId, UserState>();
  readonly #countMax: number;
  #hand = this.#states.values();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#states.size;
  }

  get(user: UserId): UserState | undefined {
    return this.#states.get(user);
  }

  add(state: UserState): void {
    this.#states.set(state.user, state);
  }

  /** Makes room, in a bounded number of steps; to be called between commands, when nobody holds a state. */
  trim(): void {
    const excess = this.#states.size - this.#countMax;
    for (
      let steps = Math.max(STEPS_MIN, 2 * excess);
      steps > 0 && this.#states.size > this.#countMax;
      steps--
    ) {
      const next = this.#hand.next();
      if (next.done === true) {
        this.#hand = this.#states.values();
        continue;
      }
      const state = next.value;
      if (state.recentlyUsed) state.recentlyUsed = false;
      else if (!state.dirty && !state.saving && state.dirtyAt < 0 && state.youngCount === 0) {
        this.#states.delete(state.user);
      }
    }
  }
}
