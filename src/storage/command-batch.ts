import type { EventSink } from './event-sink.js';
import type { SendHold } from './send-hold.js';
import { CommandKind, type StoreFailure } from './stores.js';

/** In place of a count: the hold knows of it already. */
const HELD = -1;

/**
 * Who asked for what in the open batch, so that each can be told when it comes to nothing. Kept in columns
 * that are reused from batch to batch.
 */
export class CommandBatch {
  #kinds = new Uint8Array(1024);
  #partitions = new Int8Array(1024);
  #requesters = new Float64Array(1024);
  #refs = new Float64Array(1024);
  /** Of an append: what its requester has heard of, or {@link HELD}. */
  #heard = new Int32Array(1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `partition`: where the result goes, −1: to the requester. */
  add(kind: CommandKind, requester: number, ref: number, partition: number): void {
    if (this.#count === this.#kinds.length) this.#grow();
    const n = this.#count++;
    this.#kinds[n] = kind;
    this.#partitions[n] = partition;
    this.#requesters[n] = requester;
    this.#refs[n] = ref;
  }

  addAppend(requester: number, ref: number, heard: number): void {
    this.add(CommandKind.append, requester, ref, -1);
    this.#heard[this.#count - 1] = heard;
  }

  /** An append that is refused in any case. */
  addHeld(requester: number, ref: number): void {
    this.addAppend(requester, ref, HELD);
  }

  clear(): void {
    this.#count = 0;
  }

  /**
   * Tells everybody, in the order of the commands, and forgets the batch. What the appends' requesters have sent
   * behind them is held. `time`: of the batch's last append.
   */
  fail(events: EventSink, failure: StoreFailure, hold: SendHold, time: number): void {
    for (let n = 0; n < this.#count; n++) {
      const kind = this.#kinds[n] as CommandKind;
      const heard = this.#heard[n]!;
      if (kind === CommandKind.append && heard !== HELD) {
        hold.failed(this.#requesters[n]!, this.#refs[n]!, heard, time);
      }
      events.failed(this.#partitions[n]!, this.#requesters[n]!, kind, this.#refs[n]!, failure);
    }
    this.#count = 0;
  }

  #grow(): void {
    const size = this.#kinds.length * 2;
    const kinds = new Uint8Array(size);
    const partitions = new Int8Array(size);
    const requesters = new Float64Array(size);
    const refs = new Float64Array(size);
    const heard = new Int32Array(size);
    kinds.set(this.#kinds);
    partitions.set(this.#partitions);
    requesters.set(this.#requesters);
    refs.set(this.#refs);
    heard.set(this.#heard);
    this.#kinds = kinds;
    this.#partitions = partitions;
    this.#requesters = requesters;
    this.#refs = refs;
    this.#heard = heard;
  }
}
