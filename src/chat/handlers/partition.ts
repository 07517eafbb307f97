import type { ExitReason } from '../../actors/exit-reason.js';
import type { Pid } from '../../actors/pid.js';
import type { SystemMessage } from '../../actors/system-message.js';
import type { Account, UserId } from '../../storage/stores.js';
import { keyFits, resumeState } from '../attach-check.js';
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
} from '../messages.js';
import { type Attaching, NOBODY, type Online, type PartitionState } from '../partition-state.js';
import { Requester } from '../requesters.js';
import { ownedEntry } from '../store-dispatch.js';
import { UNSENT } from '../unsent.js';

export function receive(p: PartitionState, message: PartitionMessage | SystemMessage): void {
  switch (message.type) {
    case 'entry':
      entry(p, message);
      break;
    case 'attach':
      attach(p, message);
      break;
    case 'account':
      account(p, message);
      break;
    case 'pull':
      pull(p, message);
      break;
    case 'page':
      page(p, message);
      break;
    case 'pause':
      pause(p, message);
      break;
    case 'activity':
      activity(p, message);
      break;
    case 'ephemeral':
      ephemeral(p, message);
      break;
    case 'watch':
      watch(p, message);
      break;
    case 'blocking':
      blocking(p, message);
      break;
    case 'device-replaced':
      deviceReplaced(p, message);
      break;
    case 'truncated':
      truncated(p, message);
      break;
    case 'timeout':
      if (message.message === UNSENT) p.unsent.retry((session) => p.monitors.has(session));
      else lost(p, message.message as Waiting);
      break;
    case 'resync':
      resync(p, message);
      break;
    case 'store-failed':
      failed(p, message);
      break;
    case 'DOWN':
      down(p, message.from as Pid<SessionMessage>, message.reason);
      break;
    default:
      break;
  }
}

// ---- entries and pages -------------------------------------------------------------------------------------

function entry(p: PartitionState, message: EntryMessage): void {
  const online = p.online.get(message.inbox);
  const { runtime, stats } = p.node;
  if (online === undefined) {
    stats.entriesOffline++;
    return;
  }
  if (!online.pushing) {
    stats.entriesBehind++;
    return;
  }
  const { session } = online;
  if (session.scheduler === runtime.scheduler) {
    stats.entriesLocal++;
    if (!runtime.tryDispatch(session, message)) runtime.send(session, ownedEntry(message));
    return;
  }
  stats.entriesRemote++;
  // Written to the ring as it is. One that had no room leaves a hole: nothing is pushed behind it.
  if (!send(p, session, message)) online.pushing = false;
}

function pull(p: PartitionState, { session, user, ref, after, countMax, bytesMax }: Pull): void {
  const online = p.online.get(user);
  if (online?.session !== session) return;
  const { store, requests } = p.node;
  const number = requests.ofPartition();
  if (!store.read(number, user, after, countMax, bytesMax)) {
    send(p, session, { type: 'pull-refused' });
    return;
  }
  p.pulling.delete(online.pull);
  p.pulling.set(number, online);
  online.pull = number;
  online.pullRef = ref;
}

/** Of a pull that was made again meanwhile, or of a session that has gone, nobody wants the page. */
function page(p: PartitionState, page: PageMessage): void {
  const online = p.pulling.get(page.requester);
  if (online === undefined) return;
  p.pulling.delete(page.requester);
  page.ref = online.pullRef;
  // From this point of the log on new entries are forwarded: none can be lost, none come twice.
  online.pushing = send(p, online.session, page) && !page.hasMore;
}

function pause(p: PartitionState, { user, session }: Pause): void {
  const online = p.online.get(user);
  if (online?.session === session) online.pushing = false;
}

/** Something that was waiting for somebody is gone: a session that is up has to say so. */
function truncated(p: PartitionState, message: TruncatedMessage): void {
  const online = p.online.get(message.inbox);
  if (online !== undefined) send(p, online.session, message);
}

// ---- who is online -----------------------------------------------------------------------------------------

function attach(p: PartitionState, attach: Attach): void {
  p.unsent.forget(attach.session);
  if (p.attaching.size >= p.node.limits.attachesMax || !lookup(p, attach)) {
    p.node.stats.attachesRefused++;
    refuse(p, attach.session, 'store');
    return;
  }
  p.attaching.set(attach.requester, { attach, verified: false });
}

