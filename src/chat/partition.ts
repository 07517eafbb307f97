import type { ExitReason } from '../actors/exit-reason.js';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook, Receiver } from '../actors/receiver.js';
import type { Ref } from '../actors/ref.js';
import type { SystemMessage } from '../actors/system-message.js';
import { EphemeralKind } from '../protocol/index.js';
import type { Account, DeviceId, UserId } from '../storage/stores.js';
import { keyFits, resumeState } from './attach-check.js';
import type { ChatNode } from './chat-node.js';
import {
  type AccountMessage,
  type Activity,
  type Attach,
  type AttachRefused,
  type Blocking,
  type DeviceReplacedMessage,
  type EntryMessage,
  type Ephemeral,
  type PageMessage,
  type PartitionMessage,
  type Pause,
  type Pull,
  ResumeState,
  type Resync,
  type SessionMessage,
  type StoreFailed,
  type TruncatedMessage,
  type Watch,
} from './messages.js';
import { Presence, type PresenceOwner } from './presence.js';
import { Requester } from './requesters.js';
import { ownedEntry } from './store-dispatch.js';
import { UNSENT, Unsent } from './unsent.js';

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
 */
export class Partition implements Receiver<PartitionMessage>, ExitHook, PresenceOwner {
  readonly #node: ChatNode;
  readonly #self: Process<PartitionMessage>;
  readonly #index: number;
  /** Who is connected, by user. */
  readonly #online = new Map<UserId, Online>();
  /** The user of an attached session. */
  readonly #users = new Map<Pid<SessionMessage>, UserId>();
  /** Monitors of sessions that are attached or watch somebody. */
  readonly #monitors = new Map<Pid<SessionMessage>, Ref>();
  /** Attaches that wait for the store, by the session's requester number. */
  readonly #attaching = new Map<number, Attaching>();
  /** Whose pull the store works on, by the number of the read. */
  readonly #pulling = new Map<number, Online>();
  readonly #presence: Presence;
  readonly #unsent: Unsent;

  constructor(node: ChatNode, self: Process<PartitionMessage>, index: number) {
    this.#node = node;
    this.#self = self;
    this.#index = index;
    this.#presence = new Presence(this, node.limits.attachesMax);
    this.#unsent = new Unsent(self as Process<never>);
    self.label = `partition-${index}`;
    self.onExit(this);
  }

  /** Its users are counted again when their sessions attach to the next incarnation. */
  processExited(): void {
    for (const online of this.#online.values()) this.#count(online, -1);
  }

  receive(message: PartitionMessage | SystemMessage): void {
    switch (message.type) {
      case 'entry':
        this.#entry(message);
        break;
      case 'attach':
        this.#attach(message);
        break;
      case 'account':
        this.#account(message);
        break;
      case 'pull':
        this.#pull(message);
        break;
      case 'page':
        this.#page(message);
        break;
      case 'pause':
        this.#pause(message);
        break;
      case 'activity':
        this.#activity(message);
        break;
      case 'ephemeral':
        this.#ephemeral(message);
        break;
      case 'watch':
        this.#watch(message);
        break;
      case 'blocking':
        this.#blocking(message);
        break;
      case 'device-replaced':
        this.#deviceReplaced(message);
        break;
      case 'truncated':
        this.#truncated(message);
        break;
      case 'timeout':
        if (message.message === UNSENT) this.#unsent.retry((session) => this.#monitors.has(session));
        else this.#lost(message.message as Waiting);
        break;
      case 'resync':
        this.#resync(message);
        break;
      case 'store-failed':
        this.#failed(message);
        break;
      case 'DOWN':
        this.#down(message.from as Pid<SessionMessage>, message.reason);
        break;
      default:
        break;
    }
  }

  // ---- entries and pages -------------------------------------------------------------------------------------

  #entry(message: EntryMessage): void {
    const online = this.#online.get(message.inbox);
    if (online === undefined || !online.pushing) return;
    const { runtime, stats } = this.#node;
    const { session } = online;
    if (session.scheduler === runtime.scheduler) {
      stats.entriesLocal++;
      if (!runtime.tryDispatch(session, message)) runtime.send(session, ownedEntry(message));
      return;
    }
    stats.entriesRemote++;
    // Written to the ring as it is. One that had no room leaves a hole: nothing is pushed behind it.
    if (!this.#send(session, message)) online.pushing = false;
  }

  #pull({ session, user, ref, after, countMax, bytesMax }: Pull): void {
    const online = this.#online.get(user);
    if (online?.session !== session) return;
    const { store, requests } = this.#node;
    const number = requests.ofPartition();
    if (!store.read(number, user, after, countMax, bytesMax)) {
      this.#send(session, { type: 'pull-refused' });
      return;
    }
    this.#pulling.delete(online.pull);
    this.#pulling.set(number, online);
    online.pull = number;
    online.pullRef = ref;
  }

