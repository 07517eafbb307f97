import { WebSocket } from 'ws';
import type { ClientSocket, ClientSocketFactory, ClientSocketHandler } from './client-socket.js';

/** A peer that does not answer a closing handshake is dropped after this long. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Sockets over `ws`, for Node. */
export const nodeSockets: ClientSocketFactory = {
  open(url: string, subprotocol: string, handler: ClientSocketHandler): ClientSocket {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, subprotocol, {
        perMessageDeflate: false,
        closeTimeout: CLOSE_TIMEOUT_MS,
        maxPayload: MESSAGE_BYTES_MAX,
      } as ConstructorParameters<typeof WebSocket>[2]);
    } catch (error) {
      queueMicrotask(() => handler.closed(1006, String(error)));
      return { send() {}, bufferedBytes: () => 0, close() {} };
    }
    socket.binaryType = 'nodebuffer';
    let reached = '';
    socket.on('open', () => handler.opened());
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) handler.message(data);
      else socket.close(4400, 'text message');
    });
    // A failure to connect is told by `error` first and `close` after it, which has no words of its own.
    socket.on('error', (error: Error & { readonly code?: string }) => {
      reached = error.code ?? error.message;
    });
    socket.on('close', (code: number, reason: Buffer) => {
      handler.closed(code, reason.length > 0 ? reason.toString() : reached);
    });
    return {
      send(bytes) {
        // `ws` may keep a reference until the kernel takes it; the caller reuses its buffer.
        if (socket.readyState === WebSocket.OPEN) socket.send(Buffer.from(bytes));
      },
      bufferedBytes: () => socket.bufferedAmount,
      close(code, reason) {
        if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
        else socket.close(code, reason);
      },
    };
  },
};

/** The largest message that a server sends, and some room. */
const MESSAGE_BYTES_MAX = 512 * 1024;