function lookup(p: PartitionState, attach: Attach): boolean {
  return p.node.store.lookup(attach.requester, attach.user);
}

function account(p: PartitionState, { requester, account }: AccountMessage): void {
  if (p.presence.answered(requester, account)) return;
  const waiting = p.attaching.get(requester);
  if (waiting === undefined) return;
  const { attach } = waiting;
  p.attaching.delete(requester);
  if (account.device !== attach.device || !keyFits(attach, account)) {
    p.node.stats.attachesRefused++;
    const replaced = account.device > attach.device && attach.device > 0;
    refuse(p, attach.session, replaced ? 'device-replaced' : 'credentials');
    return;
  }
  const state = resumeState(attach, account, p.node.epoch);
  if (state !== ResumeState.reset && attach.seq > account.acked && !waiting.verified) {
    // The cursor is an acknowledgement whose ACK was lost. What remains is asked for again behind it, in log
    // order, so that the welcome counts what is really pending.
    const { store, clock } = p.node;
    if (
      store.wipe(Requester.nobody, attach.user, attach.device, attach.seq, clock.wall()) &&
      lookup(p, attach)
    ) {
      p.attaching.set(requester, { attach, verified: true });
      return;
    }
    refuse(p, attach.session, 'store');
    return;
  }
  settle(p, attach, account, state);
}