  /** Of a pull that was made again meanwhile, or of a session that has gone, nobody wants the page. */
  #page(page: PageMessage): void {
    const online = this.#pulling.get(page.requester);
    if (online === undefined) return;
    this.#pulling.delete(page.requester);
    page.ref = online.pullRef;
    // From this point of the log on new entries are forwarded: none can be lost, none come twice.
    online.pushing = this.#send(online.session, page) && !page.hasMore;
  }

  #pause({ user, session }: Pause): void {
    const online = this.#online.get(user);
    if (online?.session === session) online.pushing = false;
  }

  /** Something that was waiting for somebody is gone: a session that is up has to say so. */
  #truncated(message: TruncatedMessage): void {
    const online = this.#online.get(message.inbox);
    if (online !== undefined) this.#send(online.session, message);
  }

  // ---- who is online -----------------------------------------------------------------------------------------

  #attach(attach: Attach): void {
    this.#unsent.forget(attach.session);
    if (this.#attaching.size >= this.#node.limits.attachesMax || !this.#lookup(attach)) {
      this.#node.stats.attachesRefused++;
      this.#refuse(attach.session, 'store');
      return;
    }
    this.#attaching.set(attach.requester, { attach, verified: false });
  }

  #lookup(attach: Attach): boolean {
    return this.#node.store.lookup(attach.requester, attach.user);
  }

  #account({ requester, account }: AccountMessage): void {
    if (this.#presence.answered(requester, account)) return;
    const waiting = this.#attaching.get(requester);
    if (waiting === undefined) return;
    const { attach } = waiting;
    this.#attaching.delete(requester);
    if (account.device !== attach.device || !keyFits(attach, account)) {
      this.#node.stats.attachesRefused++;
      const replaced = account.device > attach.device && attach.device > 0;
      this.#refuse(attach.session, replaced ? 'device-replaced' : 'credentials');
      return;
    }
    const state = resumeState(attach, account, this.#node.epoch);
    if (state !== ResumeState.reset && attach.seq > account.acked && !waiting.verified) {
      // The cursor is an acknowledgement whose ACK was lost. What remains is asked for again behind it, in log
      // order, so that the welcome counts what is really pending.
      const { store, clock } = this.#node;
      if (
        store.wipe(Requester.nobody, attach.user, attach.device, attach.seq, clock.wall()) &&
        this.#lookup(attach)
      ) {
        this.#attaching.set(requester, { attach, verified: true });
        return;
      }
      this.#refuse(attach.session, 'store');
      return;
    }
    this.#settle(attach, account, state);
  }

  #settle(attach: Attach, account: Account, state: ResumeState): void {
    const { session, user } = attach;
    const previous = this.#online.get(user);
    if (attach.key === null && previous !== undefined && previous.session !== session) {
      // It was attached before, and a newer connection has come meanwhile: that one stays.
      this.#send(session, { type: 'superseded', by: 'connection' });
      return;
    }
    if (previous !== undefined) {
      this.#pulling.delete(previous.pull);
      if (previous.session !== session) {
        this.#node.stats.superseded++;
        this.#send(previous.session, { type: 'superseded', by: 'connection' });
        this.#users.delete(previous.session);
        this.#forgetIfIdle(previous.session);
      }
    }
    this.#monitor(session);
    this.#users.set(session, user);
    const blocked = account.blocked.length === 0 ? NOBODY : new Set(account.blocked);
    if (previous !== undefined) this.#count(previous, -1);
    const online: Online = {
      session,
      device: attach.device,
      pushing: account.pendingCount === 0,
      pull: 0,
      pullRef: 0,
      active: attach.active,
      blocked,
    };
    this.#online.set(user, online);
    this.#count(online, 1);
    const isTold = this.#send(session, {
      type: 'attached',
      state,
      head: account.head,
      acked: state === ResumeState.reset ? 0 : attach.seq,
      // Up to there something is gone that this cursor has not seen: dropped by age, or accepted before.
      truncated: Math.max(account.truncated, account.acked),
      pendingCount: account.pendingCount,
      pendingBytes: account.pendingBytes,
    });
    if (!isTold) {
      this.#remove(session, user);
      return;
    }
    this.#node.stats.attaches++;
    if (attach.active && !(previous?.active ?? false)) this.#presence.announce(user, 1, 0, blocked);
  }

  #deviceReplaced({ user, device }: DeviceReplacedMessage): void {
    const online = this.#online.get(user);
    if (online === undefined || online.device === device) return;
    this.#send(online.session, { type: 'superseded', by: 'device' });
    this.#node.stats.superseded++;
    this.#remove(online.session, user);
  }

  #down(session: Pid<SessionMessage>, reason: ExitReason): void {
    this.#monitors.delete(session);
    // It may live, and the way to it was too full for a monitor: then it is to attach anew.
    if (reason.type === 'noconnection') this.#unsent.add(session, { type: 'resync' });
    else this.#unsent.forget(session);
    this.#presence.forget(session);
    const user = this.#users.get(session);
    if (user !== undefined) this.#remove(session, user);
  }

  #remove(session: Pid<SessionMessage>, user: UserId): void {
    const online = this.#online.get(user);
    this.#users.delete(session);
    this.#forgetIfIdle(session);
    if (online?.session !== session) return;
    this.#pulling.delete(online.pull);
    this.#online.delete(user);
    this.#count(online, -1);
    if (online.active) this.#leave(user, online.blocked);
  }

  #refuse(session: Pid<SessionMessage>, reason: AttachRefused['reason']): void {
    this.#send(session, { type: 'attach-refused', reason });
  }

  /** False: there was no room on the way to the session's scheduler. It hears as soon as there is, and asks anew. */
  #send(session: Pid<SessionMessage>, message: SessionMessage): boolean {
    if (this.#node.runtime.trySend(session, message)) return true;
    this.#unsent.add(session, substitute(message));
    return false;
  }

  #count({ session }: Online, change: 1 | -1): void {
    const { stats, occupancy, runtime } = this.#node;
    const isAtHome = session.scheduler === runtime.scheduler;
    stats.online += change;
    if (isAtHome) stats.atHome += change;
    occupancy.count(this.#index, isAtHome, change);
  }

  #monitor(session: Pid<SessionMessage>): void {
    if (!this.#monitors.has(session)) this.#monitors.set(session, this.#self.monitor(session));
  }

  /** Stops watching over a session that neither belongs to a user here nor watches one. */
  #forgetIfIdle(session: Pid<SessionMessage>): void {
    if (this.#presence.isWatching(session) || this.#users.has(session)) return;
    const monitor = this.#monitors.get(session);
    if (monitor === undefined) return;
    this.#monitors.delete(session);
    this.#self.demonitor(monitor, true);
  }

  // ---- trouble with the store --------------------------------------------------------------------------------

  /** Nothing is pushed behind an entry that may have been missed: pushing begins again with the next page. */
  #resync(message: Resync): void {
    for (const online of this.#online.values()) {
      online.pushing = false;
      this.#send(online.session, message);
    }
    // Answers may have been lost as well. Most still come; who waits then waits in vain.
    this.#self.startTimer(LOST_MS, {
      attaching: [...this.#attaching.values()],
      questions: this.#presence.questions(),
    } satisfies Waiting);
  }

  #lost({ attaching, questions }: Waiting): void {
    for (const one of attaching) {
      const { attach } = one;
      if (this.#attaching.get(attach.requester) !== one) continue;
      this.#attaching.delete(attach.requester);
      this.#refuse(attach.session, 'store');
    }
    for (const question of questions) this.#presence.failed(question);
  }

  /** A lookup or read of this partition could not be made. */
  #failed({ requester }: StoreFailed): void {
    if (this.#presence.failed(requester)) return;
    const attaching = this.#attaching.get(requester);
    const online = this.#pulling.get(requester);
    if (attaching !== undefined) {
      this.#attaching.delete(requester);
      this.#refuse(attaching.attach.session, 'store');
    } else if (online !== undefined) {
      this.#pulling.delete(requester);
      this.#send(online.session, { type: 'pull-refused' });
    }
  }

  // ---- of the moment -----------------------------------------------------------------------------------------

  #activity({ user, session, active }: Activity): void {
    const online = this.#online.get(user);
    if (online?.session !== session || online.active === active) return;
    online.active = active;
    if (active) this.#presence.announce(user, 1, 0, online.blocked);
    else this.#leave(user, online.blocked);
  }

  #ephemeral(message: Ephemeral): void {
    const { runtime, stats } = this.#node;
    const online = this.#online.get(message.to);
    if (
      online === undefined ||
      !online.active ||
      online.blocked.has(message.from) ||
      !runtime.trySend(online.session, message)
    ) {
      stats.ephemeralsDropped++;
    }
  }

  #watch(message: Watch): void {
    const { session, user, on } = message;
    if (on) {
      this.#monitor(session);
      this.#presence.watch(message);
    } else {
      this.#presence.unwatch(session, user);
      this.#forgetIfIdle(session);
    }
  }

  #blocking({ user, session, peer, on }: Blocking): void {
    const online = this.#online.get(user);
    if (online?.session !== session) return;
    const blocked = new Set(online.blocked);
    if (on) blocked.add(peer);
    else blocked.delete(peer);
    online.blocked = blocked.size === 0 ? NOBODY : blocked;
    if (online.active) this.#presence.blocked(user, peer, on);
  }

  /** `user` is not to be seen any more, from now on. */
  #leave(user: UserId, blocked: ReadonlySet<UserId>): void {
    const time = this.#node.clock.wall();
    // Lost when the store is overloaded: the next visit puts it right.
    this.#node.store.control(Requester.nobody, { op: 'last-seen', user, time });
    this.#presence.announce(user, 0, time, blocked);
  }

  seenBy(user: UserId, watcher: UserId): boolean | null {
    const online = this.#online.get(user);
    return online === undefined ? null : online.active && !online.blocked.has(watcher);
  }

  askLastSeen(user: UserId): number {
    const number = this.#node.requests.ofPartition();
    return this.#node.store.lookup(number, user) ? number : 0;
  }

  tell(session: Pid<SessionMessage>, user: UserId, value: 0 | 1, time: number): void {
    const kind = EphemeralKind.presence;
    const message = { type: 'ephemeral', kind, to: 0, from: user, value, time } as const;
    if (!this.#node.runtime.trySend(session, message)) this.#node.stats.ephemeralsDropped++;
  }
}

interface Online {
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

/** An answer that has not come so long after the store began anew was lost. */
const LOST_MS = 5000;

interface Attaching {
  readonly attach: Attach;
  /** The key fitted and the cursor was taken as an acknowledgement. */
  readonly verified: boolean;
}

/** Who waited for the store when it began anew. */
interface Waiting {
  readonly attaching: readonly Attaching[];
  readonly questions: readonly number[];
}

const NOBODY: ReadonlySet<UserId> = new Set();

/** What a session hears later instead of a message that had no room. */
function substitute(message: SessionMessage): SessionMessage {
  switch (message.type) {
    case 'superseded':
    case 'attach-refused':
      return message;
    case 'attached':
      return { type: 'attach-refused', reason: 'store' };
    default:
      return { type: 'resync' };
  }
}
