import type { Pid } from '../actors/index.js';
import type { GroupName } from './group-messages.js';
import { MemberList } from './member-list.js';

type AnyPid = Pid<unknown>;

/** A group: all its members, and those of this scheduler. */
class Group {
  readonly members = new MemberList<AnyPid>();
  localCount = 0;
  #local: readonly AnyPid[] | null = null;

  constructor(private readonly scheduler: number) {}

  add(pids: readonly AnyPid[]): void {
    this.members.add(pids);
    for (const pid of pids) if (pid.scheduler === this.scheduler) this.localCount++;
    this.#local = null;
  }

  delete(pid: AnyPid): void {
    if (!this.members.delete(pid)) return;
    if (pid.scheduler === this.scheduler) this.localCount--;
    this.#local = null;
  }

  get localMembers(): readonly AnyPid[] {
    if (this.localCount === this.members.size) return this.members.toArray();
    this.#local ??= this.members.toArray().filter((pid) => pid.scheduler === this.scheduler);
    return this.#local;
  }
}

/** What everybody on a scheduler can read of a scope; only its process writes. */
export class GroupTable {
  readonly #groups = new Map<GroupName, Group>();

  constructor(private readonly scheduler: number) {}

  /** An empty list of pids makes a group all the same, as in OTP. */
  join(name: GroupName, pids: readonly AnyPid[]): void {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Group(this.scheduler);
      this.#groups.set(name, group);
    }
    group.add(pids);
  }

  /** Takes one membership away for each pid; a group without members vanishes. False if there is no such group. */
  leave(name: GroupName, pids: readonly AnyPid[]): boolean {
    const group = this.#groups.get(name);
    if (group === undefined) return false;
    for (const pid of pids) group.delete(pid);
    if (group.members.size === 0) this.#groups.delete(name);
    return true;
  }

  members(name: GroupName): readonly AnyPid[] {
    return this.#groups.get(name)?.members.toArray() ?? [];
  }

  localMembers(name: GroupName): readonly AnyPid[] {
    return this.#groups.get(name)?.localMembers ?? [];
  }

  get groups(): GroupName[] {
    return [...this.#groups.keys()];
  }

  get localGroups(): GroupName[] {
    const groups: GroupName[] = [];
    for (const [name, group] of this.#groups) if (group.localCount > 0) groups.push(name);
    return groups;
  }
}
