import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook } from '../actors/receiver.js';
import type { Ref } from '../actors/ref.js';
import { EphemeralKind } from '../protocol/index.js';
import type { DeviceId, UserId } from '../storage/stores.js';
import type { ChatNode } from './chat-node.js';
import type { Attach, PartitionMessage, SessionMessage } from './messages.js';
import { Presence, type PresenceOwner } from './presence.js';
import { Unsent } from './unsent.js';

/**
 * A partition: one process that owns a slice of the users. It knows who of them is online, and everything that
 * concerns their inboxes passes through it in the order of the store's log; so the change from reading pages to
 * being told of new entries has no gap: a session is online-and-pushed from the very point of the log at which
 * its last page was read.
 *
 * ```
 *   session ── attach ──▶ partition ── lookup ──▶ store ── account ──▶ partition ── attached ──▶ session
 *   session ── pull ────▶ partition ── read ────▶ store ── page ─────▶ partition ── page ──────▶ session
 *                                                 store ── entry ────▶ partition ── entry ─────▶ session
 * ```
 *
 * It keeps nothing that a restart could lose, here or on another scheduler: what is stored is in the store, and who is
 * online says so again when `partitions-begun` is heard. Its sessions may live on any scheduler. A session that the
 * way there has no room for is pushed nothing more; it hears `resync` as soon as there is room, and pulls.
 *
 * Bounds: at most `attachesMax` attaches wait for the store, more are refused with `store`; online users and
 * watchers are bounded by the connections of the node.
 *
 * This is what it remembers, and what others ask of it without a message. What it does with a message is the module
 * `partition` (handlers/partition.ts), which can be changed while it lives.
 */
export class PartitionState implements ExitHook, PresenceOwner {
  readonly node: ChatNode;
  readonly self: Process<PartitionMessage>;
  readonly index: number;
  /** Who is connected, by user. */
  readonly online = new Map<UserId, Online>();
  /** The user of an attached session. */
  readonly users = new Map<Pid<SessionMessage>, UserId>();
  /** Monitors of sessions that are attached or watch somebody. */
  readonly monitors = new Map<Pid<SessionMessage>, Ref>();
  /** Attaches that wait for the store, by the session's requester number. */
  readonly attaching = new Map<number, Attaching>();
  /** Whose pull the store works on, by the number of the read. */
  readonly pulling = new Map<number, Online>();
  readonly presence: Presence;
  readonly unsent: Unsent;

  constructor(node: ChatNode, self: Process<PartitionMessage>, index: number) {
    this.node = node;
    this.self = self;
    this.index = index;
    this.presence = new Presence(this, node.limits.attachesMax);
    this.unsent = new Unsent(self as Process<never>);
    self.label = `partition-${index}`;
    self.onExit(this);
  }

  /** Its users are counted again when their sessions attach to the next incarnation. */
  processExited(): void {
    for (const online of this.online.values()) this.count(online, -1);
  }

  /** For operators. */
  summary(): Readonly<Record<string, unknown>> {
    return {
      partition: this.index,
      usersOnline: this.online.size,
      sessionsKnown: this.monitors.size,
      attachesUnderWay: this.attaching.size,
      readsUnderWay: this.pulling.size,
    };
  }

  count({ session }: Online, change: 1 | -1): void {
    const { stats, occupancy, runtime } = this.node;
    const isAtHome = session.scheduler === runtime.scheduler;
    stats.online += change;
    if (isAtHome) stats.atHome += change;
    occupancy.count(this.index, isAtHome, change);
  }

  seenBy(user: UserId, watcher: UserId): boolean | null {
    const online = this.online.get(user);
    return online === undefined ? null : online.active && !online.blocked.has(watcher);
  }

  askLastSeen(user: UserId): number {
    const number = this.node.requests.ofPartition();
    return this.node.store.lookup(number, user) ? number : 0;
  }

  tell(session: Pid<SessionMessage>, user: UserId, value: 0 | 1, time: number): void {
    const kind = EphemeralKind.presence;
    const message = { type: 'ephemeral', kind, to: 0, from: user, value, time } as const;
    if (!this.node.runtime.trySend(session, message)) this.node.stats.ephemeralsDropped++;
  }
}

/** A copy for a trial of new code, which must not change who is online. */
export function copyPartitionState(state: unknown): PartitionState {
  const original = state as PartitionState;
  const online = new Map<UserId, Online>();
  for (const [user, one] of original.online) online.set(user, { ...one });
  const copy = Object.create(Object.getPrototypeOf(original) as object) as PartitionState;
  return Object.assign(copy, original, {
    online,
    users: new Map(original.users),
    monitors: new Map(original.monitors),
    attaching: new Map(original.attaching),
    pulling: new Map(original.pulling),
  });
}

export interface Online {
  readonly session: Pid<SessionMessage>;
  readonly device: DeviceId;
  /** New entries are forwarded; otherwise the client pulls. */
  pushing: boolean;
  /** The number of the read that the store works on for it, and the session's own for the pull; 0: none. */
  pull: number;
  pullRef: number;
  active: boolean;
  blocked: ReadonlySet<UserId>;
}

export interface Attaching {
  readonly attach: Attach;
  /** The key fitted and the cursor was taken as an acknowledgement. */
  readonly verified: boolean;
}

export const NOBODY: ReadonlySet<UserId> = new Set();
