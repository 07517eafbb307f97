import { ErrorCode, errorName } from '../../src/protocol/index.js';
import type { DeviceId, Seq, UserId } from '../../src/storage/stores.js';
import type { Clock } from '../../src/structures/clock.js';

/** What was promised and not kept. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
  /** Simulated ms at which it was noticed. */
  readonly time: number;
}

/** One device of a user, from registration to replacement. */
export interface DeviceView {
  readonly user: UserId;
  /** Unique in the history. */
  readonly instance: number;
  /** Counts how often the device lost its cursor or was told RESET: what it knows begins anew. */
  readonly generation: number;
  /** When it said hello on the connection that brought the entry. */
  readonly helloAt: number;
}

/** A message or read receipt that a device made. */
export class Outgoing {
  /** When it was first and last sent; −1: never. */
  transmittedAt = -1;
  retriedAt = -1;
  acked = false;
  /** The stored id that the acknowledgement told; −1: none did. */
  storedHigh = -1;
  storedLow = -1;
  time = -1;
  /** The error that ended it; 0: none. */
  refused = 0;
  /** It was acknowledged or refused for good once, whatever its sender remembers of that. */
  wasAnswered = false;
  /** It was refused for now and sent again, so later ones may have overtaken it. */
  refusedForNow = false;
  /** Place in the store's log; −1: not stored. */
  seq: Seq = -1;
  /** A backup without it was restored. */
  lost = false;
  /** It lived through the restoring of a backup: may come twice, and its receipts may be gone. */
  relaxed = false;
  /** Who took it, in order. */
  readonly takenBy: DeviceView[] = [];
  /** When the store wiped it; −1: not. And the seq of the receipt that this made. */
  wipedAt = -1;
  receiptSeq: Seq = -1;
  /** The store dropped it before anybody accepted it. */
  isDropped = false;
  /** Its delivered and read states as its sender's devices heard them. */
  readonly delivered: DeviceView[] = [];
  readonly read: DeviceView[] = [];

  constructor(
    readonly kind: 'message' | 'read',
    readonly from: UserId,
    readonly instance: number,
    readonly to: UserId,
    readonly id: number,
    /** As it is on the wire: of a read receipt the ranges. */
    readonly body: Uint8Array,
    /** Of a read receipt: the ids that it names. */
    readonly ids: readonly number[],
  ) {}

  toString(): string {
    const what = this.kind === 'message' ? 'message' : `read receipt for ${this.ids.join(',')}`;
    return `${what} ${this.from}#${this.id} (device instance ${this.instance}) to ${this.to}, seq ${this.seq}`;
  }
}

const NOTHING: readonly Outgoing[] = [];

/**
 * Everything that was said and done, and the judgement of it: what clients sent, what the server acknowledged, what
 * the store kept, what clients took. Checks while it listens, and the rest at the end; keeps the first violation.
 */
export class Ledger {
  violation: Violation | null = null;
  readonly #clock: Clock;
  readonly #inboxAgeMsMax: number;
  readonly outgoing: Outgoing[] = [];
  readonly #byId = new Map<UserId, Map<number, Outgoing[]>>();
  /** The last message taken, by sender's instance and recipient. */
  readonly #lastTaken = new Map<string, Outgoing>();
  /** What devices were told to be gone, and what the store said is gone. */
  readonly #toldTruncated = new Map<UserId, Seq>();
  readonly #truncated = new Map<UserId, Seq>();
  /** Since when a block is certainly in force, by `blocker:peer`. */
  readonly #blockedSince = new Map<string, number>();
  /** Inboxes of which something was dropped in the batch that is being observed. */
  readonly #toCount = new Map<UserId, Seq>();
  readonly #wipedUpTo = new Map<UserId, Seq>();
  readonly #blocksAsked = new Set<string>();
  readonly #unblocks = new Map<string, number>();
  /** Numbers that somebody may have registered, and since when somebody certainly has. */
  readonly #registering = new Set<UserId>();
  readonly #registered = new Map<UserId, number>();
  /** Which device of its user an instance is. */
  readonly #deviceOf = new Map<number, DeviceId>();
  /** The device that the store has for a user. */
  readonly #devices = new Map<UserId, DeviceId>();
  /** While a log is read again: what it told so far. */
  #replayed: Set<Outgoing> | null = null;
  #undo: (() => void)[] = [];
  #restoring = false;
  #restoredAt = -1;
  restores = 0;

