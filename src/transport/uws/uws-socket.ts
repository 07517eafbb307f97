import type * as uWS from 'uWebSockets.js';
import type { ListenerCounters } from '../listener.js';
import { type ConnectionHandler, SendResult, type Socket } from '../socket.js';

/** What uWebSockets.js keeps for each connection: its own object gets this property. */
export interface UserData {
  readonly socket: UwsSocket;
}

/** What the sockets of one listener share, so that each needs one field for it. */
export interface SocketOwner {
  readonly maxBackpressureBytes: number;
  readonly counters: ListenerCounters;
  /** The head of the list of open sockets. */
  first: UwsSocket | null;
  /** Where a visitor of the list goes next: moves on when that very socket closes meanwhile. */
  cursor: UwsSocket | null;
}

/**
 * One connection over uWebSockets.js. There may be a hundred thousand, mostly idle: it is one object of eight
 * fields, without closures or buffers, and the list of open connections runs through it.
 *
 * `ws` throws once the connection is closed, so it is forgotten at that moment: every method checks.
 */
export class UwsSocket implements Socket {
  readonly remoteAddress: string;
  /** Belongs to the admission. */
  readonly admitted: number;
  /** Null before open and after close. */
  ws: uWS.WebSocket<UserData> | null = null;
  handler: ConnectionHandler | null = null;
  previous: UwsSocket | null = null;
  next: UwsSocket | null = null;
  readonly #owner: SocketOwner;

  constructor(owner: SocketOwner, remoteAddress: string, admitted: number) {
    this.#owner = owner;
    this.remoteAddress = remoteAddress;
    this.admitted = admitted;
  }

  send(bytes: Uint8Array): SendResult {
    const ws = this.ws;
    if (ws === null) return SendResult.dropped;
    const owner = this.#owner;
    const bufferedBefore = ws.getBufferedAmount();
    // uWebSockets.js would take one message beyond its limit, of any size, and would drop a close frame at
    // the limit: so its own limit is off and this one stands instead.
    if (bufferedBefore + bytes.length + HEADER_BYTES_MAX > owner.maxBackpressureBytes) {
      owner.counters.sendsDropped++;
      return SendResult.dropped;
    }
    owner.counters.messagesOut++;
    owner.counters.bytesOut += bytes.length;
    // 1: the kernel (or the cork) has it. 0: some of it is buffered.
    return ws.send(bytes, true, false) === 1 ? SendResult.sent : SendResult.buffered;
  }

  bufferedBytes(): number {
    return this.ws === null ? 0 : this.ws.getBufferedAmount();
  }

  close(code: number, reason: string): void {
    // Sends the close frame after everything sent, then FIN. Calls `closed` before it returns.
    this.ws?.end(code, reason);
  }

  terminate(): void {
    this.ws?.close();
  }

  /** Called by the listener when the connection opens. */
  attach(ws: uWS.WebSocket<UserData>): void {
    const owner = this.#owner;
    this.ws = ws;
    this.next = owner.first;
    if (owner.first !== null) owner.first.previous = this;
    owner.first = this;
  }

  /** Called by the listener when the connection is gone. */
  detach(): ConnectionHandler | null {
    const owner = this.#owner;
    const handler = this.handler;
    if (this.previous !== null) this.previous.next = this.next;
    else if (owner.first === this) owner.first = this.next;
    if (this.next !== null) this.next.previous = this.previous;
    if (owner.cursor === this) owner.cursor = this.next;
    this.previous = null;
    this.next = null;
    this.ws = null;
    this.handler = null;
    return handler;
  }
}

/** A server's frame header: 2 bytes, and 8 for a length above 64 KiB. */
const HEADER_BYTES_MAX = 10;
