import { CloseCode } from '../protocol/close-code.js';
import { FrameReader } from '../protocol/frame-reader.js';
import { FrameType } from '../protocol/frame-type.js';
import { FrameWriter } from '../protocol/frame-writer.js';
import { encodeAck } from '../protocol/frames/ack.js';
import { Batch, BatchReader, decodeBatch } from '../protocol/frames/batch.js';
import { type Challenge, decodeChallenge } from '../protocol/frames/challenge.js';
import { encodeClientState } from '../protocol/frames/client-state.js';
import { copyBody, Deliver, decodeDeliver } from '../protocol/frames/deliver.js';
import {
  decodeEphemeral,
  Ephemeral,
  type EphemeralKind,
  encodeEphemeral,
} from '../protocol/frames/ephemeral.js';
import { decodeError, type ErrorFrame } from '../protocol/frames/error.js';
import { decodeGoAway, type GoAway } from '../protocol/frames/go-away.js';
import { encodeHello, type Hello } from '../protocol/frames/hello.js';
import { decodeHome, type Home } from '../protocol/frames/home.js';
import { decodePing, encodePing, encodePong } from '../protocol/frames/ping.js';
import { encodePull } from '../protocol/frames/pull.js';
import { encodeReadReceipt } from '../protocol/frames/read-receipt.js';
import { decodeReceipt, Receipt } from '../protocol/frames/receipt.js';
import { encodeRegister } from '../protocol/frames/register.js';
import { decodeRegistered, type Registered } from '../protocol/frames/registered.js';
import { encodeRequest } from '../protocol/frames/request.js';
import { decodeResponse, type Response } from '../protocol/frames/response.js';
import { encodeSend } from '../protocol/frames/send.js';
import { decodeSendAck, SendAck } from '../protocol/frames/send-ack.js';
import { encodeVerify, type Verify } from '../protocol/frames/verify.js';
import { decodeWelcome, type Welcome } from '../protocol/frames/welcome.js';
import { CLIENT_MESSAGE_BYTES_MAX, SUBPROTOCOL } from '../protocol/limits.js';
import { formatMessageId } from '../protocol/message-id.js';
import { ProtocolError } from '../protocol/protocol-error.js';
import { decodeRanges } from '../protocol/ranges.js';
import type { StructuredMap } from '../protocol/structured.js';
import type { Clock } from '../structures/clock.js';
import type { ClientSocket, ClientSocketFactory, ClientSocketHandler } from './client-socket.js';
import { OutboxKind, type OutboxRecord } from './client-store.js';
import { Heartbeat } from './heartbeat.js';
import type { Incoming } from './incoming.js';

/**
 * What a connection tells about itself (to the link) and what it brings (to the client). Nothing comes after
 * `closed`, nor after `abandon`.
 */
export interface ConnectionLife {
  opened(connection: Connection): void;
  welcome(connection: Connection, welcome: Welcome): void;
  home(connection: Connection, home: Home): void;
  goAway(connection: Connection, goAway: GoAway): void;
  /** By the peer, the network or {@link Connection.fail}. */
  closed(connection: Connection, code: number, reason: string): void;
}

export interface ConnectionTraffic {
  challenge(challenge: Challenge): void;
  registered(registered: Registered): void;
  /** `frame` is reused. */
  sendAck(frame: SendAck): void;
  incoming(connection: Connection, entry: Incoming): void;
  more(): void;
  batchEnd(hasMore: boolean): void;
  /** `frame` is reused. */
  ephemeral(frame: Ephemeral): void;
  error(connection: Connection, error: ErrorFrame): void;
  response(response: Response): void;
}

/** Frames are gathered into one message up to this size. */
const MESSAGE_BYTES_SOFT = 32 * 1024;

/**
 * One connection: frames in, frames out, and the heartbeat that notices a dead peer. Knows nothing of what the
 * frames mean. What is written leaves with `flush`, or when enough has gathered.
 */
