import { createHash, timingSafeEqual } from 'node:crypto';
import type { Pid } from '../actors/pid.js';
import type { Process } from '../actors/process.js';
import type { ExitHook, Receiver } from '../actors/receiver.js';
import type { Ref } from '../actors/ref.js';
import type { SystemMessage } from '../actors/system-message.js';
import { EphemeralKind } from '../protocol/index.js';
import type { Account, DeviceId, Seq, UserId } from '../storage/stores.js';
import { type ChatNode, Requester } from './chat-node.js';
import {
  type AccountMessage,
  type Activity,
  type Attach,
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
import { ownedEntry } from './store-dispatch.js';
import { Watchers } from './watchers.js';

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
 * It keeps nothing that a restart could lose: what is stored is in the store, and who is online says so again
 * when `partition-restarted` is heard.
 *
 * Bounds: at most `attachesMax` attaches wait for the store, more are refused with `store`; online users and
 * watchers are bounded by the connections of the node.
 */
export class Partition implements Receiver<PartitionMessage>, ExitHook {
  readonly #node: ChatNode;
  readonly #self: Process<PartitionMessage>;
  /** Who is connected, by user. */
  readonly #online = new Map<UserId, Online>();
  /** The user of an attached session. */
  readonly #users = new Map<Pid<SessionMessage>, UserId>();
  /** Monitors of sessions that are attached or watch somebody. */
  readonly #monitors = new Map<Pid<SessionMessage>, Ref>();
  /** Attaches that wait for the store, by the session's requester number. */
  readonly #attaching = new Map<number, Attaching>();
  readonly #watchers = new Watchers<Pid<SessionMessage>, UserId>();
  /** The user of a session that watches. */
  readonly #watching = new Map<Pid<SessionMessage>, UserId>();
  /** Who waits for the store to say when somebody was seen last, in the order of the questions. */
  readonly #asking: { session: Pid<SessionMessage>; watcher: UserId; user: UserId }[] = [];

  constructor(node: ChatNode, self: Process<PartitionMessage>, index: number) {
    this.#node = node;
    this.#self = self;
    self.label = `partition-${index}`;
    self.onExit(this);
  }

  /** Its users are counted again when their sessions attach to the next incarnation. */
  processExited(): void {
    this.#node.stats.online -= this.#online.size;
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
        this.#lost(message.message as readonly Attaching[]);
        break;
      case 'resync':
        this.#resync(message);
        break;
      case 'store-failed':
        this.#failed(message);
        break;
      case 'DOWN':
        this.#down(message.from as Pid<SessionMessage>);
        break;
      default:
        break;
    }
  }

  #entry(message: EntryMessage): void {
    const online = this.#online.get(message.inbox);
    if (online === undefined || !online.pushing) return;
    const runtime = this.#node.runtime;
    if (!runtime.tryDispatch(online.session, message)) runtime.send(online.session, ownedEntry(message));
  }

  #attach(attach: Attach): void {
    if (this.#attaching.size >= this.#node.limits.attachesMax || !this.#lookup(attach)) {
      this.#node.stats.attachesRefused++;
      this.#self.send(attach.session, { type: 'attach-refused', reason: 'store' });
      return;
    }
    this.#attaching.set(attach.requester, { attach, verified: false });
  }

  #lookup(attach: Attach): boolean {
    return this.#node.store.lookup(attach.requester, attach.user);
  }

  #account({ requester, account }: AccountMessage): void {
    if (requester === Requester.nobody) {
      this.#lastSeen(account);
      return;
    }
    const waiting = this.#attaching.get(requester);
    if (waiting === undefined) return;
    const { attach } = waiting;
    this.#attaching.delete(requester);
    if (account.device !== attach.device || !keyFits(attach, account)) {
      this.#node.stats.attachesRefused++;
      const replaced = account.device > attach.device && attach.device > 0;
      this.#self.send(attach.session, {
        type: 'attach-refused',
        reason: replaced ? 'device-replaced' : 'credentials',
      });
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
      this.#self.send(attach.session, { type: 'attach-refused', reason: 'store' });
      return;
    }
    this.#settle(attach, account, state);
  }

  #settle(attach: Attach, account: Account, state: ResumeState): void {
    const { session, user } = attach;
    const previous = this.#online.get(user);
    if (attach.key === null && previous !== undefined && previous.session !== session) {
      // It was attached before, and a newer connection has come meanwhile: that one stays.
      this.#self.send(session, { type: 'superseded', by: 'connection' });
      return;
    }
    if (previous !== undefined && previous.session !== session) {
      this.#node.stats.superseded++;
      this.#self.send(previous.session, { type: 'superseded', by: 'connection' });
      this.#users.delete(previous.session);
      this.#forgetIfIdle(previous.session);
    }
    this.#monitor(session);
    this.#users.set(session, user);
    const blocked = account.blocked.length === 0 ? NOBODY : new Set(account.blocked);
    this.#online.set(user, {
      session,
      device: attach.device,
      pushing: account.pendingCount === 0,
      active: attach.active,
      blocked,
    });
    this.#node.stats.attaches++;
    this.#self.send(session, {
      type: 'attached',
      state,
      head: account.head,
      acked: state === ResumeState.reset ? 0 : attach.seq,
      // Up to there something is gone that this cursor has not seen: dropped by age, or accepted before.
      truncated: Math.max(account.truncated, account.acked),
      pendingCount: account.pendingCount,
      pendingBytes: account.pendingBytes,
    });
    if (previous === undefined) this.#node.stats.online++;
    if (attach.active && !(previous?.active ?? false)) this.#announce(user, 1, 0, blocked);
  }

  #pull(pull: Pull): void {
    const online = this.#online.get(pull.user);
    if (online?.session !== pull.session) return;
    if (!this.#node.store.read(pull.requester, pull.user, pull.after, pull.countMax, pull.bytesMax)) {
      this.#self.send(pull.session, { type: 'pull-refused' });
    }
  }

  #page(page: PageMessage): void {
    const online = this.#online.get(page.inbox);
    const session = this.#node.sessions.get(page.requester);
    if (online === undefined || session === undefined || online.session !== session) return;
    // From this point of the log on new entries are forwarded: none can be lost, none come twice.
    online.pushing = !page.hasMore;
    this.#self.send(session, page);
  }

  #pause({ user, session }: Pause): void {
    const online = this.#online.get(user);
    if (online?.session === session) online.pushing = false;
  }

  #activity({ user, session, active }: Activity): void {
    const online = this.#online.get(user);
    if (online?.session !== session || online.active === active) return;
    online.active = active;
    if (active) this.#announce(user, 1, 0, online.blocked);
    else this.#leave(user, online.blocked);
  }

  #ephemeral(message: Ephemeral): void {
    const online = this.#online.get(message.to);
    if (online === undefined || !online.active || online.blocked.has(message.from)) {
      this.#node.stats.ephemeralsDropped++;
      return;
    }
    this.#self.send(online.session, message);
  }

  #watch({ session, watcher, user, on }: Watch): void {
    if (!on) {
      if (this.#watchers.remove(session, user)) this.#forgetIfIdle(session);
      return;
    }
    this.#watchers.add(session, user);
    this.#watching.set(session, watcher);
    this.#monitor(session);
    const online = this.#online.get(user);
    if (online?.active === true && !online.blocked.has(watcher)) {
      this.#tell(session, user, 1, 0);
      return;
    }
    if (online !== undefined) {
      this.#tell(session, user, 0, 0);
      return;
    }
    // Offline: the store knows when the user was seen last.
    if (this.#asking.length >= this.#node.limits.attachesMax) return;
    if (this.#node.store.lookup(Requester.nobody, user)) this.#asking.push({ session, watcher, user });
  }

  /** The account of somebody offline whose presence was asked for. Lookups are answered in order. */
  #lastSeen(account: Account): void {
    const first = this.#asking.shift();
    if (first === undefined || first.user !== account.user) {
      // Lookups that failed are out of the row: drop what can no longer be answered.
      this.#asking.length = 0;
      return;
    }
    if (this.#online.get(account.user)?.active === true) return;
    const hidden = account.blocked.includes(first.watcher);
    this.#tell(first.session, account.user, 0, hidden ? 0 : account.lastSeen);
  }

  #blocking({ user, session, peer, on }: Blocking): void {
    const online = this.#online.get(user);
    if (online?.session !== session) return;
    const blocked = new Set(online.blocked);
    if (on) blocked.add(peer);
    else blocked.delete(peer);
    online.blocked = blocked.size === 0 ? NOBODY : blocked;
    if (!online.active) return;
    // From now on the peer sees the user go, or come.
    for (const watcher of this.#watchers.of(user) ?? []) {
      if (this.#watching.get(watcher) === peer) this.#tell(watcher, user, on ? 0 : 1, 0);
    }
  }

  #deviceReplaced({ user, device }: DeviceReplacedMessage): void {
    const online = this.#online.get(user);
    if (online === undefined || online.device === device) return;
    this.#self.send(online.session, { type: 'superseded', by: 'device' });
    this.#node.stats.superseded++;
    this.#remove(online.session, user);
  }

  /** Something that was waiting for somebody is gone: a session that is up has to say so. */
  #truncated(message: TruncatedMessage): void {
    const online = this.#online.get(message.inbox);
    if (online !== undefined) this.#self.send(online.session, message);
  }

  /** Nothing is pushed behind an entry that may have been missed: pushing begins again with the next page. */
  #resync(message: Resync): void {
    for (const online of this.#online.values()) {
      online.pushing = false;
      this.#self.send(online.session, message);
    }
    // Answers may have been lost as well. Most still come; who waits then waits in vain.
    this.#self.startTimer(LOST_MS, [...this.#attaching.values()]);
  }

  #lost(waiting: readonly Attaching[]): void {
    for (const one of waiting) {
      const { attach } = one;
      if (this.#attaching.get(attach.requester) !== one) continue;
      this.#attaching.delete(attach.requester);
      this.#self.send(attach.session, { type: 'attach-refused', reason: 'store' });
    }
  }

  /** A lookup or read of this partition could not be made. */
  #failed({ requester }: StoreFailed): void {
    if (requester === Requester.nobody) {
      this.#asking.shift();
      return;
    }
    const session = this.#node.sessions.get(requester);
    if (this.#attaching.delete(requester)) {
      if (session !== undefined) this.#self.send(session, { type: 'attach-refused', reason: 'store' });
    } else if (session !== undefined) {
      this.#self.send(session, { type: 'pull-refused' });
    }
  }

  #down(session: Pid<SessionMessage>): void {
    this.#monitors.delete(session);
    this.#watchers.removeWatcher(session);
    this.#watching.delete(session);
    const user = this.#users.get(session);
    if (user !== undefined) this.#remove(session, user);
  }

  #remove(session: Pid<SessionMessage>, user: UserId): void {
    const online = this.#online.get(user);
    this.#users.delete(session);
    this.#forgetIfIdle(session);
    if (online?.session !== session) return;
    this.#online.delete(user);
    this.#node.stats.online--;
    if (online.active) this.#leave(user, online.blocked);
  }

  /** `user` is not to be seen any more, from now on. */
  #leave(user: UserId, blocked: ReadonlySet<UserId>): void {
    const time = this.#node.clock.wall();
    // Lost when the store is overloaded: the next visit puts it right.
    this.#node.store.control(Requester.nobody, { op: 'last-seen', user, time });
    this.#announce(user, 0, time, blocked);
  }

  /** Whom the user has `blocked` sees an offline user, and so no change. */
  #announce(user: UserId, value: 0 | 1, time: number, blocked: ReadonlySet<UserId>): void {
    const watchers = this.#watchers.of(user);
    if (watchers === undefined) return;
    for (const session of watchers) {
      const watcher = this.#watching.get(session);
      if (watcher === undefined || !blocked.has(watcher)) this.#tell(session, user, value, time);
    }
  }

  #tell(session: Pid<SessionMessage>, user: UserId, value: 0 | 1, time: number): void {
    this.#self.send(session, {
      type: 'ephemeral',
      kind: EphemeralKind.presence,
      to: 0,
      from: user,
      value,
      time,
    });
  }

  #monitor(session: Pid<SessionMessage>): void {
    if (!this.#monitors.has(session)) this.#monitors.set(session, this.#self.monitor(session));
  }

  /** Stops watching over a session that neither belongs to a user here nor watches one. */
  #forgetIfIdle(session: Pid<SessionMessage>): void {
    const watches = this.#watchers.watches(session);
    if (!watches) this.#watching.delete(session);
    if (watches || this.#users.has(session)) return;
    const monitor = this.#monitors.get(session);
    if (monitor === undefined) return;
    this.#monitors.delete(session);
    this.#self.demonitor(monitor, true);
  }
}