function settle(p: PartitionState, attach: Attach, account: Account, state: ResumeState): void {
  const { session, user } = attach;
  const previous = p.online.get(user);
  if (attach.key === null && previous !== undefined && previous.session !== session) {
    // It was attached before, and a newer connection has come meanwhile: that one stays.
    send(p, session, { type: 'superseded', by: 'connection' });
    return;
  }
  if (previous !== undefined) {
    p.pulling.delete(previous.pull);
    if (previous.session !== session) {
      p.node.stats.superseded++;
      send(p, previous.session, { type: 'superseded', by: 'connection' });
      p.users.delete(previous.session);
      forgetIfIdle(p, previous.session);
    }
  }
  monitor(p, session);
  p.users.set(session, user);
  const blocked = account.blocked.length === 0 ? NOBODY : new Set(account.blocked);
  if (previous !== undefined) p.count(previous, -1);
  const online: Online = {
    session,
    device: attach.device,
    pushing: account.pendingCount === 0,
    pull: 0,
    pullRef: 0,
    active: attach.active,
    blocked,
  };
  p.online.set(user, online);
  p.count(online, 1);
  const isTold = send(p, session, {
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
    remove(p, session, user);
    return;
  }
  p.node.stats.attaches++;
  if (attach.active && !(previous?.active ?? false)) p.presence.announce(user, 1, 0, blocked);
}

function deviceReplaced(p: PartitionState, { user, device }: DeviceReplacedMessage): void {
  const online = p.online.get(user);
  if (online === undefined || online.device === device) return;
  send(p, online.session, { type: 'superseded', by: 'device' });
  p.node.stats.superseded++;
  remove(p, online.session, user);
}

function down(p: PartitionState, session: Pid<SessionMessage>, reason: ExitReason): void {
  p.monitors.delete(session);
  // It may live, and the way to it was too full for a monitor: then it is to attach anew.
  if (reason.type === 'noconnection') p.unsent.add(session, { type: 'resync' });
  else p.unsent.forget(session);
  p.presence.forget(session);
  const user = p.users.get(session);
  if (user !== undefined) remove(p, session, user);
}

function remove(p: PartitionState, session: Pid<SessionMessage>, user: UserId): void {
  const online = p.online.get(user);
  p.users.delete(session);
  forgetIfIdle(p, session);
  if (online?.session !== session) return;
  p.pulling.delete(online.pull);
  p.online.delete(user);
  p.count(online, -1);
  if (online.active) leave(p, user, online.blocked);
}

function refuse(p: PartitionState, session: Pid<SessionMessage>, reason: AttachRefused['reason']): void {
  send(p, session, { type: 'attach-refused', reason });
}

/** False: there was no room on the way to the session's scheduler. It hears as soon as there is, and asks anew. */
function send(p: PartitionState, session: Pid<SessionMessage>, message: SessionMessage): boolean {
  if (p.node.runtime.trySend(session, message)) return true;
  p.unsent.add(session, substitute(message));
  return false;
}

function monitor(p: PartitionState, session: Pid<SessionMessage>): void {
  if (!p.monitors.has(session)) p.monitors.set(session, p.self.monitor(session));
}

/** Stops watching over a session that neither belongs to a user here nor watches one. */
function forgetIfIdle(p: PartitionState, session: Pid<SessionMessage>): void {
  if (p.presence.isWatching(session) || p.users.has(session)) return;
  const monitor = p.monitors.get(session);
  if (monitor === undefined) return;
  p.monitors.delete(session);
  p.self.demonitor(monitor, true);
}

// ---- trouble with the store --------------------------------------------------------------------------------

/** Nothing is pushed behind an entry that may have been missed: pushing begins again with the next page. */
function resync(p: PartitionState, message: Resync): void {
  for (const online of p.online.values()) {
    online.pushing = false;
    send(p, online.session, message);
  }
  // Answers may have been lost as well. Most still come; who waits then waits in vain.
  p.self.startTimer(LOST_MS, {
    attaching: [...p.attaching.values()],
    questions: p.presence.questions(),
  } satisfies Waiting);
}

function lost(p: PartitionState, { attaching, questions }: Waiting): void {
  for (const one of attaching) {
    const { attach } = one;
    if (p.attaching.get(attach.requester) !== one) continue;
    p.attaching.delete(attach.requester);
    refuse(p, attach.session, 'store');
  }
  for (const question of questions) p.presence.failed(question);
}

/** A lookup or read of this partition could not be made. */
function failed(p: PartitionState, { requester }: StoreFailed): void {
  if (p.presence.failed(requester)) return;
  const attaching = p.attaching.get(requester);
  const online = p.pulling.get(requester);
  if (attaching !== undefined) {
    p.attaching.delete(requester);
    refuse(p, attaching.attach.session, 'store');
  } else if (online !== undefined) {
    p.pulling.delete(requester);
    send(p, online.session, { type: 'pull-refused' });
  }
}

// ---- of the moment -----------------------------------------------------------------------------------------

function activity(p: PartitionState, { user, session, active }: Activity): void {
  const online = p.online.get(user);
  if (online?.session !== session || online.active === active) return;
  online.active = active;
  if (active) p.presence.announce(user, 1, 0, online.blocked);
  else leave(p, user, online.blocked);
}

function ephemeral(p: PartitionState, message: Ephemeral): void {
  const { runtime, stats } = p.node;
  const online = p.online.get(message.to);
  if (
    online === undefined ||
    !online.active ||
    online.blocked.has(message.from) ||
    !runtime.trySend(online.session, message)
  ) {
    stats.ephemeralsDropped++;
  }
}

function watch(p: PartitionState, message: Watch): void {
  const { session, user, on } = message;
  if (on) {
    monitor(p, session);
    p.presence.watch(message);
  } else {
    p.presence.unwatch(session, user);
    forgetIfIdle(p, session);
  }
}

function blocking(p: PartitionState, { user, session, peer, on }: Blocking): void {
  const online = p.online.get(user);
  if (online?.session !== session) return;
  const blocked = new Set(online.blocked);
  if (on) blocked.add(peer);
  else blocked.delete(peer);
  online.blocked = blocked.size === 0 ? NOBODY : blocked;
  if (online.active) p.presence.blocked(user, peer, on);
}

/** `user` is not to be seen any more, from now on. */
function leave(p: PartitionState, user: UserId, blocked: ReadonlySet<UserId>): void {
  const time = p.node.clock.wall();
  // Lost when the store is overloaded: the next visit puts it right.
  p.node.store.control(Requester.nobody, 0, { op: 'last-seen', user, time });
  p.presence.announce(user, 0, time, blocked);
}

/** An answer that has not come so long after the store began anew was lost. */
const LOST_MS = 5000;

/** Who waited for the store when it began anew. */
interface Waiting {
  readonly attaching: readonly Attaching[];
  readonly questions: readonly number[];
}

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
