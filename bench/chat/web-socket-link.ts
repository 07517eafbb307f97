import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { arena } from './out-arena.js';

/** What a link tells its owner. */
export interface LinkOwner {
  opened(): void;
  /** A binary message: `bytes[start, end)`, valid during the call only. */
  message(bytes: Uint8Array, start: number, end: number): void;
  /** The connection is gone, by whoever's wish. Nothing follows. */
  closed(why: string): void;
}

export interface LinkTarget {
  readonly port: number;
  readonly path: string;
  readonly subprotocol: string;
  /** The source address; empty: the system chooses. */
  readonly localAddress: string;
}

/** A client's header: 2 bytes, 2 or 8 for a long length, 4 for the mask. */
export const LINK_HEADER_BYTES_MAX = 14;
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** All links read into the same buffer: each takes everything out of it before the next one reads. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * The client's end of a WebSocket (RFC 6455) over a plain socket, as little of it as a load generator needs:
 * binary messages without fragmentation, close, and ping. It masks with the key 0, so masking changes nothing.
 */
export class WebSocketLink {
  /** Binary messages so far. */
  messagesIn = 0;
  messagesOut = 0;
  readonly #socket: Socket;
  readonly #owner: LinkOwner;
  readonly #key = randomBytes(16).toString('base64');
  #open = false;
  #ended = false;
  /** The beginning of a frame whose rest has not come yet. */
  #rest: Buffer | null = null;

  constructor(target: LinkTarget, owner: LinkOwner) {
    this.#owner = owner;
    const local = target.localAddress === '' ? {} : { localAddress: target.localAddress };
    this.#socket = connect({
      host: '127.0.0.1',
      port: target.port,
      ...local,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (bytes) => {
          this.#read(bytes, readBuffer as Buffer);
          return true;
        },
      },
    });
    this.#socket.once('connect', () => this.#handshake(target));
    this.#socket.once('error', (error) => this.#end(error.message));
    this.#socket.once('close', () => this.#end('the connection was closed'));
  }

  /** Bytes that the kernel has not taken. */
  get buffered(): number {
    return this.#socket.writableLength;
  }

  /** Writes the header of a message of so many bytes at the end of the arena; the caller appends the message. */
  beginMessage(bytes: number): void {
    arena.reserve(bytes + LINK_HEADER_BYTES_MAX);
    const chunk = arena.chunk;
    let at = arena.at;
    chunk[at++] = 0x82;
    if (bytes < 126) chunk[at++] = 0x80 | bytes;
    else if (bytes < 0x1_0000) {
      chunk[at++] = 0x80 | 126;
      chunk[at++] = bytes >>> 8;
      chunk[at++] = bytes;
    } else {
      chunk[at++] = 0x80 | 127;
      chunk.writeBigUInt64BE(BigInt(bytes), at);
      at += 8;
    }
    chunk[at] = 0;
    chunk[at + 1] = 0;
    chunk[at + 2] = 0;
    chunk[at + 3] = 0;
    arena.at = at + 4;
    this.messagesOut++;
  }

  /** Sends what lies in the arena from `start` on: one or more messages. */
  write(start: number): void {
    if (!this.#ended) this.#socket.write(arena.take(start));
  }

  /** Drops the connection. */
  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #handshake(target: LinkTarget): void {
    const subprotocol = target.subprotocol === '' ? '' : `Sec-WebSocket-Protocol: ${target.subprotocol}\r\n`;
    this.#socket.write(
      `GET ${target.path} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nUpgrade: websocket\r\n` +
        `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${this.#key}\r\n${subprotocol}\r\n`,
    );
  }

  #read(count: number, bytes: Buffer): void {
    let end = count;
    if (this.#rest !== null) {
      bytes = Buffer.concat([this.#rest, bytes.subarray(0, count)]);
      end = bytes.length;
      this.#rest = null;
    }
    let at = 0;
    if (!this.#open) {
      at = this.#answer(bytes, end);
      if (at === 0) return;
    }
    at = this.#frames(bytes, at, end);
    if (at < end && !this.#ended) this.#rest = Buffer.from(bytes.subarray(at, end));
  }

  /** The server's answer to the handshake; 0 while it is not whole. */
  #answer(bytes: Buffer, end: number): number {
    const text = bytes.toString('latin1', 0, end);
    const stop = text.indexOf('\r\n\r\n');
    if (stop < 0) {
      this.#rest = Buffer.from(bytes.subarray(0, end));
      return 0;
    }
    const head = text.slice(0, stop);
    const expected = createHash('sha1')
      .update(this.#key + ACCEPT_GUID)
      .digest('base64');
    if (!head.startsWith('HTTP/1.1 101') || !head.includes(expected)) {
      this.#end(`the handshake was refused: ${head.split('\r\n')[0]}`);
      this.#socket.destroy();
      return 0;
    }
    this.#open = true;
    this.#owner.opened();
    return stop + 4;
  }

  /** Hands over the whole frames; returns where the first incomplete one begins. */
  #frames(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (end - at >= 2) {
      let length = bytes[at + 1]! & 0x7f;
      let body = at + 2;
      if (length === 126) {
        if (end - at < 4) break;
        length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
        body = at + 4;
      } else if (length === 127) {
        if (end - at < 10) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
        body = at + 10;
      }
      if (length > end - body) break;
      const first = bytes[at]!;
      at = body + length;
      if (first === 0x82) {
        this.messagesIn++;
        this.#owner.message(bytes, body, at);
        if (this.#ended) return end;
      } else if (!this.#control(first, bytes, body, at)) return end;
    }
    return at;
  }

  #control(first: number, bytes: Buffer, start: number, end: number): boolean {
    switch (first) {
      case 0x89: {
        const from = arena.at;
        this.beginMessage(end - start);
        this.messagesOut--;
        arena.chunk[arena.at - 6] = 0x8a;
        arena.at += bytes.copy(arena.chunk, arena.at, start, end);
        this.write(from);
        return true;
      }
      case 0x8a:
        return true;
      case 0x88: {
        const code = end - start >= 2 ? bytes.readUInt16BE(start) : 1005;
        this.#end(`closed by the server: ${code} ${bytes.toString('utf8', Math.min(start + 2, end), end)}`);
        this.#socket.end();
        return false;
      }
      default:
        this.#end(`a frame that this client does not know: 0x${first.toString(16)}`);
        this.#socket.destroy();
        return false;
    }
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.closed(why);
  }
}