export class Connection implements ClientSocketHandler {
  /** From the last WELCOME. */
  epoch = 0;
  /** The last seq that this connection has acknowledged. */
  acked = 0;
  /**
   * The highest seq that came on this connection, or the cursor in its HELLO. Nothing beyond may be acknowledged on it,
   * also when an entry of the connection before was accepted meanwhile: the server is going to repeat that.
   */
  came = 0;
  readonly url: string;
  readonly #life: ConnectionLife;
  readonly #traffic: ConnectionTraffic;
  readonly #socket: ClientSocket;
  readonly #heartbeat: Heartbeat;
  readonly #writer = new FrameWriter(CLIENT_MESSAGE_BYTES_MAX);
  readonly #reader = new FrameReader();
  readonly #batchReader = new BatchReader();
  readonly #batch = new Batch();
  readonly #deliver = new Deliver();
  readonly #receipt = new Receipt();
  readonly #sendAck = new SendAck();
  readonly #ephemeral = new Ephemeral();
  #isDead = false;

  constructor(
    sockets: ClientSocketFactory,
    url: string,
    clock: Clock,
    life: ConnectionLife,
    traffic: ConnectionTraffic,
  ) {
    this.url = url;
    this.#life = life;
    this.#traffic = traffic;
    this.#heartbeat = new Heartbeat(clock, {
      ping: (token) => {
        encodePing(this.#writer, token);
        this.flush();
      },
      dead: (silentMs) => this.fail(1006, `the server was silent for ${Math.round(silentMs)} ms`),
    });
    this.#socket = sockets.open(url, SUBPROTOCOL, this);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Closes for the owner's own reasons: it hears nothing more of this connection. */
  abandon(code: number, reason: string): void {
    if (this.#isDead) return;
    this.flush();
    this.#isDead = true;
    this.#heartbeat.stop();
    this.#socket.close(code, reason);
  }

  /** Closes, and tells the owner as if the peer had done it; the peer may be told another code. */
  fail(code: number, reason: string, peerCode = code): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#heartbeat.stop();
    // 1006 and its like cannot be sent (RFC 6455, section 7.4.1).
    this.#socket.close(peerCode >= 3000 ? peerCode : 1000, reason.slice(0, 100));
    this.#life.closed(this, code, reason);
  }

  /** Bytes that were written and have not left this machine. */
  bufferedBytes(): number {
    return this.#socket.bufferedBytes() + this.#writer.length;
  }

