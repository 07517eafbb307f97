import type { Pid } from '../actors/pid.js';
import type { Account, UserId } from '../storage/stores.js';
import type { SessionMessage, Watch } from './messages.js';
import { Watchers } from './watchers.js';

/** What a partition's presence needs of the partition. */
export interface PresenceOwner {
  /** Whether `watcher` may see `user` as online now; null: nobody is there. */
  seenBy(user: UserId, watcher: UserId): boolean | null;
  /** Asks the store when a user was seen last. 0: it could not be asked, otherwise the number of the question. */
  askLastSeen(user: UserId): number;
  /** Tells a session of somebody's presence: 1 online, 0 offline, last seen at `time` (0: not known). */
  tell(session: Pid<SessionMessage>, user: UserId, value: 0 | 1, time: number): void;
}

interface Question {
  readonly session: Pid<SessionMessage>;
  readonly watcher: UserId;
  readonly user: UserId;
}

/** Who of a partition's users is watched by whom, and who is told what. */
export class Presence {
  readonly #owner: PresenceOwner;
  readonly #watchers = new Watchers<Pid<SessionMessage>, UserId>();
  /** The user of a session that watches. */
  readonly #watching = new Map<Pid<SessionMessage>, UserId>();
  /** What the store was asked, by the number of the question. */
  readonly #asking = new Map<number, Question>();
  readonly #questionsMax: number;

  /** @param questionsMax that wait for the store; above, who asks is not told of those who are offline. */
  constructor(owner: PresenceOwner, questionsMax: number) {
    this.#owner = owner;
    this.#questionsMax = questionsMax;
  }

  watch({ session, watcher, user }: Watch): void {
    this.#watchers.add(session, user);
    this.#watching.set(session, watcher);
    const seen = this.#owner.seenBy(user, watcher);
    if (seen !== null) {
      this.#owner.tell(session, user, seen ? 1 : 0, 0);
      return;
    }
    // Offline: the store knows when the user was seen last.
    if (this.#asking.size >= this.#questionsMax) return;
    const question = this.#owner.askLastSeen(user);
    if (question !== 0) this.#asking.set(question, { session, watcher, user });
  }

  unwatch(session: Pid<SessionMessage>, user: UserId): void {
    if (this.#watchers.remove(session, user)) this.#watching.delete(session);
  }

  /** A session has ended. */
  forget(session: Pid<SessionMessage>): void {
    this.#watchers.removeWatcher(session);
    this.#watching.delete(session);
  }

  isWatching(session: Pid<SessionMessage>): boolean {
    return this.#watching.has(session);
  }

  /** The answer to a question. False: none of its. */
  answered(question: number, account: Account): boolean {
    const asked = this.#asking.get(question);
    if (asked === undefined) return false;
    this.#asking.delete(question);
    const { session, watcher, user } = asked;
    if (!this.#watching.has(session) || this.#owner.seenBy(user, watcher) === true) return true;
    const hidden = account.blocked.includes(watcher);
    this.#owner.tell(session, user, 0, hidden ? 0 : account.lastSeen);
    return true;
  }

  /** The question could not be answered, or never will be. False: none of its. */
  failed(question: number): boolean {
    return this.#asking.delete(question);
  }

  /** The numbers of the questions that wait. */
  questions(): number[] {
    return [...this.#asking.keys()];
  }

  /** Whom the user has `blocked` sees an offline user, and so no change. */
  announce(user: UserId, value: 0 | 1, time: number, blocked: ReadonlySet<UserId>): void {
    const watchers = this.#watchers.of(user);
    if (watchers === undefined) return;
    for (const session of watchers) {
      const watcher = this.#watching.get(session);
      if (watcher === undefined || !blocked.has(watcher)) this.#owner.tell(session, user, value, time);
    }
  }

  /** From now on `peer` sees the user go, or come. */
  blocked(user: UserId, peer: UserId, on: boolean): void {
    for (const session of this.#watchers.of(user) ?? []) {
      if (this.#watching.get(session) === peer) this.#owner.tell(session, user, on ? 0 : 1, 0);
    }
  }
}
