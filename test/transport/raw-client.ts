import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A handshake as a browser would send it. */
export function handshake(headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'rookery.v1',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /ws HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A TCP connection that remembers what came. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data) => {
      this.text += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    // What the server ends, this end ends as well.
    socket.on('end', () => socket.end());
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1' });
    const client = new RawClient(socket);
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
    return client;
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** A masked client frame (RFC 6455, section 5.2); the mask is zero. */
export function frame(firstByte: number, payload: Uint8Array): Uint8Array {
  const header = [firstByte];
  if (payload.length < 126) header.push(0x80 | payload.length);
  else header.push(0x80 | 126, payload.length >> 8, payload.length & 0xff);
  return new Uint8Array([...header, 0, 0, 0, 0, ...payload]);
}
