import * as uWS from 'uWebSockets.js';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { CloseCode, closeName } from '../../protocol/close-code.js';
import { SUBPROTOCOL, WEBSOCKET_PATH } from '../../protocol/limits.js';
import type { Clock } from '../../structures/clock.js';
import { Admission, Refusal } from '../admission.js';
import { Drain } from '../drain.js';
import {
  ADDRESS_FULL,
  CROWDED,
  DRAINING,
  type HandshakeRefusal,
  NOT_A_HANDSHAKE,
  ORIGIN_REFUSED,
  offersSubprotocol,
  originAllowed,
  SUBPROTOCOL_REFUSED,
  splitHost,
} from '../handshake.js';
import {
  type LimitedListener,
  ListenerCounters,
  type ListenerLimits,
  type ListenerOptions,
} from '../listener.js';
import type { ConnectionAcceptor, Socket } from '../socket.js';
import { closeAtExit } from './close-at-exit.js';
import { serveAsset } from './serve-asset.js';
import { type SocketOwner, type UserData, UwsSocket } from './uws-socket.js';

/** The listener could not start: the address is in use or not ours, or the TLS files are unusable. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Listens for WebSockets at `/ws`, answers `/healthz`, serves the assets.
 *
 * @throws ListenError
 */
export function listen(
  options: ListenerOptions,
  acceptor: ConnectionAcceptor,
  clock: Clock,
): LimitedListener {
  return new UwsListener(options, acceptor, clock);
}

class UwsListener implements LimitedListener, SocketOwner {
  readonly port: number;
  readonly homePort: number;
  maxBackpressureBytes: number;
  readonly counters = new ListenerCounters();
  first: UwsSocket | null = null;
  cursor: UwsSocket | null = null;

  readonly #options: ListenerOptions;
  readonly #acceptor: ConnectionAcceptor;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #drain: Drain;
  readonly #app: uWS.TemplatedApp;
  readonly #forgetExit: () => void;
  #listenSockets: uWS.us_listen_socket[] = [];
  #closed = false;

  constructor(options: ListenerOptions, acceptor: ConnectionAcceptor, clock: Clock) {
    this.#options = options;
    this.#acceptor = acceptor;
    this.#clock = clock;
    this.#admission = new Admission(options, options.shared, options.place);
    this.#drain = new Drain(
      clock,
      () => this.connections,
      () => this.#terminateAll(),
    );
    this.maxBackpressureBytes = options.maxBackpressureBytes;
    this.#app = options.tls === null ? uWS.App() : secureApp(options.tls);
    this.#forgetExit = closeAtExit(() => this.close());
    this.#route();
    try {
      this.port = this.#listenOn(options.port, options.sharing);
      this.homePort = options.homePort === null ? 0 : this.#listenOn(options.homePort, 'none');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  setLimits(limits: ListenerLimits): void {
    this.maxBackpressureBytes = limits.maxBackpressureBytes;
    this.#admission.setLimits(limits);
  }

  get connections(): number {
    return this.#admission.open;
  }

  forEach(visit: (socket: Socket) => void): void {
    if (this.cursor !== null) throw new Error('forEach within forEach');
    try {
      let socket = this.first;
      while (socket !== null) {
        this.cursor = socket.next;
        visit(socket);
        socket = this.cursor;
      }
    } finally {
      this.cursor = null;
    }
  }

  stopAccepting(): void {
    for (const socket of this.#listenSockets.splice(0)) uWS.us_listen_socket_close(socket);
  }

  drain(graceMs: number): Promise<number> {
    this.stopAccepting();
    return this.#drain.start(graceMs);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetExit();
    this.stopAccepting();
    this.#drain.cut();
    // What is left are connections that are no WebSockets.
    this.#app.close();
  }

  #terminateAll(): void {
    while (this.first !== null) this.first.terminate();
  }

