import { DedupeVerdict, judgeMessageId, markMessageId, restartMessageIds } from './dedupe-window.js';
import { partitionOf } from './partition-of.js';
import { NO_PIN, nextPinMs, requestPin, sameBytes, tryPin } from './pin-rules.js';
import { ReceiptRanges } from './receipt-ranges.js';
import {
  type Account,
  AppendStatus,
  type Control,
  type ControlResult,
  type DeviceId,
  type Entry,
  EntryKind,
  type Seq,
  type StoreEvents,
  type StoreLimits,
  type UserId,
} from './stores.js';
import type { Tables } from './tables.js';
import { UserState } from './user-state.js';

/** Most users in one `lookup-users`. */
const LOOKUP_USERS_MAX = 256;
/**
 * Receipts may fill an inbox up to this many times its limits: a full inbox must still learn that its own
 * messages arrived. Beyond it (somebody sends without end and never reads) a receipt is dropped, and the
 * inbox is marked as truncated.
 */
const RECEIPT_HEADROOM = 2;

/** Most entries and bytes of bodies in one page, whatever was asked for: a page must fit a ring's record. */
const PAGE_COUNT_MAX = 4096;
const PAGE_BYTES_MAX = 512 * 1024;

const NO_BYTES = new Uint8Array(0);
const NO_ENTRIES: readonly Entry[] = [];

/**
 * The judgement of the store, written once for all tables: each command is judged and applied at once, and
 * its events go to `events`. The same commands in the same order give the same tables and events: time comes
 * with the command, nothing is random.
 */
export class StateMachine {
  readonly #tables: Tables;
  readonly #limits: StoreLimits;
  readonly #events: StoreEvents;
  readonly #ranges = new ReceiptRanges();
  // What the receipts of the wipe being applied have in common; fields, so that no closure is made for each.
  #reader: UserId = 0;
  #readTime = 0;
  // Who asked for the control being applied.
  #asker = 0;
  #askerRef = 0;
  readonly #addReceipt = (sender: UserId, length: number): void => this.#receipt(sender, length);

  constructor(tables: Tables, limits: StoreLimits, events: StoreEvents) {
    this.#tables = tables;
    this.#limits = limits;
    this.#events = events;
  }

  /** What became of it; its requester is told by an event. */
  append(
    inbox: UserId,
    from: UserId,
    device: DeviceId,
    kind: EntryKind,
    ref: number,
    time: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    requester: number,
  ): AppendStatus {
    const events = this.#events;
    const partition = partitionOf(inbox);
    const sender = this.#tables.user(from);
    if (sender === null || sender.device !== device) {
      events.appended(requester, ref, AppendStatus.deviceRevoked, partition, 0, time, 0);
      return AppendStatus.deviceRevoked;
    }
    const verdict = judgeMessageId(sender, ref);
    if (verdict !== DedupeVerdict.fresh) {
      const status =
        verdict === DedupeVerdict.repeated ? AppendStatus.duplicate : AppendStatus.messageIdTooOld;
      events.appended(requester, ref, status, partition, 0, time, sender.highest);
      return status;
    }
    const recipient = inbox === from ? sender : this.#tables.user(inbox);
    const refusal = this.#refusal(recipient, from, bodyEnd - bodyStart);
    if (recipient === null || refusal !== AppendStatus.stored) {
      events.appended(requester, ref, refusal, partition, 0, time, sender.highest);
      return refusal;
    }
    markMessageId(sender, ref);
    const seq = this.#add(recipient, sender, time, kind, from, device, ref, source, bodyStart, bodyEnd);
    events.appended(requester, ref, AppendStatus.stored, partition, seq, time, sender.highest);
    return AppendStatus.stored;
  }

  wipe(inbox: UserId, device: DeviceId, upTo: Seq, time: number, requester: number): void {
    const state = this.#tables.user(inbox);
    let count = 0;
    if (state !== null && state.device === device && upTo > state.acked) {
      const seq = this.#tables.nextSeq();
      // Nothing beyond the log's present end can have been accepted.
      const accepted = Math.min(upTo, seq - 1);
      state.acked = accepted;
      if (accepted > state.floor) {
        state.floor = accepted;
        count = this.#tables.wipe(state, seq, accepted, time, this.#ranges);
      } else {
        // The device catches up with what an earlier one had accepted.
        this.#tables.saveUser(state);
      }
    }
    this.#events.wiped(requester, inbox, upTo, count);
    if (!this.#ranges.isEmpty) {
      this.#reader = inbox;
      this.#readTime = time;
      this.#ranges.drain(this.#addReceipt);
    }
  }