interface Online {
  readonly session: Pid<SessionMessage>;
  readonly device: DeviceId;
  /** New entries are forwarded; otherwise the client pulls. */
  pushing: boolean;
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

const NOBODY: ReadonlySet<UserId> = new Set();

/** Compares in constant time, also when there is no account to compare with. */
function keyFits(attach: Attach, account: Account): boolean {
  if (attach.key === null) return true;
  const salt = account.keySalt.length > 0 ? account.keySalt : NO_SALT;
  const expected = account.keyHash.length === NO_HASH.length ? account.keyHash : NO_HASH;
  const given = createHash('sha256').update(salt).update(attach.key).digest();
  return timingSafeEqual(given, expected) && account.device !== 0;
}
const NO_SALT = new Uint8Array(16);
const NO_HASH = new Uint8Array(32);

/**
 * What a client's cursor (epoch, seq) means here; docs/wire-protocol.md has the table. Never a silent hole: a
 * cursor that is not of this database, or claims what this database never gave out, is reset; one that lies
 * before something that is gone is told so.
 */
export function resumeState(
  cursor: { readonly epoch: number; readonly seq: Seq },
  account: { readonly head: Seq; readonly acked: Seq; readonly truncated: Seq },
  epoch: number,
): ResumeState {
  if (cursor.epoch !== epoch || cursor.seq > account.head) return ResumeState.reset;
  if (cursor.seq < account.truncated || cursor.seq < account.acked) return ResumeState.truncated;
  return ResumeState.resumed;
}