  /** Returns the port. */
  #listenOn(port: number, sharing: ListenerOptions['sharing']): number {
    for (let tries = 0; tries < FREE_PORT_TRIES; tries++) {
      // To found a shared port it is first bound alone: beside somebody else's shared one we would get half of the
      // connections, unnoticed.
      let bound = this.#tryBind(port, sharing !== 'joins');
      if (bound === null) break;
      const chosen = localPort(bound);
      if (port === 0 || sharing === 'founds') {
        // A port that the system chose is bound without SO_REUSEADDR and SO_REUSEPORT: nobody could listen on it
        // again after a restart while old connections linger, or beside us. So it is bound again by its number,
        // unless somebody was quicker.
        uWS.us_listen_socket_close(bound);
        bound = this.#tryBind(chosen, sharing === 'none');
        if (bound === null) continue;
      }
      this.#listenSockets.push(bound);
      if (sharing !== 'none') this.#lengthenQueue(chosen);
      return chosen;
    }
    throw new ListenError(
      `Cannot listen on ${this.#options.host} port ${port}: in use, not permitted, or not an address of this machine`,
    );
  }

  /**
   * A listening socket of uWebSockets.js holds 512 connections that nobody has accepted yet; those beyond come back after
   * a second, or three, or seven: when a scheduler dies all its clients come at once. The kernel spreads them over all
   * sockets that share a port, also over those of one thread. Where it cannot, one has to do.
   */
  #lengthenQueue(port: number): void {
    for (let n = 1; n < QUEUES; n++) {
      const bound = this.#tryBind(port, false);
      if (bound !== null) this.#listenSockets.push(bound);
    }
  }

  #tryBind(port: number, isExclusive: boolean): uWS.us_listen_socket | null {
    const flags = isExclusive ? EXCLUSIVE_PORT : 0;
    let bound: uWS.us_listen_socket | null = null;
    // The typings lack the form with host and flags.
    (this.#app as unknown as ListenWithFlags).listen(this.#options.host, port, flags, (socket) => {
      bound = socket === false ? null : socket;
    });
    return bound;
  }

  #route(): void {
    this.#app.filter((response, change) => this.#tcpConnection(response, change));
    this.#app.ws<UserData>(WEBSOCKET_PATH, {
      // Messages up to twice the limit are read so that they can be answered with a close code; a longer one
      // is cut off without.
      maxPayloadLength: 2 * this.#options.maxPayloadBytes,
      idleTimeout: this.#options.idleTimeoutSeconds,
      // No limit of its own, see UwsSocket.send.
      maxBackpressure: 0,
      closeOnBackpressureLimit: false,
      sendPingsAutomatically: false,
      maxLifetime: 0,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (ws) => this.#open(ws),
      message: (ws, message, isBinary) => this.#message(ws, message, isBinary),
      drain: (ws) => this.#drained(ws),
      close: (ws, code, reason) => this.#gone(ws, code, reason),
    });
    this.#app.any(WEBSOCKET_PATH, (response) => refuse(response, NOT_A_HANDSHAKE));
    this.#app.get('/healthz', (response) => {
      const healthy = this.#listenSockets.length > 0;
      response
        .writeStatus(healthy ? '200 OK' : DRAINING.status)
        .writeHeader('Content-Type', 'text/plain; charset=utf-8')
        .writeHeader('Cache-Control', 'no-store')
        .end(healthy ? 'ok\n' : DRAINING.text, this.#admission.crowded);
    });
    this.#app.any('/*', (response, request) => {
      if (this.#admission.crowded) refuse(response, CROWDED);
      else serveAsset(this.#options.assets, this.#homeOrigins(request.getHeader('host')), response, request);
    });
  }

  /** The home ports, as the page with this Host header would call them. */
  #homeOrigins(host: string): string[] {
    const name = splitHost(host, 0)?.name;
    const scheme = this.#options.tls === null ? 'ws' : 'wss';
    if (name === undefined) return [];
    return (this.#options.homePorts?.() ?? []).map((port) => `${scheme}://${name}:${port}`);
  }

  /** `change` is 1 when a connection came, −1 when one that is no WebSocket went (a WebSocket never says). */
  #tcpConnection(response: uWS.HttpResponse, change: number): void {
    if (change < 0) {
      this.#admission.leave();
      return;
    }
    const now = this.#clock.now() + (this.#options.timeOffsetMs ?? 0);
    const refusal = this.#admission.arrive(hex(response.getRemoteAddress()), now);
    if (refusal === Refusal.none) return;
    if (refusal === Refusal.full) this.counters.refusedFull++;
    else this.counters.refusedRate++;
    this.#options.onCounted?.();
    // Without an answer: under a flood even a reply is too much.
    response.close();
  }

  #upgrade(response: uWS.HttpResponse, request: uWS.HttpRequest, context: uWS.us_socket_context_t): void {
    const { counters } = this;
    if (this.#listenSockets.length === 0) {
      refuse(response, DRAINING);
      return;
    }
    const { origins, homePorts } = this.#options;
    const ports = [this.port, ...(homePorts?.() ?? [])];
    if (!originAllowed(origins, request.getHeader('origin'), request.getHeader('host'), ports)) {
      counters.refusedOrigin++;
      this.#options.onCounted?.();
      refuse(response, ORIGIN_REFUSED);
      return;
    }
    if (!offersSubprotocol(request.getHeader('sec-websocket-protocol'))) {
      counters.refusedProtocol++;
      this.#options.onCounted?.();
      refuse(response, SUBPROTOCOL_REFUSED);
      return;
    }
    const address = hex(response.getRemoteAddress());
    const admitted = this.#admission.admit(address);
    if (admitted < 0) {
      counters.refusedAddress++;
      this.#options.onCounted?.();
      refuse(response, ADDRESS_FULL);
      return;
    }
    // No extensions: permessage-deflate costs 4 to 256 KB for each socket.
    const socket = new UwsSocket(this, address, admitted);
    response.upgrade<UserData>({ socket }, request.getHeader('sec-websocket-key'), SUBPROTOCOL, '', context);
  }

  #open(ws: uWS.WebSocket<UserData>): void {
    const { socket } = ws.getUserData();
    this.counters.opened++;
    this.#options.onCounted?.();
    socket.attach(ws);
    try {
      const handler = this.#acceptor.opened(socket);
      // The acceptor may have closed it at once; then there is nobody to be told of the rest.
      if (socket.ws === null) return;
      if (handler === null) socket.terminate();
      else socket.handler = handler;
    } catch (error) {
      this.#failed(socket, error);
    }
  }

  #message(ws: uWS.WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void {
    const { socket } = ws.getUserData();
    this.counters.messagesIn++;
    this.counters.bytesIn += message.byteLength;
    if (message.byteLength > this.#options.maxPayloadBytes) {
      socket.close(CloseCode.frameTooLarge, closeName(CloseCode.frameTooLarge));
      return;
    }
    try {
      socket.handler?.message(new Uint8Array(message), isBinary);
    } catch (error) {
      this.#failed(socket, error);
    }
  }

  #drained(ws: uWS.WebSocket<UserData>): void {
    const { socket } = ws.getUserData();
    try {
      socket.handler?.drained();
    } catch (error) {
      this.#failed(socket, error);
    }
  }

  #gone(ws: uWS.WebSocket<UserData>, code: number, reason: ArrayBuffer): void {
    const { socket } = ws.getUserData();
    const handler = socket.detach();
    this.counters.close(code);
    this.#options.onCounted?.();
    this.#admission.close(socket.admitted);
    try {
      handler?.closed(code, reason.byteLength === 0 ? '' : Buffer.from(reason).toString());
    } catch (error) {
      this.#failed(socket, error);
    }
    this.#drain.connectionClosed();
  }

  #failed(socket: UwsSocket, error: unknown): void {
    this.counters.handlerErrors++;
    socket.terminate();
    this.#options.onHandlerError(error);
  }
}

