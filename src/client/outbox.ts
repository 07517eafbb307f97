import { OutboxKind, type OutboxRecord } from './client-store.js';

/**
 * What waits for the server's acknowledgement, in the order of ids: pure state, no clock, no socket.
 *
 *     unsaved ──saved──▶ ready ──transmitted──▶ inFlight ──acknowledged──▶ (gone)
 *                          ▲                        │
 *                          └── lost, expired, refused for now
 *
 * Between the oldest unacknowledged and the newest transmitted id there are never more than `window` ids: it
 * is the server's de-duplication window, and an id below it could not be told from a repeat. What is beyond
 * waits here, up to `countMax` items and `bytesMax` bytes; `add` then returns null.
 */
export const OutboxPhase = { unsaved: 0, ready: 1, inFlight: 2 } as const;
export type OutboxPhase = (typeof OutboxPhase)[keyof typeof OutboxPhase];

export interface OutboxItem extends OutboxRecord {
  readonly id: number;
  readonly kind: OutboxKind;
  readonly to: number;
  /** A read receipt that was not saved yet may still grow. */
  body: Uint8Array;
  phase: OutboxPhase;
  /** The server may have stored it although no acknowledgement arrived. */
  uncertain: boolean;
  /** Clock time of the last transmission. */
  transmittedAt: number;
  /** How often the server refused it for now. */
  refusals: number;
}

export interface OutboxLimits {
  readonly window: number;
  readonly countMax: number;
  readonly bytesMax: number;
}

/** What an item costs beside its body, so that empty bodies count too. */
const ITEM_BYTES = 32;

export class Outbox {
  readonly #items = new Map<number, OutboxItem>();
  readonly #held = new Map<number, number>();
  readonly #limits: OutboxLimits;
  #window: number;
  #bytes = 0;
  #inFlight = 0;
  #nextId: number;
  /** At or below the oldest item's id. */
  #oldest: number;
  /** No item below is ready, except those that are held. */
  #scanFrom: number;

