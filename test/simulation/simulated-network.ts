import type {
  ClientSocket,
  ClientSocketFactory,
  ClientSocketHandler,
} from '../../src/client/client-socket.js';
import { decodeError, ErrorRef, FrameReader, FrameType } from '../../src/protocol/index.js';
import type { SeededRandom } from '../../src/structures/seeded-random.js';
import type { SimulatedClock } from '../../src/structures/simulated-clock.js';
import {
  type ConnectionAcceptor,
  type ConnectionHandler,
  SendResult,
  type Socket,
} from '../../src/transport/socket.js';
import { describeFrames } from './describe-frames.js';
import type { Trace } from './trace.js';

export interface NetworkProfile {
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Everything that arrives within one tick is brought in one round of the server's event loop. */
  readonly tickMs: number;
  /** What the network holds on the way to a client before the server's own buffer fills. */
  readonly networkBytes: number;
  /** The server's send buffer: a send beyond it is dropped. */
  readonly backpressureBytesMax: number;
  /** The server drops a connection on which nothing came for so long. */
  readonly idleTimeoutMs: number;
}

/** Written over what a handler was given, when it has returned: whoever kept a view reads this. */
const POISON = 0xee;
const ABNORMAL = 1006;
/** So soon after a dropped send the server must have closed the connection. */
const SWALLOWED_MS = 1000;

/**
 * The network between clients and one server: connections with latency, bounded buffers and backpressure, which can
 * be cut in either direction, with or without either end being told.
 */
export class SimulatedNetwork {
  /** The server's doors, by the places of its schedulers: a connection comes to any of them, or by its home port to one. */
  readonly acceptors = new Map<number, ConnectionAcceptor>();
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly profile: NetworkProfile;
  /** Connections of which at least one end is open. */
  readonly connections = new Set<SimulatedConnection>();
  /** Hears that the server refuses a message for now, whether the client is going to hear it or not. */
  refused: (connection: SimulatedConnection, messageId: number) => void = () => {};
  /** Hears of a connection that the server keeps although a send was dropped. */
  swallowed: (connection: SimulatedConnection) => void = () => {};
  readonly #reader = new FrameReader();
  /** The most that any server's end had buffered. */
  bufferedBytesMost = 0;
  #ticks = new Map<number, (() => void)[]>();
  #count = 0;

  constructor(clock: SimulatedClock, random: SeededRandom, trace: Trace, profile: NetworkProfile) {
    this.clock = clock;
    this.random = random;
    this.trace = trace;
    this.profile = profile;
  }

