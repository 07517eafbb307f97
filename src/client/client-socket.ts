/**
 * The client's end of a connection. Implemented over the browser's WebSocket, over `ws` in Node, and in
 * simulations.
 */
export interface ClientSocket {
  /** Sends one binary message. `bytes` may be reused when the call returns. On a closed socket nothing happens. */
  send(bytes: Uint8Array): void;
  /** Bytes that `send` took and the network has not. */
  bufferedBytes(): number;
  /** Closes; `closed` follows (perhaps much later, when the peer is dead). 1000 or 3000–4999. */
  close(code: number, reason: string): void;
}

/** What a socket tells: `opened` at most once, then messages, then `closed` exactly once, never inside `open`. */
export interface ClientSocketHandler {
  opened(): void;
  /** `bytes` is valid during the call only. */
  message(bytes: Uint8Array): void;
  /** 1006 when the peer vanished or could not be reached. */
  closed(code: number, reason: string): void;
}

export interface ClientSocketFactory {
  /** Begins to connect. Never throws: a URL that cannot work is told by `closed`. */
  open(url: string, subprotocol: string, handler: ClientSocketHandler): ClientSocket;
}
