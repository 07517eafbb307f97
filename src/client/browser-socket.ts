import type { ClientSocket, ClientSocketFactory, ClientSocketHandler } from './client-socket.js';

/**
 * Sockets over the browser's WebSocket (or Node's own, from version 22). Typed by what is used instead of by
 * the DOM library, so that it compiles beside code for Node.
 */
export const browserSockets: ClientSocketFactory = {
  open(url: string, subprotocol: string, handler: ClientSocketHandler): ClientSocket {
    let socket: WebSocketLike;
    try {
      const { WebSocket } = globalThis as unknown as { WebSocket: WebSocketConstructor };
      socket = new WebSocket(url, subprotocol);
    } catch (error) {
      queueMicrotask(() => handler.closed(1006, String(error)));
      return { send() {}, bufferedBytes: () => 0, close() {} };
    }
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => handler.opened();
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) handler.message(new Uint8Array(data));
      else socket.close(4400, 'text message');
    };
    socket.onclose = ({ code, reason }) => handler.closed(code, reason);
    return {
      send(bytes) {
        if (socket.readyState === OPEN) socket.send(bytes);
      },
      bufferedBytes: () => socket.bufferedAmount,
      close(code, reason) {
        socket.close(code, reason);
      },
    };
  },
};

const OPEN = 1;

interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
}
type WebSocketConstructor = new (url: string, subprotocol: string) => WebSocketLike;