/** LIBUS_LISTEN_EXCLUSIVE_PORT: without it another process could listen on the same port unnoticed. */
const EXCLUSIVE_PORT = 1;

/** Listening sockets for a port that is shared anyway. */
const QUEUES = 8;

/** How often a free port is looked for. */
const FREE_PORT_TRIES = 10;

interface ListenWithFlags {
  listen(
    host: string,
    port: number,
    flags: number,
    done: (socket: uWS.us_listen_socket | false) => void,
  ): unknown;
}

function localPort(socket: uWS.us_listen_socket): number {
  return uWS.us_socket_local_port(socket as unknown as uWS.us_socket);
}

function secureApp(tls: { readonly keyFile: string; readonly certFile: string }): uWS.TemplatedApp {
  try {
    // uWebSockets.js does not say what it dislikes about the files. OpenSSL in Node does.
    createSecureContext({ key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) });
    return uWS.SSLApp({ key_file_name: tls.keyFile, cert_file_name: tls.certFile });
  } catch (error) {
    throw new ListenError(
      `Cannot use TLS key ${tls.keyFile} with certificate ${tls.certFile}: ${(error as Error).message}`,
    );
  }
}

function refuse(response: uWS.HttpResponse, refusal: HandshakeRefusal): void {
  response
    .writeStatus(refusal.status)
    .writeHeader('Content-Type', 'text/plain; charset=utf-8')
    .writeHeader('X-Content-Type-Options', 'nosniff')
    .end(refusal.text, true);
}

function hex(address: ArrayBuffer): string {
  return Buffer.from(address).toString('hex');
}
