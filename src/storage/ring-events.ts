import { DoorbellButton } from '../structures/doorbell.js';
import { RingOutlet } from '../structures/ring-outlet.js';
import {
  encodeAccount,
  encodeAppended,
  encodeControlled,
  encodeDeviceReplaced,
  encodeEntry,
  encodeFailed,
  encodePage,
  encodeRestarted,
  encodeTruncated,
  encodeWiped,
} from './codec/event-codec.js';
import type { EventSink } from './event-sink.js';
import { SCHEDULER_BELL, type StoreRings } from './store-rings.js';
import {
  type Account,
  type AppendStatus,
  type CommandKind,
  type ControlResult,
  type DeviceId,
  type Entry,
  type EntryKind,
  PARTITIONS,
  type Seq,
  type StoreFailure,
  type UserId,
} from './stores.js';

/** One batch is bounded by the writer, and the writer stops far below this: it bounds a mistake. */
const OVERFLOW_BYTES_MAX = 2 ** 30;

/** The way to one scheduler. */
interface Outlet {
  readonly records: RingOutlet;
  readonly bell: DoorbellButton;
}

/**
 * The writer's events on their way to the schedulers: written straight into the rings while the batch is
 * applied, and shown when it is durable, which is one store for each ring. Results go to the scheduler that
 * the command came from, what concerns an inbox to the scheduler that owns its partition. Events for a
 * scheduler that is not there (it died, and the next one reads its inboxes anew) are dropped.
 */
export class RingEvents implements EventSink {
  readonly #outlets: (Outlet | undefined)[] = [];
  /** Scheduler of each partition. */
  readonly #routes = new Int32Array(PARTITIONS);
  /** Scheduler of each command of the batch, for those that come to nothing. */
  #origins = new Int32Array(1024);
  #commands = 0;
  #failed = 0;
  #origin = 0;

  /** Opens the way to a scheduler, in place of an earlier one with the same number. Between batches. */
  attach(scheduler: number, rings: StoreRings): void {
    const records = new RingOutlet(rings.events, OVERFLOW_BYTES_MAX);
    const bell = new DoorbellButton(rings.bells, SCHEDULER_BELL);
    this.#outlets[scheduler] = { records, bell };
    if (!records.wasUsed) return;
    // A writer before this one has died, perhaps between a commit and its events.
    taken(encodeRestarted(records));
    records.publish();
    bell.ring();
  }

  detach(scheduler: number): void {
    this.#outlets[scheduler] = undefined;
  }

  route(partition: number, scheduler: number): void {
    this.#routes[partition] = scheduler;
  }

  /** The next command comes from `scheduler`. */
  from(scheduler: number): void {
    if (this.#commands === this.#origins.length) {
      const origins = new Int32Array(2 * this.#commands);
      origins.set(this.#origins);
      this.#origins = origins;
    }
    this.#origins[this.#commands++] = scheduler;
    this.#origin = scheduler;
  }

  /** Bytes of events in rings and behind them that are not shown yet, or could not be. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const outlet of this.#outlets) {
      if (outlet !== undefined) bytes += outlet.records.pendingBytes + outlet.records.overflowBytes;
    }
    return bytes;
  }

  /** Most bytes that wait behind one full ring. */
  get overflowBytes(): number {
    let bytes = 0;
    for (const outlet of this.#outlets) {
      if (outlet !== undefined) bytes = Math.max(bytes, outlet.records.overflowBytes);
    }
    return bytes;
  }

  /** Bytes that wait behind the full ring of one scheduler. */
  overflowBytesOf(scheduler: number): number {
    return this.#outlets[scheduler]?.records.overflowBytes ?? 0;
  }

  /** Between batches: moves what waits behind full rings. */
  flush(): void {
    for (const outlet of this.#outlets) {
      if (outlet !== undefined && outlet.records.overflowBytes > 0 && outlet.records.flush()) {
        outlet.bell.ring();
      }
    }
  }

  publish(): void {
    for (const outlet of this.#outlets) {
      if (outlet?.records.publish() === true) outlet.bell.ring();
    }
    this.#commands = 0;
    this.#failed = 0;
  }

  discard(): void {
    for (const outlet of this.#outlets) outlet?.records.rollback();
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
    const outlet = this.#outlets[this.#origin];
    if (outlet !== undefined) {
      taken(encodeAppended(outlet.records, requester, ref, status, partition, seq, time, highest));
    }
  }

  wiped(requester: number, inbox: UserId, upTo: Seq, count: number): void {
    const outlet = this.#outlets[this.#origin];
    if (outlet !== undefined) taken(encodeWiped(outlet.records, requester, inbox, upTo, count));
  }

  controlled(requester: number, ref: number, result: ControlResult): void {
    const outlet = this.#outlets[this.#origin];
    if (outlet !== undefined) taken(encodeControlled(outlet.records, requester, ref, result));
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
    const outlet = this.#owner(partition);
    if (outlet !== undefined) {
      taken(
        encodeEntry(outlet.records, partition, inbox, seq, time, kind, from, ref, source, bodyStart, bodyEnd),
      );
    }
  }

  page(
    partition: number,
    requester: number,
    inbox: UserId,
    entries: readonly Entry[],
    hasMore: boolean,
  ): void {
    const outlet = this.#owner(partition);
    if (outlet !== undefined) {
      taken(encodePage(outlet.records, partition, requester, inbox, entries, hasMore));
    }
  }

  account(partition: number, requester: number, account: Account): void {
    const outlet = this.#owner(partition);
    if (outlet !== undefined) taken(encodeAccount(outlet.records, partition, requester, account));
  }

  deviceReplaced(partition: number, user: UserId, device: DeviceId): void {
    const outlet = this.#owner(partition);
    if (outlet !== undefined) taken(encodeDeviceReplaced(outlet.records, partition, user, device));
  }

  truncated(partition: number, inbox: UserId, truncated: Seq): void {
    const outlet = this.#owner(partition);
    if (outlet !== undefined) taken(encodeTruncated(outlet.records, partition, inbox, truncated));
  }

  failed(
    partition: number,
    requester: number,
    command: CommandKind,
    ref: number,
    failure: StoreFailure,
  ): void {
    const origin = this.#origins[this.#failed++]!;
    const outlet = partition < 0 ? this.#outlets[origin] : this.#owner(partition);
    if (outlet !== undefined) {
      taken(encodeFailed(outlet.records, partition, requester, command, ref, failure));
    }
  }

  restarted(): void {
    for (const outlet of this.#outlets) {
      if (outlet !== undefined) taken(encodeRestarted(outlet.records));
    }
  }

  #owner(partition: number): Outlet | undefined {
    return this.#outlets[this.#routes[partition]!];
  }
}

function taken(encoded: boolean): void {
  if (!encoded) throw new Error(`more than ${OVERFLOW_BYTES_MAX} bytes of events wait for one scheduler`);
}