  /** A client's way in. `opened` is told of each connection that it begins. */
  from(address: string, opened: (connection: SimulatedConnection) => void): ClientSocketFactory {
    return {
      open: (url, _subprotocol, handler) => {
        const port = Number(/:(\d+)\//.exec(url)?.[1] ?? 0);
        const connection = new SimulatedConnection(this, ++this.#count, address, port, handler);
        this.connections.add(connection);
        opened(connection);
        connection.begin();
        return connection.clientEnd;
      },
    };
  }

  /** A scheduler's thread, or all of them, are gone, with their sockets. Clients hear of it, or notice at last. */
  serverGone(place?: number): void {
    if (place === undefined) this.acceptors.clear();
    else this.acceptors.delete(place);
    for (const connection of this.connections) {
      if (place === undefined || connection.place === place) connection.serverGone();
    }
  }

  /** Place of the scheduler that takes a connection; 0: nobody does. The kernel spreads them as it likes. */
  placeFor(port: number): number {
    if (port !== 0) return this.acceptors.has(port - HOME_PORTS) ? port - HOME_PORTS : 0;
    const places = [...this.acceptors.keys()];
    return places[places.length > 1 ? this.random.below(places.length) : 0] ?? 0;
  }

  /** Looks into what the server says for messages that it refuses. */
  overhear(connection: SimulatedConnection, bytes: Uint8Array): void {
    const reader = this.#reader.reset(bytes);
    while (reader.next()) {
      if (reader.type !== FrameType.error) continue;
      const { refKind, ref, retryable } = decodeError(reader);
      if (refKind === ErrorRef.message && retryable) this.refused(connection, ref);
    }
  }

  /** Calls back at the tick at or after `time`, with all else that belongs there. Returns when that is. */
  at(time: number, callback: () => void): number {
    const { tickMs } = this.profile;
    const tick = Math.ceil(time / tickMs) * tickMs;
    const waiting = this.#ticks.get(tick);
    if (waiting !== undefined) {
      waiting.push(callback);
      return tick;
    }
    const callbacks = [callback];
    this.#ticks.set(tick, callbacks);
    this.clock.setTimer(() => {
      this.#ticks.delete(tick);
      for (const each of callbacks) each();
    }, tick - this.clock.now());
    return tick;
  }

  latencyMs(): number {
    const { latencyMsMin, latencyMsMax } = this.profile;
    return latencyMsMin + this.random.next() * (latencyMsMax - latencyMsMin);
  }
}

/** Home ports are this and the place of their scheduler. */
export const HOME_PORTS = 1000;

/** What waits at the client's end: a message, or the end. */
type Arrival =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string };

/**
 * One connection, both ends of it.
 *
 *     client ── up (latency) ──────────────────────────▶ server handler
 *     client ◀─ arrived (may not read) ◀── down (latency) ── server socket
 */
export class SimulatedConnection {
  readonly id: number;
  readonly clientEnd: ClientSocket;
  readonly #network: SimulatedNetwork;
  readonly #address: string;
  /** 0: the common one. */
  readonly #port: number;
  /** Of the scheduler that has it; 0: none yet. */
  place = 0;
  readonly #client: ClientSocketHandler;
  #server: ConnectionHandler | null = null;
  /** The server has the socket, and has not closed it. */
  #serverOpen = false;
  /** The client has not been told of the end. */
  #clientOpen = true;
  #clientClosing = false;
  /** Nothing that is on the way, or sent from now on, arrives. */
  #upCut = false;
  #downCut = false;
  #upDue = 0;
  #downDue = 0;
  /** Bytes that the server sent and the client has not read. */
  #downBytes = 0;
  #upBytes = 0;
  readonly #arrived: Arrival[] = [];
  /** Bytes a second; Infinity: everything at once; 0: nothing. */
  #readRate = Number.POSITIVE_INFINITY;
  #reading = false;
  #drainDue = false;
  #heardAt = 0;

  constructor(
    network: SimulatedNetwork,
    id: number,
    address: string,
    port: number,
    client: ClientSocketHandler,
  ) {
    this.#network = network;
    this.id = id;
    this.#address = address;
    this.#port = port;
    this.#client = client;
    this.clientEnd = {
      send: (bytes) => this.#clientSends(bytes),
      bufferedBytes: () => this.#upBytes,
      close: (code, reason) => this.#clientCloses(code, reason),
    };
  }

  get isOpen(): boolean {
    return this.#clientOpen && this.#serverOpen;
  }

  /** Cut, and somebody does not know it. */
  get isGhost(): boolean {
    return (this.#upCut || this.#downCut) && (this.#clientOpen || this.#serverOpen);
  }

  get isOver(): boolean {
    return !this.#clientOpen && !this.#serverOpen;
  }

  /** The handshake travels. */
  begin(): void {
    const { clock, trace } = this.#network;
    this.#upDue = this.#network.at(clock.now() + this.#network.latencyMs(), () => {
      this.place = this.#network.placeFor(this.#port);
      const acceptor = this.#network.acceptors.get(this.place);
      if (acceptor === undefined || this.#upCut || this.#clientClosing) {
        this.#down({ kind: 'closed', code: ABNORMAL, reason: '' }, 0);
        this.#forgetIfOver();
        return;
      }
      trace.note('open', this.id, this.place);
      this.#downDue = this.#network.at(clock.now() + this.#network.latencyMs(), () => {
        if (this.#clientOpen && !this.#downCut) this.#client.opened();
      });
      this.#serverOpen = true;
      this.#heardAt = clock.now();
      this.#watchIdle();
      const handler = acceptor.opened(this.#serverEnd());
      if (this.#serverOpen) this.#server = handler;
    });
  }

  // ---- what a history does to it -----------------------------------------------------------------------------

  /** The client reads so many bytes a second from now on. */
  read(bytesPerSecond: number): void {
    this.#readRate = bytesPerSecond;
    this.#read();
  }

