import type { Latencies } from './latencies.js';
import type { Returns } from './returns.js';
import type { Dirty, Turn } from './turn.js';

/** Messages of one client between its oldest unfinished and its newest, at most: the protocol's id window. */
export const WINDOW_MAX = 256;

/** What all clients of a generator share. */
export interface LoadShared {
  readonly turn: Turn;
  readonly latencies: Latencies;
  readonly bodyBytes: number;
  /** Messages that one client keeps in flight; 0: it sends only what the pacer hands it. */
  window: number;
  /** Nothing new is sent. */
  stopped: boolean;
  /** Latencies count. */
  measuring: boolean;
  delivered: number;
  acked: number;
  receipted: number;
  /** The first thing that went wrong; ends the run. */
  fault: string | null;
  /** Who loses its connection comes back; null: that is a fault. */
  returns: Returns | null;
  /** A PIN was asked for. */
  pinWanted(phone: number): void;
}

/**
 * One end of a pair. Sends numbered messages to its partner and checks what comes from it: the numbers must be
 * 0, 1, 2, …, each once. Both ends live in this process, so the time on the way is read from one clock.
 *
 * What one message's life is depends on the dialect: it ends, and makes room for the next one, with
 * {@link finish}.
 */
export abstract class LoadClient implements Dirty {
  dirty = false;
  ready = false;
  /** Messages sent and finished by this client; the next number is `sent`. */
  sent = 0;
  finished = 0;
  /** Messages that came from the partner. */
  received = 0;
  partner!: LoadClient;
  readonly index: number;
  protected readonly shared: LoadShared;
  #failed: ((error: Error) => void) | null = null;
  /** Made at the first message: idle clients need none. */
  #sentAt: Float64Array | null = null;
  /** Times at which the pacer wanted a message to be sent that is still waiting for room. */
  #due: number[] = [];
  #oneMore = false;
  #opened: (() => void) | null = null;

  constructor(shared: LoadShared, index: number) {
    this.shared = shared;
    this.index = index;
  }

  /** Connects, authenticates; resolves when it may send. */
  open(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = resolve;
      this.#failed = reject;
      this.connect(port);
    });
  }

  abstract close(): void;
  /** WebSocket messages (or packets) in both directions. */
  abstract packets(): { readonly in: number; readonly out: number };
  protected abstract connect(port: number): void;
  /** Puts message number `n` into this turn's output. */
  protected abstract put(n: number): void;
  /** Writes this turn's output to the socket, if there is any. */
  protected abstract write(): void;

  /** Everything it sent has arrived, and its life is over. */
  get settled(): boolean {
    return this.finished === this.sent && this.partner.received === this.sent;
  }

  /** The pacer's message: to be sent at the end of this turn, or as soon as there is room. */
  pace(due: number): void {
    this.#due.push(due);
    this.shared.turn.mark(this);
  }

  flush(): void {
    if (!this.ready) {
      this.write();
      return;
    }
    const { shared } = this;
    let room = (shared.window === 0 ? WINDOW_MAX : shared.window) - (this.sent - this.finished);
    if (shared.window === 0) room = Math.min(room, this.#due.length);
    if (room > 0 && !shared.stopped) {
      this.#sentAt ??= new Float64Array(WINDOW_MAX);
      const now = performance.now();
      for (let i = 0; i < room; i++) {
        const n = this.sent++;
        this.#sentAt[n % WINDOW_MAX] = shared.window === 0 ? this.#due[i]! : now;
        this.put(n);
      }
      if (shared.window === 0) this.#due.splice(0, room);
    }
    if (this.#oneMore) {
      this.#oneMore = false;
      this.#sentAt ??= new Float64Array(WINDOW_MAX);
      const n = this.sent++;
      this.#sentAt[n % WINDOW_MAX] = performance.now();
      this.put(n);
    }
    this.write();
  }

  /** One message at the end of this turn, whatever the window. */
  protected sendOne(): void {
    this.#oneMore = true;
    this.shared.turn.mark(this);
  }

  /** The run is over: what still waits for room is not sent. */
  dropPaced(): void {
    this.#due.length = 0;
  }

  /** Message number `n` of the partner has arrived. */
  protected arrived(n: number, now: number): void {
    const { shared, partner } = this;
    if (n !== this.received) {
      this.fault(
        `message ${n} came, ${this.received} was expected: ${n < this.received ? 'twice' : 'a hole'}`,
      );
      return;
    }
    this.received = n + 1;
    shared.delivered++;
    if (shared.measuring) shared.latencies.record(now - partner.#sentAt![n % WINDOW_MAX]!);
  }

  /** The life of `count` messages of this client is over. */
  finish(count: number): void {
    this.finished += count;
    if (this.finished > this.sent) this.fault(`${this.finished} messages finished of ${this.sent} sent`);
    this.shared.turn.mark(this);
  }

  protected becameReady(): void {
    this.ready = true;
    this.#opened?.();
  }

  protected fault(what: string): void {
    const error = `client ${this.index}: ${what}`;
    this.shared.fault ??= error;
    this.#failed?.(new Error(error));
  }
}
