/**
 * A client's connection as the rest of the server sees it: ordered binary messages, and a measure of what
 * the peer has not taken yet. Implemented over uWebSockets.js (transport/uws) and in the simulation.
 */
export interface Socket {
  /** The peer's address as 4 or 16 raw bytes in lower-case hexadecimal. */
  readonly remoteAddress: string;
  /**
   * Sends one binary message. `bytes` may be reused when the call returns. Never throws; on a closed socket
   * it does nothing and returns `dropped`.
   */
  send(bytes: Uint8Array): SendResult;
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  bufferedBytes(): number;
  /** Closes with a WebSocket close code (4000–4999 are ours) after what was sent. A second call does nothing. */
  close(code: number, reason: string): void;
  /** Drops the connection at once, without a closing handshake. */
  terminate(): void;
}

export const SendResult = {
  /** Taken, and the kernel has it. */
  sent: 0,
  /** Taken, and buffered: the peer is slower than we are. `drained` follows. */
  buffered: 1,
  /** Not taken: the socket is closed or its buffer is at the limit. */
  dropped: 2,
} as const;
export type SendResult = (typeof SendResult)[keyof typeof SendResult];

/** What a listener tells of one connection, in this order: opened, then messages and drains, then closed, once. */
export interface ConnectionHandler {
  /** `bytes` is valid during the call only. */
  message(bytes: Uint8Array, isBinary: boolean): void;
  /** The send buffer is empty again, or at least smaller. */
  drained(): void;
  /** The connection is gone, by whoever's wish; the socket must not be used any more. */
  closed(code: number, reason: string): void;
}

/** Made once for each listener: says who handles a new connection, or refuses it. */
export interface ConnectionAcceptor {
  /** Called with the open socket. Null: the acceptor has closed it already. */
  opened(socket: Socket): ConnectionHandler | null;
}