  /**
   * The network loses everything on the way, and everything from now on. Each end hears of it after its delay;
   * Infinity: never (it may notice by itself).
   */
  cut(clientMs: number, serverMs: number): void {
    const { clock, trace } = this.#network;
    trace.note('cut', this.id, clientMs + serverMs, () => `client ${clientMs} ms, server ${serverMs} ms`);
    this.#upCut = true;
    this.#downCut = true;
    if (clientMs !== Number.POSITIVE_INFINITY) {
      this.#network.at(clock.now() + clientMs, () => this.#clientEnds(ABNORMAL, ''));
    }
    if (serverMs !== Number.POSITIVE_INFINITY) {
      this.#network.at(clock.now() + serverMs, () => this.#serverEnds(ABNORMAL, ''));
    }
  }

  /** What the client has sent and the server has not got is lost, and the rest stays in order: nothing more goes up. */
  serverGone(): void {
    if (!this.#serverOpen) return;
    const { random, clock } = this.#network;
    this.#serverOpen = false;
    this.#server = null;
    this.#upCut = true;
    if (random.next() < 0.5) this.#downCut = true;
    // A machine without power sends no farewell: its peer notices when nothing comes any more.
    const silentMs = random.next() < 0.3 ? 1_000 + random.next() * 20_000 : 0;
    const due = Math.max(this.#downDue, clock.now() + this.#network.latencyMs() + silentMs);
    this.#network.at(due, () => {
      if (this.#downCut) this.#clientEnds(ABNORMAL, '');
      else this.#arrive({ kind: 'closed', code: ABNORMAL, reason: '' });
    });
  }

  // ---- the client's end --------------------------------------------------------------------------------------

  #clientSends(bytes: Uint8Array): void {
    if (!this.#clientOpen || this.#clientClosing) return;
    const copy = bytes.slice();
    const { clock } = this.#network;
    this.#upBytes += copy.length;
    this.#upDue = this.#network.at(Math.max(this.#upDue, clock.now() + this.#network.latencyMs()), () => {
      if (this.#upCut) return;
      this.#upBytes -= copy.length;
      this.#reachedServer(copy);
    });
  }

  #reachedServer(bytes: Uint8Array): void {
    const server = this.#server;
    if (!this.#serverOpen || server === null) return;
    const { clock, trace } = this.#network;
    this.#heardAt = clock.now();
    trace.bytes(bytes);
    trace.note('up', this.id, bytes.length, () => describeFrames(bytes));
    server.message(bytes, true);
    bytes.fill(POISON);
  }

  #clientCloses(code: number, reason: string): void {
    if (!this.#clientOpen || this.#clientClosing) return;
    this.#clientClosing = true;
    const { clock } = this.#network;
    const due = Math.max(this.#upDue, clock.now() + this.#network.latencyMs());
    this.#network.at(due, () => {
      if (!this.#upCut) this.#serverEnds(code, reason);
    });
    // The answer to the closing handshake; a client does not wait for ever for it.
    this.#network.at(due + this.#network.latencyMs(), () => this.#clientEnds(code, reason));
  }

  #clientEnds(code: number, reason: string): void {
    if (!this.#clientOpen) return;
    this.#clientOpen = false;
    this.#downCut = true;
    this.#arrived.length = 0;
    this.#network.trace.note('client-closed', this.id, code, () => `${code} ${reason}`);
    this.#forgetIfOver();
    this.#client.closed(code, reason);
  }

  #down(arrival: Arrival, delayMs: number): void {
    const { clock } = this.#network;
    const due = Math.max(this.#downDue, clock.now() + this.#network.latencyMs() + delayMs);
    this.#downDue = this.#network.at(due, () => {
      if (!this.#downCut) this.#arrive(arrival);
    });
  }

