import { AppendStatus, EntryKind, MESSAGE_ID_WINDOW, type StoreLimits } from '../../src/storage/stores.js';

export interface ModelEntry {
  readonly seq: number;
  readonly time: number;
  readonly kind: EntryKind;
  readonly from: number;
  readonly ref: number;
  readonly body: string;
}

interface ModelUser {
  device: number;
  key: number;
  first: number;
  highest: number;
  /** Every id ever stored by the present device. */
  readonly stored: Set<number>;
  readonly blocked: Set<number>;
  inbox: ModelEntry[];
  acked: number;
  floor: number;
  name: string;
  lastSeen: number;
  truncated: number;
}

/**
 * What a store must amount to, said as plainly as possible and without a line of the store's own code. It does
 * not give out seqs: it is told those that the store gave.
 */
export class StoreModel {
  readonly users = new Map<number, ModelUser>();
  readonly #limits: StoreLimits;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** A copy to go back to when a batch comes to nothing. */
  clone(): StoreModel {
    const copy = new StoreModel(this.#limits);
    for (const [user, state] of this.users) {
      copy.users.set(user, {
        ...state,
        stored: new Set(state.stored),
        blocked: new Set(state.blocked),
        inbox: [...state.inbox],
      });
    }
    return copy;
  }

  /** A PIN was right: returns the device and its first message id. */
  register(user: number, key: number, now: number): { device: number; first: number } {
    const old = this.users.get(user);
    const first = (old?.highest ?? 0) + 1;
    this.users.set(user, {
      device: (old?.device ?? 0) + 1,
      key,
      first,
      highest: first - 1,
      stored: new Set(),
      blocked: old?.blocked ?? new Set(),
      inbox: old?.inbox ?? [],
      acked: 0,
      floor: old?.floor ?? 0,
      name: old?.name ?? '',
      lastSeen: Math.max(old?.lastSeen ?? 0, now),
      truncated: old?.truncated ?? 0,
    });
    return { device: (old?.device ?? 0) + 1, first };
  }

  /** What must come of an append; nothing has happened yet. */
  judge(inbox: number, from: number, device: number, ref: number, bytes: number): AppendStatus {
    const sender = this.users.get(from);
    if (sender?.device !== device) return AppendStatus.deviceRevoked;
    if (ref < sender.first || ref <= sender.highest - MESSAGE_ID_WINDOW) return AppendStatus.messageIdTooOld;
    if (sender.stored.has(ref)) return AppendStatus.duplicate;
    const recipient = this.users.get(inbox);
    if (recipient === undefined) return AppendStatus.unknownRecipient;
    if (recipient.blocked.has(from)) return AppendStatus.blocked;
    const pendingBytes = recipient.inbox.reduce((sum, { body }) => sum + body.length, 0);
    if (
      recipient.inbox.length >= this.#limits.inboxCountMax ||
      pendingBytes + bytes > this.#limits.inboxBytesMax
    ) {
      return AppendStatus.inboxFull;
    }
    return AppendStatus.stored;
  }

  store(inbox: number, entry: ModelEntry): void {
    const sender = this.users.get(entry.from)!;
    sender.stored.add(entry.ref);
    sender.highest = Math.max(sender.highest, entry.ref);
    this.users.get(inbox)!.inbox.push(entry);
  }

  /** What the wipe takes. `upTo` is a seq that has been given out. */
  wipe(inbox: number, device: number, upTo: number): ModelEntry[] {
    const state = this.users.get(inbox);
    if (state?.device !== device || upTo <= state.acked) return [];
    state.acked = upTo;
    state.floor = Math.max(state.floor, state.acked);
    const taken = state.inbox.filter(({ seq }) => seq <= state.acked);
    state.inbox = state.inbox.filter(({ seq }) => seq > state.acked);
    return taken;
  }

  /** The message ids that a wipe's receipts must name, by sender. */
  static receipts(taken: readonly ModelEntry[]): Map<number, number[]> {
    const receipts = new Map<number, number[]>();
    for (const { kind, from, ref } of taken) {
      if (kind !== EntryKind.message) continue;
      receipts.set(
        from,
        [...(receipts.get(from) ?? []), ref].sort((a, b) => a - b),
      );
    }
    return receipts;
  }
}

/** Reads the body of a receipt back into ids. */
export function idsOf(body: string): number[] {
  const bytes = Buffer.from(body, 'latin1');
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  const ids: number[] = [];
  const count = varint();
  let last = 0;
  for (let n = 0; n < count; n++) {
    const first = last + varint();
    last = first + varint();
    for (let id = first; id <= last; id++) ids.push(id);
  }
  if (at !== bytes.length) throw new Error('bytes behind the ranges');
  return ids;
}
