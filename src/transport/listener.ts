import { CloseCode, closeName } from '../protocol/index.js';
import type { TokenRate } from '../structures/token-bucket.js';
import type { AdmissionMemory } from './admission-memory.js';
import type { Socket } from './socket.js';
import type { Asset } from './static-assets.js';

/**
 * Where connections come in. A listener owns its sockets: it opens them, hands each to the
 * {@link ConnectionAcceptor}, and at the end waits for them or cuts them.
 */
export interface Listener {
  /** The port it really listens on (the one asked for, or any if that was 0). */
  readonly port: number;
  /** The port that leads to this listener and no other; 0: there is none. */
  readonly homePort: number;
  /** Open WebSocket connections. */
  readonly connections: number;
  /** Totals since the start, for the metrics; read, never written, by others. */
  readonly counters: Readonly<ListenerCounters>;
  /** Open connections, in no order. `visit` may close the socket it is given. */
  forEach(visit: (socket: Socket) => void): void;
  /** No new connections from now on; the open ones go on. `/healthz` answers 503 on kept-alive ones. */
  stopAccepting(): void;
  /**
   * Stops accepting, waits until every connection has closed (the sessions are told to by their owner), and
   * terminates what is still open after `graceMs`. Calling it again with a shorter grace hurries it.
   *
   * @returns how many connections had to be terminated.
   */
  drain(graceMs: number): Promise<number>;
  /** Terminates everything at once. A second call does nothing. */
  close(): void;
}

/** What can be changed about a listener that is open. */
export type ListenerLimits = Pick<
  ListenerOptions,
  'maxBackpressureBytes' | 'connectionsMax' | 'connectionsPerAddressMax' | 'addressRate' | 'nodeRate'
>;

/** A listener whose limits can be changed. */
export interface LimitedListener extends Listener {
  /** From now on; open connections stay. */
  setLimits(limits: ListenerLimits): void;
}

export interface ListenerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /**
   * Whether other threads of the server listen on the port as well (SO_REUSEPORT; the kernel spreads the connections).
   * `founds`: they will, and a port that somebody has already is an error. `joins`: some do.
   */
  readonly sharing: 'none' | 'founds' | 'joins';
  /** A port beside it that is this listener's own. 0: any free port; null: none. */
  readonly homePort: number | null;
  /** Home ports of all listeners of the server. Asked at each page and handshake, as they come and go. */
  readonly homePorts?: () => readonly number[];
  /**
   * A longer message ends the connection: with close code 4404 up to twice the limit, beyond it without one.
   */
  readonly maxPayloadBytes: number;
  /** Nothing received for so long ends the connection. 0: never; otherwise 8–960, steps of 4. */
  readonly idleTimeoutSeconds: number;
  /** What one socket may have buffered; a send that would exceed it is dropped. */
  readonly maxBackpressureBytes: number;
  /**
   * Checked when the handshake has an Origin header: exact origins (`https://chat.example`), `same` (the
   * origin's host and port are those of the Host header; or both are ports of this server), `*` (any).
   */
  readonly origins: readonly string[];
  /** What all listeners of the server count together: the limits below hold for the sum. Left out: there is one. */
  readonly shared?: AdmissionMemory;
  /** Which of the listeners it is, from 0. */
  readonly place?: number;
  /** What makes the clock's time that of all listeners. */
  readonly timeOffsetMs?: number;
  /** Open connections, handshakes included; more are closed at once. */
  readonly connectionsMax: number;
  /** Open connections from one address (IPv6: one /64). */
  readonly connectionsPerAddressMax: number;
  /** New connections from one address. */
  readonly addressRate: TokenRate;
  /** New connections in all. */
  readonly nodeRate: TokenRate;
  /** Paths to what is served there, `/` included. Held in memory. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** PEM files. Null: plain HTTP. */
  readonly tls: { readonly keyFile: string; readonly certFile: string } | null;
  /** A connection handler threw: that connection is terminated, and this is told. */
  readonly onHandlerError: (error: unknown) => void;
  /** A counter has moved by something that no handler is told of, or only before or after it was counted. */
  readonly onCounted?: () => void;
}

export class ListenerCounters {
  /** WebSockets opened and closed. */
  opened = 0;
  closed = 0;
  /** TCP connections refused: over connectionsMax, over a rate. */
  refusedFull = 0;
  refusedRate = 0;
  /** Handshakes refused: too many from the address, origin, subprotocol. */
  refusedAddress = 0;
  refusedOrigin = 0;
  refusedProtocol = 0;
  messagesIn = 0;
  bytesIn = 0;
  messagesOut = 0;
  bytesOut = 0;
  /** Sends refused because the buffer was at its limit. */
  sendsDropped = 0;
  handlerErrors = 0;
  /** Of the closed ones, how many by each code: at most those of {@link closeKey}. */
  readonly closedBy: Record<string, number> = {};

  /** A WebSocket was closed with this code. */
  close(code: number): void {
    this.closed++;
    const key = closeKey(code);
    this.closedBy[key] = (this.closedBy[key] ?? 0) + 1;
  }
}

/**
 * Under which name a close is counted: that of our own code (`slowConsumer`), `normal` for a client that left (1000, 1001),
 * `abnormal` for a connection that broke (1006), `other` for everything else that clients may think of.
 */
export function closeKey(code: number): string {
  if (code === 1000 || code === 1001) return 'normal';
  if (code === 1006) return 'abnormal';
  return KNOWN_CLOSES.has(code) ? closeName(code) : 'other';
}

const KNOWN_CLOSES: ReadonlySet<number> = new Set(Object.values(CloseCode));
