import type { EventSink } from '../../src/storage/event-sink.js';
import type {
  Account,
  AppendStatus,
  CommandKind,
  ControlResult,
  DeviceId,
  Entry,
  EntryKind,
  Seq,
  StoreEvents,
  StoreFailure,
  UserId,
} from '../../src/storage/stores.js';

/** One event on its way. */
export interface HeldEvent {
  readonly kind: keyof StoreEvents;
  tell(target: StoreEvents): void;
}

/**
 * The store's events as they are on the way from the writer's thread to the scheduler's: kept until the batch is
 * durable, then given out as a whole. Everything is copied, since buffers are valid during the call only.
 */
export class HeldEvents implements EventSink {
  readonly #published: (events: readonly HeldEvent[]) => void;
  #held: HeldEvent[] = [];

  constructor(published: (events: readonly HeldEvent[]) => void) {
    this.#published = published;
  }

  /** What the open batch has made so far. */
  get held(): readonly HeldEvent[] {
    return this.#held;
  }

  publish(): void {
    const events = this.#held;
    this.#held = [];
    if (events.length > 0) this.#published(events);
  }

  discard(): void {
    this.#held = [];
  }

  #hold(kind: keyof StoreEvents, tell: (target: StoreEvents) => void): void {
    this.#held.push({ kind, tell });
  }

  appended(
    requester: number,
    ref: number,
    status: AppendStatus,
    partition: number,
    seq: Seq,
    time: number,
    highest: number,
  ): void {
    this.#hold('appended', (to) => to.appended(requester, ref, status, partition, seq, time, highest));
  }

  wiped(requester: number, inbox: UserId, upTo: Seq, count: number): void {
    this.#hold('wiped', (to) => to.wiped(requester, inbox, upTo, count));
  }

  controlled(requester: number, result: ControlResult): void {
    this.#hold('controlled', (to) => to.controlled(requester, result));
  }

  entry(
    partition: number,
    inbox: UserId,
    seq: Seq,
    time: number,
    kind: EntryKind,
    from: UserId,
    ref: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
  ): void {
    const body = source.slice(bodyStart, bodyEnd);
    this.#hold('entry', (to) => to.entry(partition, inbox, seq, time, kind, from, ref, body, 0, body.length));
  }

  page(
    partition: number,
    requester: number,
    inbox: UserId,
    entries: readonly Entry[],
    hasMore: boolean,
  ): void {
    const copies = entries.map((entry) => ({ ...entry, body: entry.body.slice() }));
    this.#hold('page', (to) => to.page(partition, requester, inbox, copies, hasMore));
  }

  account(partition: number, requester: number, account: Account): void {
    const { keySalt, keyHash, blocked } = account;
    const copy = { ...account, keySalt: keySalt.slice(), keyHash: keyHash.slice(), blocked: [...blocked] };
    this.#hold('account', (to) => to.account(partition, requester, copy));
  }

  deviceReplaced(partition: number, user: UserId, device: DeviceId): void {
    this.#hold('deviceReplaced', (to) => to.deviceReplaced(partition, user, device));
  }

  truncated(partition: number, inbox: UserId, truncated: Seq): void {
    this.#hold('truncated', (to) => to.truncated(partition, inbox, truncated));
  }

  restarted(): void {
    this.#hold('restarted', (to) => to.restarted?.());
  }

  failed(
    partition: number,
    requester: number,
    command: CommandKind,
    ref: number,
    failure: StoreFailure,
  ): void {
    this.#hold('failed', (to) => to.failed(partition, requester, command, ref, failure));
  }
}
