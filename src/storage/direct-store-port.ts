import type { Clock } from '../structures/clock.js';
import type { Control, DeviceId, EntryKind, Seq, Store, StoreFailure, StorePort, UserId } from './stores.js';

export interface DirectStorePortOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Commands in one batch; the next one is refused until the batch is committed. Default 4096. */
  readonly batchCountMax?: number;
  /** Bytes of bodies in one batch. Default 4 MiB. */
  readonly batchBytesMax?: number;
  /** Called when a batch could not be committed. */
  readonly onFailure?: (failure: StoreFailure) => void;
}

/**
 * A {@link StorePort} over a {@link Store} in the same thread, for the simulation and for tests: commands are
 * applied at once to the open batch, and the batch is committed in the next turn. Results come, as over the
 * rings, after the commit and never during the call.
 */
export class DirectStorePort implements StorePort {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #onFailure: ((failure: StoreFailure) => void) | undefined;
  readonly #turn = (): void => this.flush();
  #count = 0;
  #bytes = 0;
  #scheduled = false;
  #closed = false;

  constructor(options: DirectStorePortOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#countMax = options.batchCountMax ?? 4096;
    this.#bytesMax = options.batchBytesMax ?? 4 * 1024 * 1024;
    this.#onFailure = options.onFailure;
  }

  append(
    requester: number,
    inbox: UserId,
    from: UserId,
    device: DeviceId,
    kind: EntryKind,
    ref: number,
    time: number,
    source: Uint8Array,
    bodyStart: number,
    bodyEnd: number,
    heard: number,
  ): boolean {
    if (!this.#take(bodyEnd - bodyStart)) return false;
    this.#store.append(inbox, from, device, kind, ref, time, source, bodyStart, bodyEnd, requester, heard);
    return true;
  }

  wipe(requester: number, inbox: UserId, device: DeviceId, upTo: Seq, time: number): boolean {
    if (!this.#take(0)) return false;
    this.#store.wipe(inbox, device, upTo, time, requester);
    return true;
  }

  read(requester: number, inbox: UserId, after: Seq, countMax: number, bytesMax: number): boolean {
    if (!this.#take(0)) return false;
    this.#store.read(inbox, after, countMax, bytesMax, requester);
    return true;
  }

  lookup(requester: number, user: UserId): boolean {
    if (!this.#take(0)) return false;
    this.#store.lookup(user, requester);
    return true;
  }

  control(requester: number, ref: number, control: Control): boolean {
    if (!this.#take(0)) return false;
    this.#store.control(control, requester, ref);
    return true;
  }

  /** Commits the open batch now instead of in the next turn, and publishes its events. */
  flush(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    if (this.#count > 0) {
      this.#count = 0;
      this.#bytes = 0;
      const failure = this.#store.commit();
      if (failure !== null) this.#onFailure?.(failure);
    }
    // Events may have brought new commands: then the store has an open batch, and is not idle.
    if (this.#count === 0 && this.#store.housekeep(this.#clock.wall(), true)) this.#schedule();
  }

  /** Commits what is open and refuses everything from now on. The store stays open: its owner closes it. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  #take(bytes: number): boolean {
    if (this.#closed || this.#count >= this.#countMax || this.#bytes + bytes > this.#bytesMax) return false;
    if (this.#count === 0) this.#store.begin();
    this.#count++;
    this.#bytes += bytes;
    this.#schedule();
    return true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.defer(this.#turn);
  }
}
