import {
  Batch,
  BatchReader,
  CLIENT_MESSAGE_BYTES_MAX,
  Deliver,
  decodeBatch,
  decodeDeliver,
  decodeError,
  decodePing,
  decodeReceipt,
  decodeRegistered,
  decodeSendAck,
  decodeWelcome,
  encodeAck,
  encodeHello,
  encodePong,
  encodePull,
  encodeRegister,
  encodeSend,
  encodeVerify,
  errorName,
  FrameReader,
  FrameType,
  FrameWriter,
  RangeCursor,
  Receipt,
  SendAck,
  SUBPROTOCOL,
  WEBSOCKET_PATH,
  WelcomeState,
} from '../../src/protocol/index.js';
import { LoadClient, type LoadShared } from './load-client.js';
import { arena } from './out-arena.js';
import type { Returns } from './returns.js';
import { LINK_HEADER_BYTES_MAX, type LinkOwner, WebSocketLink } from './web-socket-link.js';

/** What a registered user needs to come back. */
export interface Credentials {
  readonly user: number;
  readonly device: number;
  readonly key: Uint8Array;
  firstMessageId: number;
}

export interface RookeryClientOptions {
  /** All frames of one turn go in one WebSocket message; otherwise each SEND has one of its own. */
  readonly batched: boolean;
  /** Follows the home port that WELCOME names. */
  readonly movesHome: boolean;
  /** The source address; empty: the system chooses. */
  readonly localAddress: string;
}

/** Who was lost comes back after a random time up to this, as the project's own clients do at their first attempt. */
const RETURN_MS_MAX = 250;
const NO_KEY = new Uint8Array(0);
const reader = new FrameReader();
const batchReader = new BatchReader();
const batch = new Batch();
const deliver = new Deliver();
const sendAck = new SendAck();
const receipt = new Receipt();
const ranges = new RangeCursor();

/**
 * Speaks Rookery's protocol: registers when it has no credentials, says HELLO, pulls what waits. A message's
 * life ends with its delivered receipt. Every received WebSocket message that brought something from the inbox
 * is answered with one cumulative ACK.
 *
 * As the project's own clients it moves to the port of the scheduler that has its inbox.
 */
export class RookeryClient extends LoadClient implements LinkOwner {
  readonly phone: number;
  credentials: Credentials | null;
  readonly #options: RookeryClientOptions;
  readonly #body: Uint8Array;
  #link: WebSocketLink | null = null;
  /** This turn's frames. */
  readonly #writer = new FrameWriter(CLIENT_MESSAGE_BYTES_MAX, 64);
  /** Where each of this turn's WebSocket messages ends in the writer; none: it is one. */
  readonly #ends: number[] = [];
  /** The id of message number 0. */
  #firstId = 1;
  /** Own messages with a SEND_ACK, with a delivered receipt. */
  #acked = 0;
  #receipted = 0;
  /** The cursor, and how far it is told to the server. */
  #seq = 0;
  #ackedSeq = 0;
  /** Of the server's database, as WELCOME said; 0: never welcome. */
  #epoch = 0;
  /** Its connection was lost; the first number that it sends once it is back, −1 before. */
  #isReturning = false;
  #firstBack = -1;
  /** From where it has pulled and got no BATCH yet: more than one after trouble inside the server. */
  readonly #pulls: number[] = [];
  /** Within a BATCH: what is not behind this seq, and has come already, comes again rightly. */
  #repeatsFrom = Number.POSITIVE_INFINITY;

  constructor(
    shared: LoadShared,
    index: number,
    phone: number,
    credentials: Credentials | null,
    options: RookeryClientOptions,
  ) {
    super(shared, index);
    this.#options = options;
    this.phone = phone;
    this.credentials = credentials;
    this.#body = template(shared.bodyBytes);
  }

  protected override connect(port: number): void {
    const { localAddress } = this.#options;
    const target = { port, path: WEBSOCKET_PATH, subprotocol: SUBPROTOCOL, localAddress };
    this.#link = new WebSocketLink(target, this);
  }

  override close(): void {
    this.ready = false;
    this.#link?.destroy();
  }