  /** A hint that the connection may be dead: ask the peer now. */
  probe(): void {
    if (!this.#isDead) this.#heartbeat.probe();
  }

  // Frames out. They leave with `flush`.

  hello(hello: Hello): void {
    encodeHello(this.#writer, hello);
  }

  register(ref: number, phone: number): void {
    encodeRegister(this.#writer, { ref, phone });
  }

  verify(verify: Verify): void {
    encodeVerify(this.#writer, verify);
  }

  send(record: OutboxRecord): void {
    // A body that does not fit beside what has gathered goes into a message of its own.
    if (this.#writer.length > 0 && this.#writer.length + record.body.length > MESSAGE_BYTES_SOFT)
      this.flush();
    if (record.kind === OutboxKind.message) encodeSend(this.#writer, record.id, record.to, record.body);
    else encodeReadReceipt(this.#writer, record.id, record.to, decodeRanges(record.body));
  }

  ack(seq: number): void {
    const upTo = Math.min(seq, this.came);
    if (upTo <= this.acked) return;
    this.acked = upTo;
    encodeAck(this.#writer, upTo);
  }

  pull(seq: number, countMax: number, bytesMax: number): void {
    const upTo = Math.min(seq, this.came);
    this.acked = Math.max(this.acked, upTo);
    encodePull(this.#writer, upTo, countMax, bytesMax);
  }

  ephemeral(kind: EphemeralKind, peer: number, value: number): void {
    this.#room();
    encodeEphemeral(this.#writer, kind, peer, value, 0);
  }

  clientState(active: boolean): void {
    encodeClientState(this.#writer, active);
  }

  request(id: number, method: string, body: StructuredMap): void {
    this.flush();
    encodeRequest(this.#writer, id, method, body);
  }

  flush(): void {
    const writer = this.#writer;
    if (writer.length === 0) return;
    if (!this.#isDead) {
      this.#socket.send(writer.view());
      this.#heartbeat.said();
    }
    writer.reset();
  }

  #room(): void {
    if (this.#writer.length > MESSAGE_BYTES_SOFT) this.flush();
  }

  // The socket's side.

  opened(): void {
    if (this.#isDead) return;
    this.#life.opened(this);
    this.flush();
  }

  message(bytes: Uint8Array): void {
    if (this.#isDead) return;
    this.#heartbeat.heard();
    const reader = this.#reader.reset(bytes);
    try {
      // The owner may give up the connection while it handles a frame.
      while (!this.#isDead && reader.next()) this.#frame(reader);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Worth another try, unlike what the server finds malformed in us.
      this.fail(1006, error.message, CloseCode.malformed);
    }
    reader.reset(NO_BYTES);
  }

  closed(code: number, reason: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#heartbeat.stop();
    this.#life.closed(this, code, reason);
  }

  #frame(reader: FrameReader): void {
    const traffic = this.#traffic;
    switch (reader.type) {
      case FrameType.sendAck:
        decodeSendAck(reader, this.#sendAck);
        traffic.sendAck(this.#sendAck);
        break;
      case FrameType.deliver:
      case FrameType.receipt:
        this.#entry(reader);
        break;
      case FrameType.batch: {
        decodeBatch(reader, this.#batch);
        const items = this.#batchReader.open(this.#batch);
        while (!this.#isDead && items.next()) this.#entry(items);
        if (!this.#isDead) traffic.batchEnd(this.#batch.hasMore);
        break;
      }
      case FrameType.more:
        traffic.more();
        break;
      case FrameType.ephemeral:
        decodeEphemeral(reader, this.#ephemeral);
        traffic.ephemeral(this.#ephemeral);
        break;
      case FrameType.ping:
        encodePong(this.#writer, decodePing(reader));
        this.flush();
        break;
      case FrameType.pong:
        break;
      case FrameType.welcome: {
        const welcome = decodeWelcome(reader);
        this.epoch = welcome.epoch;
        this.#heartbeat.start(welcome.heartbeatMs);
        this.#life.welcome(this, welcome);
        break;
      }
      case FrameType.challenge:
        traffic.challenge(decodeChallenge(reader));
        break;
      case FrameType.registered:
        traffic.registered(decodeRegistered(reader));
        break;
      case FrameType.home:
        this.#life.home(this, decodeHome(reader));
        break;
      case FrameType.goAway:
        this.#life.goAway(this, decodeGoAway(reader));
        break;
      case FrameType.error:
        traffic.error(this, decodeError(reader));
        break;
      case FrameType.response:
        traffic.response(decodeResponse(reader));
        break;
      default:
        if (reader.isCritical) this.fail(CloseCode.unsupportedFrame, `unknown frame ${reader.type}`);
    }
  }

  #entry(reader: FrameReader): void {
    if (reader.type === FrameType.deliver) {
      const frame = this.#deliver;
      decodeDeliver(reader, frame);
      this.came = frame.seq;
      this.#traffic.incoming(this, {
        kind: 'message',
        seq: frame.seq,
        epoch: this.epoch,
        messageId: formatMessageId(frame.storedHigh, frame.storedLow),
        time: frame.time,
        from: frame.from,
        id: frame.messageId,
        body: copyBody(frame),
      });
    } else if (reader.type === FrameType.receipt) {
      const frame = this.#receipt;
      decodeReceipt(reader, frame);
      this.came = frame.seq;
      this.#traffic.incoming(this, {
        kind: 'receipt',
        seq: frame.seq,
        epoch: this.epoch,
        time: frame.time,
        from: frame.from,
        state: frame.read ? 'read' : 'delivered',
        ranges: decodeRanges(frame.source, frame.rangesStart, frame.rangesEnd),
      });
    } else if (reader.isCritical) {
      this.fail(CloseCode.unsupportedFrame, `unknown frame ${reader.type} in a batch`);
    }
  }
}

const NO_BYTES = new Uint8Array(0);
