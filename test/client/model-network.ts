import type {
  ClientSocket,
  ClientSocketFactory,
  ClientSocketHandler,
} from '../../src/client/client-socket.js';
import type { SimulatedClock } from '../../src/structures/simulated-clock.js';

/** The server's end of a simulated connection. */
export interface ServerEnd {
  readonly url: string;
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
}

export interface ServerSide {
  /** Returns who takes the messages, or null to refuse. */
  accept(end: ServerEnd): { message(bytes: Uint8Array): void; closed(): void } | null;
}

const LATENCY_MS = 1;

/** Sockets over a simulated clock: every message takes a millisecond; connections can be cut or go silent. */
export class ModelNetwork implements ClientSocketFactory {
  readonly #clock: SimulatedClock;
  readonly #server: ServerSide;
  readonly #live = new Set<Wire>();
  /** Connections that were opened, refused ones included. */
  opened = 0;
  /** URLs in the order of the tries. */
  readonly tried: string[] = [];

  constructor(clock: SimulatedClock, server: ServerSide) {
    this.#clock = clock;
    this.#server = server;
  }

  open(url: string, _subprotocol: string, handler: ClientSocketHandler): ClientSocket {
    this.opened += 1;
    this.tried.push(url);
    const wire = new Wire(this.#clock, this.#live, url, handler);
    this.#clock.setTimer(() => {
      const taker = this.#server.accept(wire);
      if (taker === null) wire.end(1006, '');
      else wire.begin(taker);
    }, LATENCY_MS);
    return wire.client;
  }

  /** All connections end at once, both sides told, what was on its way lost. */
  cut(): void {
    for (const wire of [...this.#live]) wire.end(1006, 'cut');
  }

  /** Messages vanish in both directions and nobody is told. */
  silence(): void {
    for (const wire of this.#live) wire.isSilent = true;
  }

  get liveCount(): number {
    return this.#live.size;
  }
}

class Wire implements ServerEnd {
  isSilent = false;
  readonly client: ClientSocket;
  readonly url: string;
  readonly #clock: SimulatedClock;
  readonly #live: Set<Wire>;
  readonly #handler: ClientSocketHandler;
  #taker: { message(bytes: Uint8Array): void; closed(): void } | null = null;
  #isOver = false;

  constructor(clock: SimulatedClock, live: Set<Wire>, url: string, handler: ClientSocketHandler) {
    this.#clock = clock;
    this.#live = live;
    this.url = url;
    this.#handler = handler;
    this.client = {
      send: (bytes) => {
        const copy = Uint8Array.from(bytes);
        this.#later(() => this.#taker?.message(copy));
      },
      bufferedBytes: () => 0,
      close: (code, reason) => {
        this.#clock.setTimer(() => this.end(code, reason), LATENCY_MS);
      },
    };
  }

  begin(taker: { message(bytes: Uint8Array): void; closed(): void }): void {
    if (this.#isOver) {
      taker.closed();
      return;
    }
    this.#taker = taker;
    this.#live.add(this);
    this.#handler.opened();
  }

  send(bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes);
    this.#later(() => this.#handler.message(copy));
  }

  close(code: number, reason: string): void {
    this.#later(() => this.end(code, reason));
  }

  end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#live.delete(this);
    this.#taker?.closed();
    this.#handler.closed(code, reason);
  }

  #later(callback: () => void): void {
    if (this.isSilent || this.#isOver) return;
    this.#clock.setTimer(() => {
      if (!this.#isOver && !this.isSilent) callback();
    }, LATENCY_MS);
  }
}
