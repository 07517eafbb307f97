import {
  BadArgument,
  Behaviour,
  CallMessage,
  DownMessage,
  type ExitHook,
  type Pid,
  type Process,
  type Ref,
  type SchedulerWatcher,
} from '../actors/index.js';
import { type GroupCalls, type GroupName, NotLocal, type PeerMessage } from './group-messages.js';
import { GroupMonitors } from './group-monitors.js';
import { GroupPeers } from './group-peers.js';
import { GroupTable } from './group-table.js';

type AnyPid = Pid<unknown>;

/** A process of this scheduler that is a member somewhere: our monitor of it, and how often it joined which group. */
interface LocalMember {
  readonly ref: Ref;
  /** The group joined last stands last. */
  readonly groups: Map<GroupName, number>;
}

/**
 * The process of one scope on one scheduler: it alone changes the table, so joins and leaves have an order. It monitors
 * its members, and tells the scopes of the other schedulers of them; they are told of nobody else's.
 */
export class GroupScope extends Behaviour implements ExitHook, SchedulerWatcher {
  readonly table: GroupTable;
  readonly #local = new Map<AnyPid, LocalMember>();
  readonly #monitors: GroupMonitors;
  readonly #peers: GroupPeers;

  constructor(
    self: Process<never>,
    parent: Pid | null,
    private readonly scope: string,
  ) {
    super(self, parent);
    this.table = new GroupTable(self.scheduler);
    this.#monitors = new GroupMonitors(self);
    this.#peers = new GroupPeers(self, this.table, this.#monitors);
    const { runtime } = self;
    runtime.watchSchedulers(this);
    self.onExit(this);
    for (const scheduler of runtime.schedulers) this.schedulerUp(scheduler);
  }

  // ---- schedulers ----------------------------------------------------------------------------------------------

  /** @internal Is there a scope of ours on it? Its own discovery may come first; then this one changes nothing. */
  schedulerUp(scheduler: number): void {
    const discover: PeerMessage = { type: 'pg_discover', peer: this.#address };
    this.self.runtime.sendNamedAt(scheduler, this.scope, discover);
  }

  /** @internal */
  processExited(): void {
    this.self.runtime.unwatchSchedulers(this);
  }

  // ---- messages ------------------------------------------------------------------------------------------------

  protected handle(message: unknown): void {
    if (message instanceof CallMessage) {
      const { request, from } = message;
      from.reply(this.#answer(request as GroupCalls[0], from.caller as AnyPid));
    } else if (message instanceof DownMessage) {
      this.#down(message.ref, message.from as Pid);
    } else {
      this.#toldByPeer(message as PeerMessage);
    }
  }

  #answer(request: GroupCalls[0], caller: AnyPid): GroupCalls[1] {
    switch (request?.op) {
      case 'join':
        return this.#notLocal(request.pids) ?? this.#join(request.group, request.pids);
      case 'leave':
        return this.#notLocal(request.pids) ?? this.#leave(request.group, request.pids);
      case 'monitor': {
        const members = this.table.members(request.group);
        return { ref: this.#monitors.addToGroup(request.group, caller), members };
      }
      case 'monitor_scope': {
        const groups = new Map(this.table.groups.map((group) => [group, this.table.members(group)]));
        return { ref: this.#monitors.addToScope(caller), groups };
      }
      case 'demonitor':
        return this.#monitors.delete(request.ref);
      default:
        throw new BadArgument(`the scope ${this.scope} cannot be asked this: ${String(request)}`);
    }
  }

  #toldByPeer(message: PeerMessage): void {
    const { runtime } = this.self;
    switch (message?.type) {
      case 'pg_discover': {
        const peer = message.peer;
        this.self.send(peer, { type: 'pg_sync', peer: this.#address, groups: this.#allLocal() });
        if (this.#peers.has(peer)) return;
        this.#peers.add(peer);
        this.self.send(peer, { type: 'pg_discover', peer: this.#address });
        return;
      }
      case 'pg_sync':
        this.#peers.synced(message.peer, message.groups);
        return;
      case 'pg_join':
        this.#peers.joined(message.peer, message.group, message.pids);
        return;
      case 'pg_leave':
        this.#peers.left(message.peer, message.pids, message.groups);
        return;
      default:
        throw new BadArgument(
          `no message for the scope ${this.scope} of scheduler ${runtime.scheduler}: ${String(message)}`,
        );
    }
  }

  // ---- members -------------------------------------------------------------------------------------------------

  #notLocal(pids: readonly AnyPid[]): NotLocal | undefined {
    for (const pid of pids) if (pid?.scheduler !== this.self.scheduler) return new NotLocal(pid);
    return undefined;
  }

  #join(group: GroupName, pids: readonly AnyPid[]): 'ok' {
    for (const pid of pids) {
      let member = this.#local.get(pid);
      if (member === undefined) {
        member = { ref: this.self.monitor(pid), groups: new Map() };
        this.#local.set(pid, member);
      }
      const times = member.groups.get(group) ?? 0;
      member.groups.delete(group);
      member.groups.set(group, times + 1);
    }
    this.table.join(group, pids);
    this.#monitors.notify('join', group, pids);
    this.#peers.broadcast({ type: 'pg_join', peer: this.#address, group, pids });
    return 'ok';
  }

  /** If one of them was there all are told of, as in OTP. */
  #leave(group: GroupName, pids: readonly AnyPid[]): 'ok' | 'not_joined' {
    let left = false;
    for (const pid of pids) {
      const member = this.#local.get(pid);
      const times = member?.groups.get(group);
      if (member === undefined || times === undefined) continue;
      left = true;
      if (times > 1) member.groups.set(group, times - 1);
      else member.groups.delete(group);
      if (member.groups.size > 0) continue;
      this.self.demonitor(member.ref);
      this.#local.delete(pid);
    }
    if (!left) return 'not_joined';
    if (this.table.leave(group, pids)) this.#monitors.notify('leave', group, pids);
    this.#peers.broadcast({ type: 'pg_leave', peer: this.#address, pids, groups: [group] });
    return 'ok';
  }

  #down(ref: Ref, pid: Pid): void {
    if (this.#peers.down(ref, pid) || this.#monitors.delete(ref)) return;
    const member = this.#local.get(pid as AnyPid);
    // One that left everything while its DOWN was waiting here is none any more.
    if (member === undefined || member.ref !== ref) return;
    this.#local.delete(pid as AnyPid);
    const pids = [pid as AnyPid];
    const groups: GroupName[] = [];
    for (const [group, times] of [...member.groups].reverse()) {
      for (let time = 0; time < times; time++) {
        groups.push(group);
        if (this.table.leave(group, pids)) this.#monitors.notify('leave', group, pids);
      }
    }
    this.#peers.broadcast({ type: 'pg_leave', peer: this.#address, pids, groups });
  }

  #allLocal(): [GroupName, readonly AnyPid[]][] {
    return this.table.localGroups.map((group) => [group, this.table.localMembers(group)]);
  }

  get #address(): Pid<PeerMessage> {
    return this.self as unknown as Pid<PeerMessage>;
  }

  // ---- as a behaviour ------------------------------------------------------------------------------------------

  protected getState(): ReadonlyMap<GroupName, readonly AnyPid[]> {
    return new Map(this.table.groups.map((group) => [group, this.table.members(group)]));
  }

  protected replaceState(): never {
    throw new BadArgument(
      `the state of the scope ${this.scope} is that of its members: it cannot be replaced`,
    );
  }

  protected changeCode(): void {}

  terminate(): void {}
}