  read(inbox: UserId, after: Seq, countMax: number, bytesMax: number, requester: number): void {
    const partition = partitionOf(inbox);
    const state = this.#tables.user(inbox);
    if (state === null || state.pendingCount === 0) {
      this.#events.page(partition, requester, inbox, NO_ENTRIES, false);
      return;
    }
    const page: Entry[] = [];
    const hasMore = this.#tables.page(
      state,
      after,
      Math.max(1, Math.min(countMax, PAGE_COUNT_MAX)),
      Math.min(bytesMax, PAGE_BYTES_MAX),
      page,
    );
    this.#events.page(partition, requester, inbox, page, hasMore);
  }

  lookup(user: UserId, requester: number): void {
    const state = this.#tables.user(user);
    this.#events.account(
      partitionOf(user),
      requester,
      state === null ? nobody(user) : this.#accountOf(state),
    );
  }

  control(control: Control, requester: number, ref: number): void {
    this.#asker = requester;
    this.#askerRef = ref;
    switch (control.op) {
      case 'pin-request':
        this.#pinRequest(control);
        return;
      case 'pin-verify':
        this.#pinVerify(control);
        return;
      case 'block':
        this.#block(control);
        return;
      case 'blocked': {
        const state = this.#tables.user(control.user);
        const users = state === null ? [] : this.#blockedBy(state);
        this.#answer({ op: 'blocked', users });
        return;
      }
      case 'set-name': {
        const state = this.#tables.user(control.user);
        if (state !== null) {
          state.name = control.name;
          this.#tables.saveUser(state);
        }
        this.#answer({ op: 'set-name' });
        return;
      }
      case 'lookup-users': {
        const users = [];
        for (const user of control.users.slice(0, LOOKUP_USERS_MAX)) {
          const state = this.#tables.user(user);
          if (state === null) continue;
          // Whom somebody blocks does not learn when that somebody was there.
          const hidden = state.blockedCount > 0 && this.#tables.blocked(state).has(control.asker);
          users.push({ user, name: state.name, lastSeen: hidden ? 0 : state.lastSeen });
        }
        this.#answer({ op: 'lookup-users', users });
        return;
      }
      case 'last-seen': {
        const state = this.#tables.user(control.user);
        if (state !== null && control.time > state.lastSeen) {
          state.lastSeen = control.time;
          this.#tables.saveLastSeen(state);
        }
        this.#answer({ op: 'last-seen' });
        return;
      }
    }
  }

  /** To whom asked the control that is being applied. */
  #answer(result: ControlResult): void {
    this.#events.controlled(this.#asker, this.#askerRef, result);
  }

  #accountOf(state: UserState): Account {
    return {
      user: state.user,
      device: state.device,
      keySalt: state.keySalt,
      keyHash: state.keyHash,
      head: state.head,
      acked: state.acked,
      truncated: state.truncated,
      pendingCount: state.pendingCount,
      pendingBytes: state.pendingBytes,
      lastSeen: state.lastSeen,
      name: state.name,
      blocked: this.#blockedBy(state),
    };
  }

  /** In ascending order. */
  #blockedBy(state: UserState): UserId[] {
    return state.blockedCount === 0 ? [] : [...this.#tables.blocked(state)].sort((a, b) => a - b);
  }

  #refusal(recipient: UserState | null, from: UserId, bytes: number): AppendStatus {
    if (recipient === null) return AppendStatus.unknownRecipient;
    if (recipient.blockedCount > 0 && this.#tables.blocked(recipient).has(from)) return AppendStatus.blocked;
    if (
      recipient.pendingCount >= this.#limits.inboxCountMax ||
      recipient.pendingBytes + bytes > this.#limits.inboxBytesMax
    ) {
      return AppendStatus.inboxFull;
    }
    return AppendStatus.stored;
  }

  #add(
    inbox: UserState,
    sender: UserState | null,
    time: number,
    kind: EntryKind,
    from: UserId,
    device: DeviceId,
    ref: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): Seq {
    const seq = this.#tables.nextSeq();
    inbox.head = seq;
    inbox.pendingCount++;
    inbox.pendingBytes += bodyEnd - bodyStart;
    this.#tables.add(inbox, sender, seq, time, kind, from, device, ref, source, bodyStart, bodyEnd);
    this.#events.entry(
      partitionOf(inbox.user),
      inbox.user,
      seq,
      time,
      kind,
      from,
      ref,
      source,
      bodyStart,
      bodyEnd,
    );
    return seq;
  }

  #receipt(sender: UserId, length: number): void {
    const state = this.#tables.user(sender);
    if (state === null) return;
    const limits = this.#limits;
    if (
      state.pendingCount >= RECEIPT_HEADROOM * limits.inboxCountMax ||
      state.pendingBytes + length > RECEIPT_HEADROOM * limits.inboxBytesMax
    ) {
      state.truncated = this.#tables.nextSeq();
      this.#tables.saveUser(state);
      this.#events.truncated(partitionOf(sender), sender, state.truncated);
      return;
    }
    this.#add(
      state,
      null,
      this.#readTime,
      EntryKind.receiptDelivered,
      this.#reader,
      0,
      0,
      this.#ranges.bytes,
      0,
      length,
    );
  }

  #pinRequest(control: Control & { op: 'pin-request' }): void {
    const { user, pinHash, now } = control;
    const limits = this.#limits;
    const answer = requestPin(this.#tables.pin(user) ?? NO_PIN, pinHash, now, limits);
    if (typeof answer === 'number') {
      this.#answer({ op: 'pin-request', ok: false, retryAfterMs: answer });
      return;
    }
    this.#tables.savePin(user, answer);
    this.#answer({
      op: 'pin-request',
      ok: true,
      expiresMs: limits.pinLifeMs,
      resendAfterMs: nextPinMs(answer, now, limits),
    });
  }

  #pinVerify(control: Control & { op: 'pin-verify' }): void {
    const { user, pinHash, keySalt, keyHash, now } = control;
    const present = this.#tables.user(user);
    if (
      present !== null &&
      keyHash.length > 0 &&
      sameBytes(present.keyHash, keyHash) &&
      sameBytes(present.keySalt, keySalt)
    ) {
      // The very same command once more (a writer that died between commit and answer applies it again).
      this.#answer({
        op: 'pin-verify',
        ok: true,
        device: present.device,
        replaced: present.device - 1,
        firstMessageId: present.firstMessageId,
      });
      return;
    }
    const { pin, matched, triesLeft } = tryPin(this.#tables.pin(user) ?? NO_PIN, pinHash, now, this.#limits);
    this.#tables.savePin(user, pin);
    if (!matched) {
      const retryAfterMs = triesLeft > 0 ? 0 : nextPinMs(pin, now, this.#limits);
      this.#answer({ op: 'pin-verify', ok: false, triesLeft, retryAfterMs });
      return;
    }
    const state = present ?? new UserState(user);
    const replaced = state.device;
    state.device = replaced + 1;
    state.setKey(keySalt, keyHash);
    state.acked = 0;
    state.lastSeen = Math.max(state.lastSeen, now);
    const firstMessageId = restartMessageIds(state);
    this.#tables.saveUser(state);
    this.#answer({
      op: 'pin-verify',
      ok: true,
      device: state.device,
      replaced,
      firstMessageId,
    });
    if (replaced !== 0) this.#events.deviceReplaced(partitionOf(user), user, state.device);
  }

  #block(control: Control & { op: 'block' }): void {
    const { user, peer, on } = control;
    const state = this.#tables.user(user);
    if (state !== null && this.#tables.blocked(state).has(peer) !== on) {
      if (on && state.blockedCount >= this.#limits.blockedMax) {
        this.#answer({ op: 'block', ok: false, reason: 'too-many' });
        return;
      }
      state.blockedCount += on ? 1 : -1;
      this.#tables.saveBlock(state, peer, on);
    }
    this.#answer({ op: 'block', ok: true });
  }
}

function nobody(user: UserId): Account {
  return {
    user,
    device: 0,
    keySalt: NO_BYTES,
    keyHash: NO_BYTES,
    head: 0,
    acked: 0,
    truncated: 0,
    pendingCount: 0,
    pendingBytes: 0,
    lastSeen: 0,
    name: '',
    blocked: [],
  };
}