  /** `records` is what an earlier run left: it may have been sent, so it is uncertain. */
  constructor(limits: OutboxLimits, nextId: number, records: readonly OutboxRecord[]) {
    this.#limits = limits;
    this.#window = limits.window;
    this.#nextId = nextId;
    for (const record of records) {
      this.#nextId = Math.max(this.#nextId, record.id + 1);
      this.#insert(record.id, record.kind, record.to, record.body, OutboxPhase.ready, true);
    }
    this.#oldest = records[0]?.id ?? this.#nextId;
    this.#scanFrom = this.#oldest;
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get inFlightCount(): number {
    return this.#inFlight;
  }

  get nextId(): number {
    return this.#nextId;
  }

  get(id: number): OutboxItem | undefined {
    return this.#items.get(id);
  }

  /** In the order of ids. */
  items(): IterableIterator<OutboxItem> {
    return this.#items.values();
  }

  /** The server's window, if it is smaller than ours. */
  limitWindow(window: number): void {
    this.#window = Math.max(1, Math.min(this.#limits.window, window));
  }

  /** Null: the outbox is full. The item is transmitted only after `saved`. */
  add(kind: OutboxKind, to: number, body: Uint8Array): OutboxItem | null {
    if (this.#items.size >= this.#limits.countMax) return null;
    if (this.#bytes + body.length + ITEM_BYTES > this.#limits.bytesMax) return null;
    const item = this.#insert(this.#nextId, kind, to, body, OutboxPhase.unsaved, false);
    this.#nextId += 1;
    return item;
  }

  /** The newest item, if it is a read receipt to `to` that may still grow. */
  growingReceipt(to: number): OutboxItem | null {
    const item = this.#items.get(this.#nextId - 1);
    if (item === undefined || item.phase !== OutboxPhase.unsaved) return null;
    return item.kind === OutboxKind.readReceipt && item.to === to ? item : null;
  }

  grow(item: OutboxItem, body: Uint8Array): void {
    this.#bytes += body.length - item.body.length;
    item.body = body;
  }

  /** The store has it: it may be sent. */
  saved(id: number): void {
    const item = this.#items.get(id);
    if (item === undefined || item.phase !== OutboxPhase.unsaved) return;
    item.phase = OutboxPhase.ready;
    if (id < this.#scanFrom) this.#scanFrom = id;
  }

  /** The next item to transmit at `now`, or null. Retries come before new ones because their ids are lower. */
  next(now: number): OutboxItem | null {
    while (this.#oldest < this.#nextId && !this.#items.has(this.#oldest)) this.#oldest += 1;
    if (this.#scanFrom < this.#oldest) this.#scanFrom = this.#oldest;
    const end = Math.min(this.#nextId, this.#oldest + this.#window);
    let skipped = false;
    for (let id = this.#scanFrom; id < end; id++) {
      const item = this.#items.get(id);
      if (item !== undefined && item.phase === OutboxPhase.unsaved) {
        // Ids are saved in order, but a store may report late: nothing overtakes what is not saved.
        if (!skipped) this.#scanFrom = id;
        return null;
      }
      if (item !== undefined && item.phase === OutboxPhase.ready) {
        if (!this.#isHeld(item.to, now)) {
          if (!skipped) this.#scanFrom = id;
          return item;
        }
        if (!skipped) this.#scanFrom = id;
        skipped = true;
      }
    }
    if (!skipped) this.#scanFrom = Math.max(this.#scanFrom, end);
    return null;
  }

  transmitted(item: OutboxItem, now: number): void {
    if (item.phase !== OutboxPhase.inFlight) this.#inFlight += 1;
    item.phase = OutboxPhase.inFlight;
    item.transmittedAt = now;
  }

  /** Takes the item out: acknowledged, or failed for good. Undefined: it was gone already (a repeated ack). */
  remove(id: number): OutboxItem | undefined {
    const item = this.#items.get(id);
    if (item === undefined) return undefined;
    this.#items.delete(id);
    if (item.phase === OutboxPhase.inFlight) this.#inFlight -= 1;
    this.#bytes -= item.body.length + ITEM_BYTES;
    return item;
  }

  /**
   * The server did not take it, for a reason that passes: it is not stored there, and nothing to the same
   * recipient is sent before `until`. (What was in flight behind it may overtake it.)
   */
  refused(item: OutboxItem, until: number): void {
    item.refusals += 1;
    if (item.phase === OutboxPhase.inFlight) this.#inFlight -= 1;
    item.phase = OutboxPhase.ready;
    this.#held.set(item.to, Math.max(until, this.#held.get(item.to) ?? 0));
    if (item.id < this.#scanFrom) this.#scanFrom = item.id;
  }

  /** The connection is gone: everything in flight is sent again, and nobody is held back. */
  connectionLost(): void {
    for (const item of this.#items.values()) this.#back(item);
    this.#held.clear();
  }

  /** What was transmitted at or before `deadline` and got no answer is sent again. Returns how many. */
  expire(deadline: number): number {
    let count = 0;
    for (const item of this.#items.values()) {
      if (item.phase === OutboxPhase.inFlight && item.transmittedAt <= deadline) {
        this.#back(item);
        count += 1;
      }
    }
    return count;
  }

  /** Clock time of the oldest transmission without an answer; Infinity when nothing is in flight. */
  oldestTransmission(): number {
    if (this.#inFlight === 0) return Number.POSITIVE_INFINITY;
    let oldest = Number.POSITIVE_INFINITY;
    for (const item of this.#items.values()) {
      if (item.phase === OutboxPhase.inFlight && item.transmittedAt < oldest) oldest = item.transmittedAt;
    }
    return oldest;
  }

  /** When the first recipient that is held back may be sent to again; Infinity: nobody is. */
  heldUntil(): number {
    let until = Number.POSITIVE_INFINITY;
    for (const time of this.#held.values()) until = Math.min(until, time);
    return until;
  }

  /** New messages get ids from here on (never lower than before). */
  advanceTo(nextId: number): void {
    this.#nextId = Math.max(this.#nextId, nextId);
  }

  /** Another device's ids: the empty outbox begins anew. */
  restartAt(nextId: number): void {
    this.#nextId = this.#oldest = this.#scanFrom = nextId;
  }

  /** Empties the outbox and returns what was in it, in order. */
  clear(): OutboxItem[] {
    const items = [...this.#items.values()];
    this.#items.clear();
    this.#held.clear();
    this.#bytes = 0;
    this.#inFlight = 0;
    return items;
  }

  #insert(
    id: number,
    kind: OutboxKind,
    to: number,
    body: Uint8Array,
    phase: OutboxPhase,
    uncertain: boolean,
  ): OutboxItem {
    const item: OutboxItem = { id, kind, to, body, phase, uncertain, transmittedAt: 0, refusals: 0 };
    this.#items.set(id, item);
    this.#bytes += body.length + ITEM_BYTES;
    return item;
  }

  #back(item: OutboxItem): void {
    if (item.phase !== OutboxPhase.inFlight) return;
    item.phase = OutboxPhase.ready;
    this.#inFlight -= 1;
    item.uncertain = true;
    if (item.id < this.#scanFrom) this.#scanFrom = item.id;
  }

  #isHeld(to: number, now: number): boolean {
    if (this.#held.size === 0) return false;
    const until = this.#held.get(to);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#held.delete(to);
    return false;
  }
}
