import { CloseCode, closeName } from '../../protocol/close-code.js';
import type { Clock } from '../../structures/clock.js';
import { Drain } from '../drain.js';
import { type Listener, ListenerCounters } from '../listener.js';
import type { ConnectionAcceptor, Socket } from '../socket.js';
import { type MemoryClientHandler, MemoryConnection, type MemoryNetwork } from './memory-connection.js';

export interface MemoryListenerOptions {
  /** As for the real listener. */
  readonly maxPayloadBytes: number;
  readonly maxBackpressureBytes: number;
  /** What the network itself holds on the way to a client before the server's buffer fills. */
  readonly networkBytes: number;
  /** Asked for each message: how long it travels. */
  readonly latencyMs: () => number;
  readonly onHandlerError: (error: unknown) => void;
}

/**
 * A listener without a network, in one thread, driven by a clock: the same contract as the real one, for tests
 * and for the simulation. Clients come in through {@link connect}.
 */
export class MemoryListener implements Listener, MemoryNetwork {
  readonly port = 0;
  readonly homePort = 0;
  readonly counters = new ListenerCounters();
  readonly clock: Clock;
  readonly options: MemoryListenerOptions;
  readonly #acceptor: ConnectionAcceptor;
  readonly #open = new Set<MemoryConnection>();
  readonly #drain: Drain;
  #accepting = true;

  constructor(options: MemoryListenerOptions, acceptor: ConnectionAcceptor, clock: Clock) {
    this.options = options;
    this.#acceptor = acceptor;
    this.clock = clock;
    this.#drain = new Drain(
      clock,
      () => this.connections,
      () => this.#terminateAll(),
    );
  }

  get connections(): number {
    return this.#open.size;
  }

  /**
   * A client connects. The connection is open when this returns; what the acceptor sends arrives later.
   *
   * @returns null when the listener does not accept any more.
   */
  connect(handler: MemoryClientHandler, remoteAddress = '7f000001'): MemoryConnection | null {
    if (!this.#accepting) return null;
    const connection = new MemoryConnection(this, handler, remoteAddress);
    this.#open.add(connection);
    this.counters.opened++;
    connection.accept(this.#acceptor);
    return connection;
  }

  forEach(visit: (socket: Socket) => void): void {
    // A Set's iterator passes over what is deleted on the way.
    for (const connection of this.#open) visit(connection.socket);
  }

  stopAccepting(): void {
    this.#accepting = false;
  }

  drain(graceMs: number): Promise<number> {
    this.stopAccepting();
    return this.#drain.start(graceMs);
  }

  close(): void {
    this.stopAccepting();
    this.#drain.cut();
  }

  /** Called by a connection. */
  connectionClosed(connection: MemoryConnection, code: number): void {
    this.#open.delete(connection);
    this.counters.close(code);
    this.#drain.connectionClosed();
  }

  /** Called by a connection. */
  handlerFailed(connection: MemoryConnection, error: unknown): void {
    this.counters.handlerErrors++;
    connection.socket.terminate();
    this.options.onHandlerError(error);
  }

  /** Called by a connection whose client sent a message above the limit. */
  tooLarge(connection: MemoryConnection, bytes: number): void {
    if (bytes > 2 * this.options.maxPayloadBytes) connection.socket.terminate();
    else connection.socket.close(CloseCode.frameTooLarge, closeName(CloseCode.frameTooLarge));
  }

  #terminateAll(): void {
    for (const connection of this.#open) connection.socket.terminate();
  }
}