  #arrive(arrival: Arrival): void {
    this.#arrived.push(arrival);
    this.#read();
  }

  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    for (let next = this.#arrived[0]; next !== undefined && this.#clientOpen; next = this.#arrived[0]) {
      if (this.#readRate === 0) break;
      if (this.#readRate !== Number.POSITIVE_INFINITY) {
        const bytes = next.kind === 'message' ? next.bytes.length : 1;
        this.#network.at(this.#network.clock.now() + (bytes * 1000) / this.#readRate, () => {
          this.#reading = false;
          if (this.#readRate !== 0) this.#take();
          this.#read();
        });
        return;
      }
      this.#take();
    }
    this.#reading = false;
  }

  #take(): void {
    const arrival = this.#arrived.shift();
    if (arrival === undefined || !this.#clientOpen) return;
    if (arrival.kind === 'closed') {
      this.#clientEnds(arrival.code, arrival.reason);
      return;
    }
    const { bytes } = arrival;
    const { trace, profile } = this.#network;
    const wasBuffered = this.#downBytes > profile.networkBytes;
    this.#downBytes -= bytes.length;
    if (wasBuffered) this.#drainSoon();
    trace.bytes(bytes);
    trace.note('down', this.id, bytes.length, () => describeFrames(bytes));
    if (!this.#clientClosing) this.#client.message(bytes);
    bytes.fill(POISON);
  }

  // ---- the server's end --------------------------------------------------------------------------------------

  #serverEnd(): Socket {
    return {
      remoteAddress: this.#address,
      send: (bytes) => this.#serverSends(bytes),
      bufferedBytes: () => (this.#serverOpen ? this.#buffered() : 0),
      close: (code, reason) => this.#serverCloses(code, reason),
      terminate: () => this.#serverTerminates(),
    };
  }

  #buffered(): number {
    return Math.max(0, this.#downBytes - this.#network.profile.networkBytes);
  }

  #serverSends(bytes: Uint8Array): SendResult {
    if (!this.#serverOpen) return SendResult.dropped;
    const { profile, trace } = this.#network;
    this.#network.overhear(this, bytes);
    if (this.#buffered() + bytes.length > profile.backpressureBytesMax) {
      trace.note('dropped', this.id, bytes.length);
      // Who goes on with a connection that swallowed something has a ghost.
      this.#network.at(this.#network.clock.now() + SWALLOWED_MS, () => {
        if (this.#serverOpen) this.#network.swallowed(this);
      });
      return SendResult.dropped;
    }
    this.#downBytes += bytes.length;
    const buffered = this.#buffered();
    if (buffered > this.#network.bufferedBytesMost) this.#network.bufferedBytesMost = buffered;
    this.#down({ kind: 'message', bytes: bytes.slice() }, 0);
    return buffered > 0 ? SendResult.buffered : SendResult.sent;
  }

  #serverCloses(code: number, reason: string): void {
    if (!this.#serverOpen) return;
    this.#down({ kind: 'closed', code, reason }, 0);
    this.#serverEnds(code, reason);
  }

  #serverTerminates(): void {
    if (!this.#serverOpen) return;
    this.#downCut = true;
    const { clock } = this.#network;
    this.#network.at(clock.now() + this.#network.latencyMs(), () => this.#clientEnds(ABNORMAL, ''));
    this.#serverEnds(ABNORMAL, '');
  }

  /** Like uWebSockets.js the handler is told before `close` or `terminate` returns. */
  #serverEnds(code: number, reason: string): void {
    if (!this.#serverOpen) return;
    this.#serverOpen = false;
    this.#upCut = true;
    const server = this.#server;
    this.#server = null;
    this.#network.trace.note('server-closed', this.id, code, () => `${code} ${reason}`);
    this.#forgetIfOver();
    server?.closed(code, reason);
  }

  #drainSoon(): void {
    if (this.#drainDue || !this.#serverOpen || this.#upCut) return;
    this.#drainDue = true;
    const { clock } = this.#network;
    this.#network.at(clock.now() + this.#network.latencyMs(), () => {
      this.#drainDue = false;
      if (this.#serverOpen) this.#server?.drained();
    });
  }

  /** One timer a connection, set anew when it fires. */
  #watchIdle(): void {
    const { clock, profile } = this.#network;
    const left = this.#heardAt + profile.idleTimeoutMs - clock.now();
    if (left <= 0) {
      // As uWebSockets.js does it: without a closing handshake.
      this.#serverTerminates();
      return;
    }
    this.#network.at(clock.now() + left, () => {
      if (this.#serverOpen) this.#watchIdle();
    });
  }

  #forgetIfOver(): void {
    if (!this.#serverOpen && !this.#clientOpen) this.#network.connections.delete(this);
  }
}