  override packets(): { in: number; out: number } {
    return { in: this.#link?.messagesIn ?? 0, out: this.#link?.messagesOut ?? 0 };
  }

  /** The PIN came by SMS. */
  verify(pin: string): void {
    encodeVerify(this.#writer, { ref: 2, phone: this.phone, pin, name: `load ${this.index}` });
    this.shared.turn.mark(this);
  }

  protected override put(n: number): void {
    const body = this.#body;
    body[0] = n >>> 24;
    body[1] = n >>> 16;
    body[2] = n >>> 8;
    body[3] = n;
    encodeSend(this.#writer, this.#firstId + n, (this.partner as RookeryClient).phone, body);
    if (!this.#options.batched) this.#ends.push(this.#writer.length);
  }

  protected override write(): void {
    const writer = this.#writer;
    const link = this.#link;
    if (writer.length === 0 || link === null) return;
    const ends = this.#ends;
    arena.reserve(writer.length + (ends.length + 1) * LINK_HEADER_BYTES_MAX);
    const start = arena.at;
    if (ends.length === 0) ends.push(writer.length);
    let from = 0;
    for (const end of ends) {
      link.beginMessage(end - from);
      arena.chunk.set(writer.bytes.subarray(from, end), arena.at);
      arena.at += end - from;
      from = end;
    }
    ends.length = 0;
    writer.reset();
    link.write(start);
  }

  opened(): void {
    this.#hello();
  }

  #hello(): void {
    const { credentials } = this;
    if (credentials !== null && this.#epoch === 0) this.#firstId = credentials.firstMessageId;
    encodeHello(this.#writer, {
      versionMin: 1,
      versionMax: 1,
      capabilities: 0,
      user: credentials?.user ?? 0,
      device: credentials?.device ?? 0,
      key: credentials?.key ?? NO_KEY,
      epoch: this.#epoch,
      seq: this.#seq,
      agent: 'load generator',
    });
    this.shared.turn.mark(this);
  }

  message(bytes: Uint8Array, start: number, end: number): void {
    const now = performance.now();
    reader.reset(bytes, start, end);
    while (reader.next()) this.#frame(reader, now);
    if (this.#seq > this.#ackedSeq && this.#pulls.length === 0) {
      this.#ackedSeq = this.#seq;
      encodeAck(this.#writer, this.#seq);
      this.shared.turn.mark(this);
    }
  }

  closed(why: string): void {
    const { returns } = this.shared;
    if (returns === null || this.credentials === null) {
      this.fault(why);
      return;
    }
    this.#writer.reset();
    this.#ends.length = 0;
    this.#pulls.length = 0;
    if (this.#isReturning) returns.wasRefused();
    else {
      if (!this.settled) this.fault(`lost with messages on their way: ${why}`);
      returns.wasLost();
      this.#isReturning = true;
      this.ready = false;
    }
    setTimeout(() => this.connect(returns.port), Math.random() * RETURN_MS_MAX);
  }

  #returned(returns: Returns): void {
    this.#isReturning = false;
    this.ready = true;
    returns.isWelcome();
    this.#firstBack = this.sent;
    this.sendOne();
  }

  #frame(frame: FrameReader, now: number): void {
    switch (frame.type) {
      case FrameType.sendAck:
        this.#sendAck(frame);
        break;
      case FrameType.deliver:
        this.#deliver(frame, now);
        break;
      case FrameType.receipt:
        this.#receipt(frame);
        break;
      case FrameType.batch:
        decodeBatch(frame, batch);
        this.#batch(now);
        break;
      case FrameType.more:
        this.#pull();
        break;
      case FrameType.ping:
        encodePong(this.#writer, decodePing(frame));
        this.shared.turn.mark(this);
        break;
      case FrameType.welcome:
        this.#welcome(frame);
        break;
      case FrameType.home:
        // Its inbox has moved: it is served all the same.
        break;
      case FrameType.challenge:
        this.shared.pinWanted(this.phone);
        break;
      case FrameType.registered: {
        const { user, device, key, firstMessageId } = decodeRegistered(frame);
        this.credentials = { user, device, key, firstMessageId };
        this.#hello();
        break;
      }
      case FrameType.error: {
        const { code, ref, message } = decodeError(frame);
        this.fault(`the server says ${errorName(code)} (ref ${ref}): ${message}`);
        break;
      }
      default:
        this.fault(`a frame that was not expected: 0x${frame.type.toString(16)}`);
    }
  }

  #welcome(frame: FrameReader): void {
    const welcome = decodeWelcome(frame);
    this.#epoch = welcome.epoch;
    if (this.#isReturning && this.shared.returns !== null) {
      this.#returned(this.shared.returns);
      return;
    }
    if (welcome.state === WelcomeState.anonymous) {
      encodeRegister(this.#writer, { ref: 1, phone: this.phone });
      this.shared.turn.mark(this);
    } else if (welcome.homePort !== 0 && this.#options.movesHome) {
      this.#link?.destroy();
      this.connect(welcome.homePort);
    } else this.becameReady();
  }

  #sendAck(frame: FrameReader): void {
    decodeSendAck(frame, sendAck);
    const expected = this.#firstId + this.#acked;
    if (sendAck.messageId !== expected || sendAck.duplicate) {
      this.fault(
        `SEND_ACK of ${sendAck.messageId}${sendAck.duplicate ? ' (duplicate)' : ''}, not of ${expected}`,
      );
    }
    this.#acked++;
    this.shared.acked++;
  }

  #deliver(frame: FrameReader, now: number): void {
    decodeDeliver(frame, deliver);
    if (!this.#advance(deliver.seq)) return;
    const { source, bodyStart: at, bodyEnd } = deliver;
    const n =
      ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0;
    const partner = this.partner as RookeryClient;
    if (deliver.from !== partner.phone || deliver.messageId !== partner.#firstId + n) {
      this.fault(`message ${n} came as id ${deliver.messageId} from ${deliver.from}`);
    }
    if (bodyEnd - at !== this.shared.bodyBytes) this.fault(`a body of ${bodyEnd - at} bytes`);
    this.arrived(n, now);
  }

  /** Delivered receipts come in the order of the messages, so their ranges follow one another without gaps. */
  #receipt(frame: FrameReader): void {
    decodeReceipt(frame, receipt);
    if (!this.#advance(receipt.seq)) return;
    ranges.reset(receipt.source, receipt.rangesStart, receipt.rangesEnd);
    while (ranges.next()) {
      const expected = this.#firstId + this.#receipted;
      if (ranges.first !== expected) this.fault(`a receipt from ${ranges.first} on, not ${expected}`);
      const count = ranges.last - ranges.first + 1;
      this.#receipted += count;
      this.shared.receipted += count;
      this.finish(count);
      if (this.#firstBack >= 0 && this.#receipted > this.#firstBack) {
        this.#firstBack = -1;
        this.shared.returns?.isServed();
      }
    }
    if (this.#receipted > this.partner.received) this.fault('a receipt for a message that was not delivered');
  }

  #batch(now: number): void {
    this.#repeatsFrom = this.#pulls.shift() ?? this.#seq;
    batchReader.open(batch);
    const { hasMore } = batch;
    while (batchReader.next()) {
      if (batchReader.type === FrameType.deliver) this.#deliver(batchReader, now);
      else this.#receipt(batchReader);
    }
    this.#repeatsFrom = Number.POSITIVE_INFINITY;
    if (hasMore) this.#pull();
  }

  #pull(): void {
    this.#pulls.push(this.#seq);
    this.#ackedSeq = this.#seq;
    encodePull(this.#writer, this.#seq, 0, 0);
    this.shared.turn.mark(this);
  }

  /** False: it came before, in the answer to an earlier PULL. */
  #advance(seq: number): boolean {
    if (seq <= this.#seq) {
      if (seq > this.#repeatsFrom) return false;
      this.fault(`seq ${seq} after ${this.#seq}`);
    }
    this.#seq = seq;
    return true;
  }

  override get settled(): boolean {
    return super.settled && this.#acked === this.sent;
  }
}

/** Bodies differ in their first four bytes only; nobody keeps them, so all clients share one. */
let shared = new Uint8Array(0);
function template(bytes: number): Uint8Array {
  if (shared.length !== bytes) shared = new Uint8Array(bytes).fill(0x78);
  return shared;
}
