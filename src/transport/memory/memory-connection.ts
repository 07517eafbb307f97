import type { Clock } from '../../structures/clock.js';
import type { ListenerCounters } from '../listener.js';
import { type ConnectionAcceptor, type ConnectionHandler, SendResult, type Socket } from '../socket.js';
import { MemoryPipe, type PipeItem } from './memory-pipe.js';

/** What a client hears. */
export interface MemoryClientHandler {
  message(bytes: Uint8Array, isBinary: boolean): void;
  closed(code: number, reason: string): void;
}

/** What connections need of their listener. */
export interface MemoryNetwork {
  readonly clock: Clock;
  readonly counters: ListenerCounters;
  readonly options: {
    readonly maxPayloadBytes: number;
    readonly maxBackpressureBytes: number;
    readonly networkBytes: number;
    readonly latencyMs: () => number;
  };
  connectionClosed(connection: MemoryConnection, code: number): void;
  handlerFailed(connection: MemoryConnection, error: unknown): void;
  tooLarge(connection: MemoryConnection, bytes: number): void;
}

/** Written over a message's bytes when its handler has returned: whoever kept a view reads this. */
const POISON = 0xee;

/**
 * Both ends of one connection. The methods are the client's; {@link socket} is the server's end.
 *
 *     client.send ──▶ toServer (latency) ──▶ handler.message
 *     handler: message ◀── toClient (latency, client may pause) ◀── socket.send
 *
 * The server's send buffer is what is in `toClient` beyond what the network holds (`networkBytes`).
 */
export class MemoryConnection {
  readonly socket: Socket;
  readonly #network: MemoryNetwork;
  readonly #client: MemoryClientHandler;
  readonly #toServer: MemoryPipe;
  readonly #toClient: MemoryPipe;
  #handler: ConnectionHandler | null = null;
  #serverOpen = true;
  #clientOpen = true;
  #clientClosing = false;
  #drainDue = false;

  constructor(network: MemoryNetwork, client: MemoryClientHandler, remoteAddress: string) {
    this.#network = network;
    this.#client = client;
    const { clock } = network;
    const { latencyMs } = network.options;
    this.#toServer = new MemoryPipe(clock, latencyMs, (item) => this.#reachedServer(item));
    this.#toClient = new MemoryPipe(clock, latencyMs, (item) => this.#reachedClient(item));
    this.socket = {
      remoteAddress,
      send: (bytes) => this.#serverSends(bytes),
      bufferedBytes: () => (this.#serverOpen ? this.#buffered() : 0),
      close: (code, reason) => this.#serverCloses(code, reason),
      terminate: () => this.#serverTerminates(),
    };
  }

  /** Whether the client may still send. */
  get isOpen(): boolean {
    return this.#clientOpen && !this.#clientClosing;
  }

  /** Called by the listener, once. */
  accept(acceptor: ConnectionAcceptor): void {
    try {
      const handler = acceptor.opened(this.socket);
      if (!this.#serverOpen) return;
      if (handler === null) this.#serverTerminates();
      else this.#handler = handler;
    } catch (error) {
      this.#network.handlerFailed(this, error);
    }
  }

  /** Sends a copy of `bytes` to the server. Nothing happens when the client's end is closed. */
  send(bytes: Uint8Array, isBinary = true): void {
    if (this.isOpen) this.#toServer.put({ kind: 'message', bytes: bytes.slice(), isBinary });
  }

  /** The closing handshake: messages of the server still arrive until its answer does. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#clientClosing = true;
    this.#toServer.put({ kind: 'close', code, reason });
  }

  /** The client's machine resets the connection: what is on the way is lost; the server hears of it. */
  terminate(): void {
    if (!this.#clientOpen) return;
    this.#toServer.cut();
    this.#clientGone();
    this.#network.clock.defer(() => this.#serverClosed(1006, ''));
  }

  /** The client's network is gone: nothing arrives any more, on either side, and nobody hears of it. */
  vanish(): void {
    this.#toServer.cut();
    this.#toClient.pause();
    this.#clientOpen = false;
  }

  /** The client stops reading; later it goes on. */
  pause(): void {
    this.#toClient.pause();
  }

  resume(): void {
    if (this.#clientOpen) this.#toClient.resume();
  }

  #buffered(): number {
    return Math.max(0, this.#toClient.bytes - this.#network.options.networkBytes);
  }

  #serverSends(bytes: Uint8Array): SendResult {
    if (!this.#serverOpen) return SendResult.dropped;
    const { counters, options } = this.#network;
    if (this.#buffered() + bytes.length > options.maxBackpressureBytes) {
      counters.sendsDropped++;
      return SendResult.dropped;
    }
    counters.messagesOut++;
    counters.bytesOut += bytes.length;
    this.#toClient.put({ kind: 'message', bytes: bytes.slice(), isBinary: true });
    return this.#buffered() > 0 ? SendResult.buffered : SendResult.sent;
  }

  #serverCloses(code: number, reason: string): void {
    if (!this.#serverOpen) return;
    this.#toClient.put({ kind: 'close', code, reason });
    this.#serverClosed(code, reason);
  }

  #serverTerminates(): void {
    if (!this.#serverOpen) return;
    // As after a reset: what the client has not read is lost.
    this.#toClient.cut();
    this.#serverClosed(1006, '');
    this.#network.clock.defer(() => {
      if (!this.#clientOpen) return;
      this.#clientGone();
      this.#client.closed(1006, '');
    });
  }

  /** The server's end is closed, now: like uWebSockets.js it says so before close or terminate returns. */
  #serverClosed(code: number, reason: string): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.#toServer.cut();
    const handler = this.#handler;
    this.#handler = null;
    this.#network.connectionClosed(this, code);
    try {
      handler?.closed(code, reason);
    } catch (error) {
      this.#network.handlerFailed(this, error);
    }
  }

  #clientGone(): void {
    this.#clientOpen = false;
    this.#toClient.cut();
  }

  #reachedServer(item: PipeItem): void {
    if (item.kind === 'close') {
      // The answer to a closing handshake repeats the code, after all that was sent before.
      this.#toClient.put(item);
      this.#serverClosed(item.code, item.reason);
      return;
    }
    const { bytes, isBinary } = item;
    const { counters, options } = this.#network;
    if (bytes.length <= 2 * options.maxPayloadBytes) {
      counters.messagesIn++;
      counters.bytesIn += bytes.length;
    }
    if (bytes.length > options.maxPayloadBytes) {
      this.#network.tooLarge(this, bytes.length);
      return;
    }
    try {
      this.#handler?.message(bytes, isBinary);
    } catch (error) {
      this.#network.handlerFailed(this, error);
    }
    bytes.fill(POISON);
  }

  #reachedClient(item: PipeItem): void {
    if (item.kind === 'close') {
      this.#clientGone();
      this.#client.closed(item.code, item.reason);
      return;
    }
    const bytesBefore = this.#toClient.bytes + item.bytes.length;
    if (bytesBefore > this.#network.options.networkBytes) this.#drainSoon();
    this.#client.message(item.bytes, item.isBinary);
  }

  #drainSoon(): void {
    if (this.#drainDue || !this.#serverOpen) return;
    this.#drainDue = true;
    this.#network.clock.defer(() => {
      this.#drainDue = false;
      try {
        this.#handler?.drained();
      } catch (error) {
        this.#network.handlerFailed(this, error);
      }
    });
  }
}