  constructor(clock: Clock, inboxAgeMsMax: number) {
    this.#clock = clock;
    this.#inboxAgeMsMax = inboxAgeMsMax;
  }

  violate(invariant: string, what: string): void {
    this.violation ??= { invariant, what, time: this.#clock.now() };
  }

  // ---- the sender's side -------------------------------------------------------------------------------------

  /** A device is going to send this: it has written it down. */
  compose(outgoing: Outgoing): void {
    this.outgoing.push(outgoing);
    let ids = this.#byId.get(outgoing.from);
    if (ids === undefined) {
      ids = new Map();
      this.#byId.set(outgoing.from, ids);
    }
    const same = ids.get(outgoing.id);
    if (same === undefined) ids.set(outgoing.id, [outgoing]);
    else same.push(outgoing);
  }

  transmitted(outgoing: Outgoing): void {
    outgoing.retriedAt = this.#clock.now();
    // A program that forgot the refusal sends it again, and may have more luck.
    outgoing.refused = 0;
    if (outgoing.transmittedAt < 0) outgoing.transmittedAt = outgoing.retriedAt;
  }

  acknowledged(outgoing: Outgoing, duplicate: boolean, high: number, low: number, time: number): void {
    if (outgoing.transmittedAt < 0) this.violate('acks', `${outgoing} was acknowledged and never sent`);
    if (outgoing.refused !== 0) {
      this.violate('acks', `${outgoing} was refused (${errorName(outgoing.refused)}) and then acknowledged`);
    }
    if (outgoing.seq < 0 && !outgoing.lost)
      this.violate('acks', `${outgoing} was acknowledged before it was stored`);
    if (!this.#registering.has(outgoing.to)) {
      this.violate('acks', `${outgoing} was acknowledged, but nobody has that number`);
    }
    outgoing.acked = true;
    outgoing.wasAnswered = true;
    if (duplicate) return;
    const since = this.#blockedSince.get(`${outgoing.to}:${outgoing.from}`);
    if (since !== undefined && outgoing.transmittedAt > since) {
      this.violate('blocks', `${outgoing} was acknowledged although its sender was blocked at ${since}`);
    }
    outgoing.storedHigh = high;
    outgoing.storedLow = low;
    outgoing.time = time;
  }

  refused(outgoing: Outgoing, code: number, retryable: boolean): void {
    // A program that crashed before it had written down the answer may ask again when it is far too late.
    if (outgoing.wasAnswered && code === ErrorCode.messageIdTooOld) {
      if (!outgoing.acked) outgoing.refused = code;
      return;
    }
    if (outgoing.acked && !retryable && !outgoing.relaxed)
      this.violate('acks', `${outgoing} was acknowledged and then refused: ${errorName(code)}`);
    if (retryable) {
      outgoing.refusedForNow = true;
      return;
    }
    outgoing.refused = code;
    outgoing.wasAnswered = true;
    if (outgoing.relaxed) return;
    switch (code) {
      case ErrorCode.unknownRecipient:
        if (
          (this.#registered.get(outgoing.to) ?? Number.POSITIVE_INFINITY) < outgoing.retriedAt &&
          this.restores === 0
        ) {
          this.violate('errors', `${outgoing} was refused: unknown recipient, but that number is registered`);
        }
        return;
      case ErrorCode.blocked:
        if (!this.#blocksAsked.has(`${outgoing.to}:${outgoing.from}`)) {
          this.violate('errors', `${outgoing} was refused: blocked, but nobody asked for that`);
        }
        return;
      case ErrorCode.bodyTooLarge:
      case ErrorCode.badPhone:
      case ErrorCode.notSupported:
        return;
      default:
        this.violate('errors', `${outgoing} was refused: ${errorName(code)}`);
    }
  }

  // ---- the store's side: an observer who sees each commit ----------------------------------------------------

  stored(inbox: UserId, seq: Seq, from: UserId, ref: number, body: Uint8Array): void {
    const candidates = this.#byId.get(from)?.get(ref) ?? NOTHING;
    const outgoing = candidates.findLast(
      (each) => each.to === inbox && each.transmittedAt >= 0 && same(each.body, body),
    );
    if (outgoing === undefined) {
      this.violate('store', `the store took ${from}#${ref} to ${inbox}, which nobody sent`);
      return;
    }
    if (this.#replayed !== null) {
      this.#replayed.add(outgoing);
      if (outgoing.seq === seq) return;
    }
    if (outgoing.seq >= 0) this.violate('exactly once', `${outgoing} was stored again at seq ${seq}`);
    if (
      this.#replayed === null &&
      (this.#deviceOf.get(outgoing.instance) ?? 0) < (this.#devices.get(from) ?? 0)
    ) {
      this.violate('devices', `${outgoing} was stored although its device had been replaced`);
    }
    if (this.#replayed !== null) {
      const { lost } = outgoing;
      this.#undo.push(() => {
        outgoing.seq = -1;
        outgoing.lost = lost;
      });
    }
    outgoing.seq = seq;
    outgoing.lost = false;
  }

  deviceReplaced(user: UserId, device: DeviceId): void {
    this.#devices.set(user, device);
  }

  /** Somebody tries. */
  registering(user: UserId): void {
    this.#registering.add(user);
  }

  deviceRegistered(user: UserId, instance: number, device: DeviceId): void {
    if (!this.#registered.has(user)) this.#registered.set(user, this.#clock.now());
    this.#deviceOf.set(instance, device);
  }

  /** The store reads its log again, after a crash. */
  replayBegins(): void {
    this.#replayed = new Set();
    this.#undo = [];
  }

  /** The start came to nothing in the end: what it told that was new may go again. */
  replayFails(): void {
    this.#replayed = null;
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
  }

  /** What was committed before the crash must have been in it. */
  replayEnds(): void {
    const replayed = this.#replayed;
    this.#replayed = null;
    if (replayed === null) return;
    const isRestored = this.#restoring;
    this.#restoring = false;
    for (const outgoing of this.outgoing) {
      if (outgoing.seq < 0 || replayed.has(outgoing)) continue;
      if (isRestored) {
        outgoing.seq = -1;
        outgoing.lost = true;
      } else {
        this.violate('durability', `${outgoing} had been committed, and is not in the log any more`);
        return;
      }
    }
  }

  /** What `by` accepted of `sender` is gone, and this is the receipt of it. */
  wiped(sender: UserId, by: UserId, ids: readonly number[], receiptSeq: Seq): void {
    for (const id of ids) this.#wipedOne(sender, by, id, receiptSeq);
  }

  #wipedOne(sender: UserId, by: UserId, id: number, receiptSeq: Seq): void {
    if (this.#isAmbiguous(sender, id)) {
      for (const each of this.#byId.get(sender)?.get(id) ?? NOTHING) {
        if (each.to !== by || each.kind !== 'message' || each.takenBy.length === 0) continue;
        each.wipedAt = this.#clock.now();
        each.receiptSeq = receiptSeq;
      }
      return;
    }
    const outgoing = this.#find(sender, id, by);
    if (outgoing === undefined) {
      this.violate('receipts', `a receipt of ${by} names ${sender}#${id}, which was never sent to it`);
      return;
    }
    if (outgoing.takenBy.length === 0) {
      this.violate('wipes', `${outgoing} was wiped, and its recipient never took it`);
    }
    if (outgoing.receiptSeq === receiptSeq) return;
    if (outgoing.wipedAt >= 0 && !outgoing.relaxed)
      this.violate('receipts', `${outgoing} got a second receipt`);
    if (this.#replayed !== null) {
      const { wipedAt, receiptSeq: before } = outgoing;
      this.#undo.push(() => {
        outgoing.wipedAt = wipedAt;
        outgoing.receiptSeq = before;
      });
    }
    outgoing.wipedAt = this.#clock.now();
    outgoing.receiptSeq = receiptSeq;
  }

  /** The store took everything of an inbox up to here for accepted. */
  wipedUpTo(inbox: UserId, upTo: Seq): void {
    this.#wipedUpTo.set(inbox, Math.max(upTo, this.#wipedUpTo.get(inbox) ?? 0));
  }

  /** The store dropped something of an inbox, at or below `upTo`. */
  truncated(inbox: UserId, upTo: Seq): void {
    this.#truncated.set(inbox, Math.max(upTo, this.#truncated.get(inbox) ?? 0));
    this.#toCount.set(inbox, upTo);
  }

  /** After a batch: finds out what was dropped. `pendingOf` says what is still there. */
  countDropped(pendingOf: (inbox: UserId) => ReadonlySet<Seq>): void {
    if (this.#toCount.size === 0) return;
    const wall = this.#clock.wall();
    for (const [inbox, upTo] of this.#toCount) {
      const pending = pendingOf(inbox);
      const accepted = this.#wipedUpTo.get(inbox) ?? 0;
      for (const outgoing of this.outgoing) {
        if (outgoing.to !== inbox || outgoing.seq <= accepted || outgoing.seq > upTo) continue;
        if (outgoing.isDropped || outgoing.wipedAt >= 0 || pending.has(outgoing.seq)) continue;
        outgoing.isDropped = true;
        if (outgoing.time >= 0 && wall - outgoing.time < this.#inboxAgeMsMax) {
          this.violate('age', `${outgoing} was dropped by age after ${wall - outgoing.time} ms`);
        }
      }
    }
    this.#toCount.clear();
  }

  /** A backup took the place of the database; what it holds is told when it is read. */
  restored(): void {
    this.restores++;
    this.#restoredAt = this.#clock.now();
    this.#restoring = true;
    this.#devices.clear();
    this.#wipedUpTo.clear();
    this.#blockedSince.clear();
    this.#lastTaken.clear();
    for (const outgoing of this.outgoing) outgoing.relaxed = true;
  }

  // ---- the recipient's side ----------------------------------------------------------------------------------

  /** A device took a message for good: it has written it down. */
  took(
    device: DeviceView,
    from: UserId,
    id: number,
    seq: Seq,
    time: number,
    high: number,
    low: number,
    body: Uint8Array,
  ): Outgoing | null {
    const candidates = this.#byId.get(from)?.get(id) ?? NOTHING;
    const outgoing = candidates.findLast(
      (each) => each.to === device.user && each.kind === 'message' && same(each.body, body),
    );
    if (outgoing === undefined) {
      this.violate(
        'content',
        `${device.user} got ${from}#${id} (${body.length} bytes, seq ${seq}), which nobody sent so`,
      );
      return null;
    }
    if (outgoing.refused !== 0 && !outgoing.relaxed) {
      this.violate('errors', `${outgoing} was refused (${errorName(outgoing.refused)}) and delivered`);
    }
    if (outgoing.seq !== seq && !outgoing.relaxed)
      this.violate('content', `${outgoing} came with seq ${seq}`);
    const idDiffers = outgoing.storedHigh !== high || outgoing.storedLow !== low || outgoing.time !== time;
    if (outgoing.storedHigh >= 0 && idDiffers && !outgoing.relaxed) {
      this.violate('content', `${outgoing} came with another message id or time than its acknowledgement`);
    }
    this.#checkRepeat(outgoing, outgoing.takenBy, device, 'was taken');
    if (outgoing.wipedAt >= 0 && outgoing.wipedAt < device.helloAt && !outgoing.relaxed) {
      this.violate('exactly once', `${outgoing} was delivered after it had been wiped`);
    }
    if (outgoing.takenBy.length === 0 && !outgoing.relaxed) this.#checkOrder(outgoing);
    outgoing.takenBy.push(device);
    return outgoing;
  }

  #checkOrder(outgoing: Outgoing): void {
    const key = `${outgoing.instance}:${outgoing.to}`;
    const last = this.#lastTaken.get(key);
    if (last !== undefined && last.id > outgoing.id && !last.relaxed) {
      if (!outgoing.refusedForNow) this.violate('order', `${outgoing} came after ${last}`);
      return;
    }
    this.#lastTaken.set(key, outgoing);
  }

  /** A receipt came to the sender's device. */
  receipt(device: DeviceView, by: UserId, isRead: boolean, ids: readonly number[], seq: Seq): void {
    // Of the database before the backup, and late: its ids mean others by now.
    if (device.helloAt < this.#restoredAt) return;
    for (const id of ids) {
      const outgoing = this.#find(device.user, id, by);
      // An id may have been used on both sides of a restored backup: then nobody can tell which one is meant.
      if (this.#isAmbiguous(device.user, id)) {
        for (const each of this.#byId.get(device.user)?.get(id) ?? NOTHING) {
          if (each.to === by && each.kind === 'message') (isRead ? each.read : each.delivered).push(device);
        }
        continue;
      }
      if (outgoing === undefined || outgoing.takenBy.length === 0) {
        this.violate(
          'receipts',
          `${device.user} got a receipt (seq ${seq}) of ${by} for #${id}, which that one never took`,
        );
        return;
      }
      const heard = isRead ? outgoing.read : outgoing.delivered;
      this.#checkRepeat(outgoing, heard, device, isRead ? 'was read' : 'was delivered');
      heard.push(device);
    }
  }

  #checkRepeat(outgoing: Outgoing, before: readonly DeviceView[], now: DeviceView, what: string): void {
    if (outgoing.relaxed) return;
    for (const each of before) {
      if (each.instance === now.instance && each.generation === now.generation) {
        this.violate(
          'exactly once',
          `${outgoing} ${what} twice by device instance ${now.instance} of ${now.user}`,
        );
      }
    }
  }

  /** A device was told that everything up to `upTo` may be gone. */
  toldTruncated(device: DeviceView, upTo: Seq): void {
    // Of the database before the backup, and late.
    if (device.helloAt < this.#restoredAt) return;
    const truncated = this.#truncated.get(device.user) ?? 0;
    // What it had accepted itself, before it lost its cursor, is gone too.
    if (upTo > Math.max(truncated, this.#wipedUpTo.get(device.user) ?? 0)) {
      const what = `${device.user} was told that its inbox is cut at ${upTo}, and the store never did that`;
      this.violate('resume', what);
    }
    const told = this.#toldTruncated.get(device.user) ?? 0;
    this.#toldTruncated.set(device.user, Math.max(told, Math.min(upTo, truncated)));
  }

  /** A device was told that it begins anew, which includes that older things may be gone. */
  toldReset(device: DeviceView): void {
    this.#toldTruncated.set(device.user, this.#truncated.get(device.user) ?? 0);
  }

  /** The server refused a message for now, whether its sender heard of it or not. */
  refusedForNow(from: UserId, id: number): void {
    for (const outgoing of this.#byId.get(from)?.get(id) ?? NOTHING) outgoing.refusedForNow = true;
  }

  // ---- blocks ------------------------------------------------------------------------------------------------

  /** Returns what `blockDone` wants to know: which wish it was. */
  blockAsked(blocker: UserId, peer: UserId): number {
    this.#blocksAsked.add(`${blocker}:${peer}`);
    return this.#wish(blocker, peer);
  }

  #wish(blocker: UserId, peer: UserId): number {
    return (this.#unblocks.get(`${blocker}:${peer}`) ?? 0) + this.restores * 1_000_000;
  }

  blockDone(blocker: UserId, peer: UserId, wish: number): void {
    // The answer may come after the wish to undo it, or from a database that is no more.
    if (wish === this.#wish(blocker, peer)) {
      this.#blockedSince.set(`${blocker}:${peer}`, this.#clock.now());
    }
  }

  unblockAsked(blocker: UserId, peer: UserId): void {
    this.#blockedSince.delete(`${blocker}:${peer}`);
    this.#unblocks.set(`${blocker}:${peer}`, (this.#unblocks.get(`${blocker}:${peer}`) ?? 0) + 1);
  }

  // ---- the end -----------------------------------------------------------------------------------------------

  /** How many messages have not come to their end. */
  openCount(isCurrent: (instance: number) => boolean): number {
    let open = 0;
    for (const outgoing of this.outgoing) if (this.#missing(outgoing, isCurrent) !== null) open++;
    return open;
  }

  /** What is still to come, in words; null: nothing. `isCurrent`: whether a device instance still acts for its user. */
  missing(
    isCurrent: (instance: number) => boolean,
  ): { readonly invariant: string; readonly what: string } | null {
    for (const outgoing of this.outgoing) {
      const problem = this.#missing(outgoing, isCurrent);
      if (problem !== null) return problem;
    }
    return null;
  }

  #missing(
    outgoing: Outgoing,
    isCurrent: (instance: number) => boolean,
  ): { readonly invariant: string; readonly what: string } | null {
    if (!outgoing.acked && outgoing.refused === 0 && isCurrent(outgoing.instance)) {
      return { invariant: 'acks', what: `${outgoing} was neither acknowledged nor refused` };
    }
    if (outgoing.lost || outgoing.seq < 0) return null;
    const isTaken = outgoing.takenBy.length > 0;
    // Dropped by age: whoever had not taken it must know that something is gone.
    if (outgoing.isDropped) {
      if (isTaken || outgoing.seq <= (this.#toldTruncated.get(outgoing.to) ?? 0)) return null;
    }
    if (outgoing.kind === 'read') return this.#missingRead(outgoing);
    if (!isTaken) {
      const kept = outgoing.acked ? 'acknowledged' : 'stored';
      return { invariant: 'no loss', what: `${outgoing} was ${kept} and never delivered` };
    }
    if (outgoing.relaxed) return null;
    if (outgoing.wipedAt < 0 && !this.#receiptWasDropped(outgoing))
      return { invariant: 'wipes', what: `${outgoing} was taken and never wiped` };
    if (
      outgoing.wipedAt >= 0 &&
      outgoing.delivered.length === 0 &&
      !this.#mayBeDropped(outgoing.from, outgoing.receiptSeq)
    ) {
      return { invariant: 'receipts', what: `${outgoing} was taken, and its sender got no receipt` };
    }
    return null;
  }

  #missingRead(receipt: Outgoing): { readonly invariant: string; readonly what: string } | null {
    if (receipt.relaxed || this.restores > 0) return null;
    for (const id of receipt.ids) {
      const read = this.#find(receipt.to, id, receipt.from);
      if (
        read !== undefined &&
        read.read.length === 0 &&
        !read.relaxed &&
        !this.#mayBeDropped(receipt.to, receipt.seq)
      ) {
        return { invariant: 'receipts', what: `${receipt} was stored and never came` };
      }
    }
    return null;
  }

  /** Its sender had so much waiting that even receipts found no room, and was told. */
  #receiptWasDropped(outgoing: Outgoing): boolean {
    const truncated = this.#truncated.get(outgoing.from) ?? 0;
    return truncated > outgoing.seq && this.#mayBeDropped(outgoing.from, truncated);
  }

  #isAmbiguous(from: UserId, id: number): boolean {
    const candidates = this.#byId.get(from)?.get(id) ?? NOTHING;
    return candidates.length > 1 && candidates.some(({ relaxed }) => relaxed);
  }

  /** Whether `user` was told that what had this seq in its inbox may be gone. */
  #mayBeDropped(user: UserId, seq: Seq): boolean {
    return seq <= (this.#toldTruncated.get(user) ?? 0);
  }

  /** The message `id` of `from` to `to`: the one that was stored, if devices that followed each other used one id. */
  #find(from: UserId, id: number, to: UserId): Outgoing | undefined {
    const candidates = this.#byId.get(from)?.get(id) ?? NOTHING;
    const fits = (each: Outgoing) => each.to === to && each.kind === 'message';
    return candidates.findLast((each) => fits(each) && each.seq >= 0) ?? candidates.findLast(fits);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
