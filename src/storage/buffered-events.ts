import { RecordBuffer } from '../structures/record-buffer.js';
import {
  deliverEvent,
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
} from './stores.js';

const INITIAL_BYTES = 64 * 1024;
/** A batch is bounded by its writer; this bounds a mistake there. */
const BYTES_MAX = 2 ** 30;

/**
 * Events of one thread: keeps them as records until the batch is durable, then calls the target for each.
 * The target may submit commands of the next batch while it is being told.
 */
export class BufferedEvents implements EventSink {
  readonly #target: StoreEvents;
  #open = new RecordBuffer(INITIAL_BYTES, BYTES_MAX);
  #spare = new RecordBuffer(INITIAL_BYTES, BYTES_MAX);

  constructor(target: StoreEvents) {
    this.#target = target;
  }

  publish(): void {
    const batch = this.#open;
    this.#open = this.#spare;
    this.#spare = batch;
    for (let at = batch.peek(); at >= 0; at = batch.peek()) {
      deliverEvent(batch.memory, at, this.#target);
      batch.shift();
    }
  }

  discard(): void {
    this.#open.clear();
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
    taken(encodeAppended(this.#open, requester, ref, status, partition, seq, time, highest));
  }

  wiped(requester: number, inbox: UserId, upTo: Seq, count: number): void {
    taken(encodeWiped(this.#open, requester, inbox, upTo, count));
  }

  controlled(requester: number, ref: number, result: ControlResult): void {
    taken(encodeControlled(this.#open, requester, ref, result));
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
    taken(encodeEntry(this.#open, partition, inbox, seq, time, kind, from, ref, source, bodyStart, bodyEnd));
  }

  page(
    partition: number,
    requester: number,
    inbox: UserId,
    entries: readonly Entry[],
    hasMore: boolean,
  ): void {
    taken(encodePage(this.#open, partition, requester, inbox, entries, hasMore));
  }

  account(partition: number, requester: number, account: Account): void {
    taken(encodeAccount(this.#open, partition, requester, account));
  }

  deviceReplaced(partition: number, user: UserId, device: DeviceId): void {
    taken(encodeDeviceReplaced(this.#open, partition, user, device));
  }

  truncated(partition: number, inbox: UserId, truncated: Seq): void {
    taken(encodeTruncated(this.#open, partition, inbox, truncated));
  }

  failed(
    partition: number,
    requester: number,
    command: CommandKind,
    ref: number,
    failure: StoreFailure,
  ): void {
    taken(encodeFailed(this.#open, partition, requester, command, ref, failure));
  }

  restarted(): void {
    taken(encodeRestarted(this.#open));
  }
}

function taken(encoded: boolean): void {
  if (!encoded) throw new Error(`the events of one batch exceed ${BYTES_MAX} bytes`);
}
