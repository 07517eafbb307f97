import type { Clock } from '../../structures/clock.js';
import { Fifo } from '../../structures/fifo.js';

/** What travels in a pipe: a message, or the end of the connection in that direction. */
export type PipeItem =
  | { readonly kind: 'message'; readonly bytes: Uint8Array; readonly isBinary: boolean }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

interface Travelling {
  readonly item: PipeItem;
  /** Clock time at which it arrives. */
  readonly due: number;
}

/**
 * One direction of a connection: items arrive in order, each no earlier than its latency allows and never
 * before the one in front of it. The reader may pause; what has arrived then waits.
 */
export class MemoryPipe {
  readonly #clock: Clock;
  readonly #latencyMs: () => number;
  readonly #arrived: (item: PipeItem) => void;
  readonly #items = new Fifo<Travelling>();
  #bytes = 0;
  #paused = false;
  #cut = false;
  #timerSet = false;

  constructor(clock: Clock, latencyMs: () => number, arrived: (item: PipeItem) => void) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
    this.#arrived = arrived;
  }

  /** Bytes of messages put in and not arrived yet. */
  get bytes(): number {
    return this.#bytes;
  }

  put(item: PipeItem): void {
    if (this.#cut) return;
    const due = this.#clock.now() + this.#latencyMs();
    if (item.kind === 'message') this.#bytes += item.bytes.length;
    this.#items.push({ item, due });
    this.#arm();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#arm();
  }

  /** Nothing arrives any more. */
  cut(): void {
    this.#cut = true;
    this.#items.clear();
    this.#bytes = 0;
  }

  #arm(): void {
    const first = this.#items.peek();
    if (this.#timerSet || this.#paused || first === undefined) return;
    this.#timerSet = true;
    const delay = Math.max(0, first.due - this.#clock.now());
    const deliver = () => {
      this.#timerSet = false;
      this.#deliver();
    };
    if (delay === 0) this.#clock.defer(deliver);
    else this.#clock.setTimer(deliver, delay);
  }

  /** One item a turn, as from a network: the reader's turn may end, and others have theirs, in between. */
  #deliver(): void {
    if (this.#paused || this.#cut) return;
    const first = this.#items.peek();
    if (first !== undefined && first.due <= this.#clock.now()) {
      this.#items.shift();
      if (first.item.kind === 'message') this.#bytes -= first.item.bytes.length;
      this.#arrived(first.item);
    }
    this.#arm();
  }
}
