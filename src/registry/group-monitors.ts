import type { Pid, Process, Ref } from '../actors/index.js';
import { GroupMessage, type GroupName } from './group-messages.js';

/** Who wants to know who joins and leaves. Each monitor is a monitor of its owner, so that it goes with him. */
export class GroupMonitors {
  readonly #ofScope = new Map<Ref, Pid<unknown>>();
  readonly #ofGroup = new Map<GroupName, Map<Ref, Pid<unknown>>>();
  readonly #groups = new Map<Ref, GroupName>();

  constructor(private readonly self: Process<never>) {}

  addToScope(owner: Pid<unknown>): Ref {
    const ref = this.self.monitor(owner);
    this.#ofScope.set(ref, owner);
    return ref;
  }

  addToGroup(group: GroupName, owner: Pid<unknown>): Ref {
    const ref = this.self.monitor(owner);
    let monitors = this.#ofGroup.get(group);
    if (monitors === undefined) {
      monitors = new Map();
      this.#ofGroup.set(group, monitors);
    }
    monitors.set(ref, owner);
    this.#groups.set(ref, group);
    return ref;
  }

  /** Ends a monitor, or takes note of its owner's end. False if there is none. */
  delete(ref: Ref): boolean {
    if (this.#ofScope.delete(ref)) {
      this.self.demonitor(ref);
      return true;
    }
    const group = this.#groups.get(ref);
    if (group === undefined) return false;
    this.#groups.delete(ref);
    const monitors = this.#ofGroup.get(group)!;
    monitors.delete(ref);
    if (monitors.size === 0) this.#ofGroup.delete(group);
    this.self.demonitor(ref);
    return true;
  }

  notify(type: 'join' | 'leave', group: GroupName, pids: readonly Pid<unknown>[]): void {
    for (const [ref, owner] of this.#ofScope) this.self.send(owner, new GroupMessage(type, ref, group, pids));
    const monitors = this.#ofGroup.get(group);
    if (monitors === undefined) return;
    // The latest monitor first, as in OTP.
    for (const [ref, owner] of [...monitors].reverse())
      this.self.send(owner, new GroupMessage(type, ref, group, pids));
  }
}
