import type { Clock, ClockTimer } from '../structures/clock.js';
import type { Cursor } from './client-store.js';
import type { Incoming } from './incoming.js';

/**
 * What came in and the application has not accepted yet, handed over one at a time and in order.
 *
 * An entry is accepted when the handler returned, or when the promise that it returned was fulfilled. Only
 * then does the cursor move. When the handler fails, the entry stays at the head and is offered again after a
 * while (and again when the server repeats it on the next connection): nothing behind it is handed over,
 * since acknowledgements are cumulative.
 *
 * The queue is bounded by the server's window of unacknowledged bytes; a server that goes above `bytesMax`
 * breaks its promise, and `push` says false.
 */
export interface IntakeOwner {
  handOver(entry: Incoming): void | PromiseLike<void>;
  /** The cursor moved to `entry.seq`. */
  accepted(entry: Incoming): void;
  handlerFailed(entry: Incoming, error: unknown, retryInMs: number): void;
  /** Everything was accepted: there is room for more. */
  drained(): void;
}

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 30_000;

export class Intake {
  readonly #owner: IntakeOwner;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  #queue: Incoming[] = [];
  #head = 0;
  #bytes = 0;
  #cursor: Cursor;
  /** The entry that a promise of the handler's is still deciding on. */
  #pending: Incoming | null = null;
  #failures = 0;
  #retryTimer: ClockTimer | null = null;
  #running = false;

  constructor(owner: IntakeOwner, clock: Clock, cursor: Cursor, bytesMax: number) {
    this.#owner = owner;
    this.#clock = clock;
    this.#cursor = cursor;
    this.#bytesMax = bytesMax;
  }

  /** Up to where the application has accepted. */
  get cursor(): Cursor {
    return this.#cursor;
  }

  /** Nothing waits, and no handler is at work. */
  get isEmpty(): boolean {
    return this.#head === this.#queue.length && this.#pending === null;
  }

  /** False: the bound is exceeded, the entry was not taken. */
  push(entry: Incoming): boolean {
    const bytes = entry.kind === 'message' ? entry.body.length + 64 : entry.ranges.length * 8 + 64;
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#queue.push(entry);
    this.#bytes += bytes;
    this.#run();
    return true;
  }

  /** The connection is gone: the server will repeat what was not acknowledged. */
  clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#stopRetry();
  }

  /** The server has no past of ours: forget the old one. A handler that is still at work decides nothing. */
  reset(epoch: number): void {
    this.clear();
    this.#cursor = { epoch, seq: 0 };
    this.#pending = null;
    this.#failures = 0;
  }

  stop(): void {
    this.clear();
    this.#pending = null;
  }

  #run(): void {
    // Not re-entered: a handler may cause more to arrive.
    if (this.#running) return;
    this.#running = true;
    let accepted = false;
    while (this.#pending === null && this.#retryTimer === null && this.#head < this.#queue.length) {
      const entry = this.#queue[this.#head]!;
      if (entry.epoch !== this.#cursor.epoch || entry.seq <= this.#cursor.seq) {
        // A repeat of what a handler accepted while the connection was changing.
        this.#shift();
        continue;
      }
      let result: void | PromiseLike<void>;
      try {
        result = this.#owner.handOver(entry);
      } catch (error) {
        this.#failed(entry, error);
        break;
      }
      if (typeof result === 'object' && result !== null && typeof result.then === 'function') {
        this.#pending = entry;
        result.then(
          () => this.#settled(entry, null),
          (error: unknown) => this.#settled(entry, { error }),
        );
      } else {
        this.#accept(entry);
        accepted = true;
      }
    }
    this.#running = false;
    if (accepted && this.isEmpty) this.#owner.drained();
  }

  #settled(entry: Incoming, failure: { readonly error: unknown } | null): void {
    if (this.#pending !== entry) return;
    this.#pending = null;
    if (failure !== null) {
      this.#failed(entry, failure.error);
      return;
    }
    this.#accept(entry);
    this.#run();
    if (this.isEmpty) this.#owner.drained();
  }

  #accept(entry: Incoming): void {
    this.#failures = 0;
    this.#cursor = { epoch: entry.epoch, seq: entry.seq };
    // The queue may have been emptied, or emptied and filled again, since the entry was handed over.
    if (this.#queue[this.#head] === entry) this.#shift();
    this.#owner.accepted(entry);
  }

  #failed(entry: Incoming, error: unknown): void {
    const retryInMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#retryTimer = this.#clock.setTimer(() => {
      this.#retryTimer = null;
      this.#run();
    }, retryInMs);
    this.#owner.handlerFailed(entry, error, retryInMs);
  }

  #shift(): void {
    const entry = this.#queue[this.#head]!;
    this.#bytes -= entry.kind === 'message' ? entry.body.length + 64 : entry.ranges.length * 8 + 64;
    this.#head += 1;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
  }

  #stopRetry(): void {
    if (this.#retryTimer === null) return;
    this.#clock.clearTimer(this.#retryTimer);
    this.#retryTimer = null;
  }
}
