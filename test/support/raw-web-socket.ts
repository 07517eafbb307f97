import { connect, type Socket } from 'node:net';
import { SUBPROTOCOL } from '../../src/protocol/index.js';
import { within } from './within.js';

/**
 * A WebSocket by hand over a plain TCP socket, for what a well-behaved library does not do: not to read, to read
 * byte by byte, to send frames that are wrong. It never reads unless told to.
 */
export class RawWebSocket {
  readonly socket: Socket;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** Connected, the handshake done; from here on nothing is read. */
  static async connect(port: number): Promise<RawWebSocket> {
    const socket = connect({ host: '127.0.0.1', port });
    const raw = new RawWebSocket(socket);
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
        `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
    );
    await within(
      'the handshake',
      new Promise<void>((resolve, reject) => {
        let head = '';
        const onData = (chunk: Buffer) => {
          head += chunk.toString('latin1');
          if (!head.includes('\r\n\r\n')) return;
          socket.off('data', onData);
          socket.pause();
          if (head.startsWith('HTTP/1.1 101')) resolve();
          else reject(new Error(`no handshake: ${head.slice(0, 200)}`));
        };
        socket.on('data', onData);
        socket.once('close', () => reject(new Error('closed during the handshake')));
      }),
    );
    return raw;
  }

  /** One binary message (or what `opcode` says), masked with zeros. */
  send(payload: Uint8Array, opcode = 2): void {
    this.socket.write(webSocketFrame(payload, opcode));
  }

  /** Whatever bytes. */
  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Resolves with what is there of at least one byte and at most `bytes`; null at the end of the stream. */
  async read(bytes: number): Promise<Buffer | null> {
    for (;;) {
      // The end of the stream makes the last short rest available.
      const chunk = (this.socket.read(bytes) ?? this.socket.read()) as Buffer | null;
      if (chunk !== null) return chunk;
      if (this.socket.readableEnded || this.socket.destroyed) return null;
      await new Promise<void>((resolve) => {
        const done = () => {
          this.socket.off('readable', done);
          this.socket.off('end', done);
          this.socket.off('close', done);
          resolve();
        };
        this.socket.once('readable', done);
        this.socket.once('end', done);
        this.socket.once('close', done);
      });
    }
  }

  /** Reads and forgets whatever comes until the other side closes. */
  async drain(): Promise<void> {
    this.socket.resume();
    await within('the end of the connection', this.closed);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A client's frame (RFC 6455, section 5.2), final, with a masking key of zeros. */
export function webSocketFrame(payload: Uint8Array, opcode = 2): Buffer {
  const length = payload.length;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(2 + extended + 4 + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) frame.writeUInt16BE(length, 2);
  if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(payload, 2 + extended + 4);
  return frame;
}
