import type { Pid } from '../actors/index.js';

/** One membership. */
class Member<P extends Pid> {
  constructor(
    readonly pid: P,
    /** The one that the same process had before. */
    readonly before: Member<P> | null,
  ) {}
}

/**
 * The members of a group, the latest first; a process stands in it as often as it joined. Joining and leaving are O(1), and
 * the array that is handed out is made anew only when it has changed.
 */
export class MemberList<P extends Pid> {
  /** Oldest first. */
  readonly #members = new Set<Member<P>>();
  /** The latest membership of each process. */
  readonly #latest = new Map<P, Member<P>>();
  #array: readonly P[] | null = null;

  constructor(pids: readonly P[] = []) {
    this.add(pids);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Puts these before the others: Erlang's `Pids ++ All`. */
  add(pids: readonly P[]): void {
    for (let at = pids.length - 1; at >= 0; at--) {
      const pid = pids[at]!;
      const member = new Member(pid, this.#latest.get(pid) ?? null);
      this.#latest.set(pid, member);
      this.#members.add(member);
    }
    this.#array = null;
  }

  /** Takes the latest membership of a process away. False if it has none. */
  delete(pid: P): boolean {
    const member = this.#latest.get(pid);
    if (member === undefined) return false;
    this.#members.delete(member);
    if (member.before === null) this.#latest.delete(pid);
    else this.#latest.set(pid, member.before);
    this.#array = null;
    return true;
  }

  /** The members, latest first. */
  toArray(): readonly P[] {
    this.#array ??= Array.from(this.#members, ({ pid }) => pid).reverse();
    return this.#array;
  }
}
