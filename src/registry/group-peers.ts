import type { Pid, Process, Ref } from '../actors/index.js';
import type { GroupName, PeerMessage } from './group-messages.js';
import type { GroupMonitors } from './group-monitors.js';
import type { GroupTable } from './group-table.js';
import { MemberList } from './member-list.js';

type AnyPid = Pid<unknown>;
type Peer = Pid<PeerMessage>;

/** The scope of another scheduler: our monitor of it, and whom it has told of. */
interface Known {
  readonly ref: Ref;
  readonly groups: Map<GroupName, MemberList<AnyPid>>;
}

/** The scopes of the other schedulers, and what this one knows through them. */
export class GroupPeers {
  readonly #peers = new Map<Peer, Known>();

  constructor(
    private readonly self: Process<never>,
    private readonly table: GroupTable,
    private readonly monitors: GroupMonitors,
  ) {}

  has(peer: Peer): boolean {
    return this.#peers.has(peer);
  }

  add(peer: Peer): Known {
    const known: Known = { ref: this.self.monitor(peer), groups: new Map() };
    this.#peers.set(peer, known);
    return known;
  }

  broadcast(message: PeerMessage): void {
    for (const peer of this.#peers.keys()) this.self.send(peer, message);
  }

  /** Of a peer that is not known (any more) nothing is believed: it will be synced when it is. */
  joined(peer: Peer, group: GroupName, pids: readonly AnyPid[]): void {
    const known = this.#peers.get(peer);
    if (known !== undefined) this.#join(known, group, pids);
  }

  left(peer: Peer, pids: readonly AnyPid[], groups: readonly GroupName[]): void {
    const known = this.#peers.get(peer);
    if (known === undefined) return;
    for (const group of groups) this.#leave(known, group, pids);
  }

  /**
   * Everything that a peer has, in the place of what was known of it. OTP tells its monitors of whole groups only that came
   * or went; here they hear of every difference.
   */
  synced(peer: Peer, groups: readonly (readonly [GroupName, readonly AnyPid[]])[]): void {
    const known = this.#peers.get(peer) ?? this.add(peer);
    const gone = new Map<GroupName, AnyPid[]>();
    for (const [group, members] of known.groups) gone.set(group, [...members.toArray()]);
    const come: [GroupName, AnyPid[]][] = [];
    for (const [group, pids] of groups) {
      const before = new MemberList(gone.get(group) ?? []);
      const added = pids.filter((pid) => !before.delete(pid));
      if (before.size === 0) gone.delete(group);
      else gone.set(group, [...before.toArray()]);
      if (added.length > 0) come.push([group, added]);
    }
    for (const [group, pids] of gone) this.#leave(known, group, pids);
    for (const [group, pids] of come) this.#join(known, group, pids);
  }

  /** A peer has ended, or its scheduler is gone. False if it is none. */
  down(ref: Ref, peer: Pid): boolean {
    const known = this.#peers.get(peer as Peer);
    if (known === undefined || known.ref !== ref) return false;
    this.#peers.delete(peer as Peer);
    for (const [group, members] of known.groups) {
      const pids = members.toArray();
      if (this.table.leave(group, pids)) this.monitors.notify('leave', group, pids);
    }
    return true;
  }

  #join(known: Known, group: GroupName, pids: readonly AnyPid[]): void {
    const members = known.groups.get(group);
    if (members === undefined) known.groups.set(group, new MemberList(pids));
    else members.add(pids);
    this.table.join(group, pids);
    this.monitors.notify('join', group, pids);
  }

  #leave(known: Known, group: GroupName, pids: readonly AnyPid[]): void {
    const members = known.groups.get(group);
    if (members === undefined) return;
    for (const pid of pids) members.delete(pid);
    if (members.size === 0) known.groups.delete(group);
    if (this.table.leave(group, pids)) this.monitors.notify('leave', group, pids);
  }
}
