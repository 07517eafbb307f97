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
  /** Whose inboxes it concerns; −1: it is for whoever gave the command. */
  readonly partition: number;
  /** Place of the scheduler that gave the command. */
  readonly origin: number;
  tell(target: StoreEvents): void;
}

/**
 * The store's events as they are on the way from the writer's thread to the scheduler's: kept until the batch is
 * durable, then given out as a whole. Everything is copied, since buffers are valid during the call only.
 */
export class HeldEvents implements EventSink {
  readonly #published: (events: readonly HeldEvent[]) => void;
  #held: HeldEvent[] = [];
  #origin = 0;
  /** Of each command of the open batch: those that come to nothing say so in the same order. */
  #origins: number[] = [];
  #failed = 0;

  constructor(published: (events: readonly HeldEvent[]) => void) {
    this.#published = published;
  }

  /** What the open batch has made so far. */
  get held(): readonly HeldEvent[] {
    return this.#held;
  }

  /** The next command comes from the scheduler at `place`. */
  from(place: number): void {
    this.#origin = place;
    this.#origins.push(place);
  }

  publish(): void {
    const events = this.#held;
    this.#held = [];
    this.#origins = [];
    this.#failed = 0;
    if (events.length > 0) this.#published(events);
  }

  discard(): void {
    this.#held = [];
  }

  #hold(kind: keyof StoreEvents, partition: number, tell: (target: StoreEvents) => void): void {
    this.#held.push({ kind, partition, origin: this.#origin, tell });
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
    this.#hold('appended', -1, (to) => to.appended(requester, ref, status, partition, seq, time, highest));
  }

  wiped(requester: number, inbox: UserId, upTo: Seq, count: number): void {
    this.#hold('wiped', -1, (to) => to.wiped(requester, inbox, upTo, count));
  }

  controlled(requester: number, ref: number, result: ControlResult): void {
    this.#hold('controlled', -1, (to) => to.controlled(requester, ref, result));
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
    this.#hold('entry', partition, (to) =>
      to.entry(partition, inbox, seq, time, kind, from, ref, body, 0, body.length),
    );
  }

  page(
    partition: number,
    requester: number,
    inbox: UserId,
    entries: readonly Entry[],
    hasMore: boolean,
  ): void {
    const copies = entries.map((entry) => ({ ...entry, body: entry.body.slice() }));
    this.#hold('page', partition, (to) => to.page(partition, requester, inbox, copies, hasMore));
  }

  account(partition: number, requester: number, account: Account): void {
    const { keySalt, keyHash, blocked } = account;
    const copy = { ...account, keySalt: keySalt.slice(), keyHash: keyHash.slice(), blocked: [...blocked] };
    this.#hold('account', partition, (to) => to.account(partition, requester, copy));
  }

  deviceReplaced(partition: number, user: UserId, device: DeviceId): void {
    this.#hold('deviceReplaced', partition, (to) => to.deviceReplaced(partition, user, device));
  }

  truncated(partition: number, inbox: UserId, truncated: Seq): void {
    this.#hold('truncated', partition, (to) => to.truncated(partition, inbox, truncated));
  }

  restarted(): void {
    this.#hold('restarted', -1, (to) => to.restarted?.());
  }

  failed(
    partition: number,
    requester: number,
    command: CommandKind,
    ref: number,
    failure: StoreFailure,
  ): void {
    this.#origin = this.#origins[this.#failed++] ?? 0;
    this.#hold('failed', partition, (to) => to.failed(partition, requester, command, ref, failure));
  }
}
