import { WebSocket } from 'ws';
import {
  encodeAck,
  encodeHello,
  encodePull,
  encodeSend,
  FrameWriter,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
} from '../../src/protocol/index.js';
import { decodeServerMessage, type ServerFrame, type ServerFrameOf } from './server-frame.js';
import { within } from './within.js';

/** What REGISTERED gave a device. */
export interface Credentials {
  readonly user: number;
  readonly device: number;
  readonly key: Uint8Array;
  readonly firstMessageId: number;
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export interface Cursor {
  readonly epoch: number;
  readonly seq: number;
}

/** What refused the handshake: an HTTP status, or a connection that could not be made. */
export class ConnectRefused extends Error {
  override readonly name = 'ConnectRefused';
  readonly status: number;

  constructor(message: string, status = 0) {
    super(message);
    this.status = status;
  }
}

export interface ConnectOptions {
  /** Address to connect from, within 127.0.0.0/8: the server's limits go by address. */
  readonly localAddress?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Every frame goes here instead of into the queue. */
  readonly onFrame?: (frame: ServerFrame) => void;
}

/**
 * One connection that does exactly what a test says and nothing by itself: no retries, no acknowledgements, no
 * answers. Frames that come are queued until the test asks for them.
 */
export class ProtocolClient {
  /** Resolves at the end of the connection, however it ends. */
  readonly closed: Promise<Close>;
  /** Frames that nobody has asked for yet. */
  readonly queue: ServerFrame[] = [];
  readonly socket: WebSocket;
  readonly #waiting = new Set<() => void>();
  #close: Close | null = null;
  #failure: Error | null = null;

  private constructor(socket: WebSocket, onFrame?: (frame: ServerFrame) => void) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#close = { code, reason: reason.toString() };
        resolve(this.#close);
        this.#wake();
      });
    });
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary) => {
      try {
        if (!isBinary) throw new Error('the server sent a text message');
        const frames = decodeServerMessage(data);
        if (onFrame === undefined) this.queue.push(...frames);
        else for (const frame of frames) onFrame(frame);
      } catch (error) {
        this.#failure = error as Error;
        socket.terminate();
      }
      this.#wake();
    });
  }

  /** @throws ConnectRefused */
  static connect(url: string, options: ConnectOptions = {}): Promise<ProtocolClient> {
    const { localAddress, headers, onFrame } = options;
    const socket = new WebSocket(url, SUBPROTOCOL, {
      perMessageDeflate: false,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(headers === undefined ? {} : { headers }),
    });
    const client = new ProtocolClient(socket, onFrame);
    return within(
      'the handshake',
      new Promise((resolve, reject) => {
        socket.once('open', () => resolve(client));
        socket.once('unexpected-response', (_request, response) => {
          reject(new ConnectRefused(`refused with ${response.statusCode}`, response.statusCode));
          socket.terminate();
        });
        socket.once('error', (error: NodeJS.ErrnoException) =>
          reject(new ConnectRefused(error.code ?? error.message)),
        );
      }),
    );
  }

  /** Connected and welcomed. */
  static async login(
    url: string,
    credentials: Credentials,
    cursor: Cursor = { epoch: 0, seq: 0 },
    options: ConnectOptions = {},
  ): Promise<ProtocolClient> {
    const client = await ProtocolClient.connect(url, options);
    client.hello(credentials, cursor);
    if (options.onFrame === undefined) {
      const welcome = await client.next('welcome');
      client.epoch = welcome.epoch;
    }
    return client;
  }

  /** Of the welcome, after {@link login}. */
  epoch = 0;

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Sends the frames that `write` writes, as one message. */
  send(write: (writer: FrameWriter) => void): void {
    const writer = new FrameWriter(1024 * 1024, 256);
    write(writer);
    this.sendRaw(writer.copy());
  }

  sendRaw(bytes: Uint8Array): void {
    this.socket.send(bytes, { binary: true });
  }

  hello(credentials: Credentials | null, cursor: Cursor = { epoch: 0, seq: 0 }): void {
    this.send((writer) =>
      encodeHello(writer, {
        versionMin: PROTOCOL_VERSION,
        versionMax: PROTOCOL_VERSION,
        capabilities: 0,
        user: credentials?.user ?? 0,
        device: credentials?.device ?? 0,
        key: credentials?.key ?? new Uint8Array(0),
        epoch: cursor.epoch,
        seq: cursor.seq,
        agent: 'test',
      }),
    );
  }

  message(id: number, to: number, body: Uint8Array | string): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.send((writer) => encodeSend(writer, id, to, bytes));
  }

  ack(seq: number): void {
    this.send((writer) => encodeAck(writer, seq));
  }

  pull(seq: number, countMax = 0, bytesMax = 0): void {
    this.send((writer) => encodePull(writer, seq, countMax, bytesMax));
  }

  /**
   * Takes the first frame of a type (that fits) out of the queue, now or when it comes; the others stay. Rejects
   * when the connection ends without it.
   */
  next<T extends ServerFrame['type']>(
    type: T,
    fits: (frame: ServerFrameOf<T>) => boolean = () => true,
  ): Promise<ServerFrameOf<T>> {
    const wait = new Promise<ServerFrameOf<T>>((resolve, reject) => {
      const look = () => {
        const at = this.queue.findIndex((frame) => frame.type === type && fits(frame as ServerFrameOf<T>));
        if (at >= 0) {
          this.#waiting.delete(look);
          resolve(this.queue.splice(at, 1)[0] as ServerFrameOf<T>);
        } else if (this.#failure !== null) {
          this.#waiting.delete(look);
          reject(this.#failure);
        } else if (this.#close !== null) {
          this.#waiting.delete(look);
          const { code, reason } = this.#close;
          reject(new Error(`the connection was closed with ${code} "${reason}" while ${type} was expected`));
        }
      };
      this.#waiting.add(look);
      look();
    });
    return within(`a frame ${type}`, wait);
  }

  /** Closes and waits until it is. */
  async close(): Promise<Close> {
    this.socket.close(1000);
    return await within('the close', this.closed);
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.socket.terminate();
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
