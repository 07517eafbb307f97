import * as uWS from 'uWebSockets.js';
import {
  CLIENT_MESSAGE_BYTES_MAX,
  decodeAck,
  decodeHello,
  decodeRegister,
  decodeSend,
  decodeVerify,
  encodeChallenge,
  encodeDeliver,
  encodeRanges,
  encodeReceipt,
  encodeRegistered,
  encodeSendAck,
  encodeWelcome,
  FrameReader,
  FrameType,
  FrameWriter,
  rangesOfIds,
  Send,
  WelcomeState,
} from '../../src/protocol/index.js';

/** How the fake breaks its promises: once, at the third message that any client sends. */
export type Misdeed = 'none' | 'lose' | 'twice' | 'swap' | 'no-receipt' | 'no-ack';

interface Message {
  readonly from: number;
  readonly id: number;
  readonly body: Uint8Array;
}

interface Peer {
  ws: uWS.WebSocket<Peer> | null;
  user: number;
  seq: number;
  /** Delivered and not acknowledged: seq, sender and id. */
  readonly pending: { readonly seq: number; readonly from: number; readonly id: number }[];
  readonly held: Message[];
}

const TIME = 1_700_000_000_000;
const PIN = '123456';

/**
 * As much of a server as the load generator needs, in memory: it is there to break its promises on purpose, so
 * that the generator's checks are seen to fail.
 */
export class FakeServer {
  readonly port: number;
  readonly pin = PIN;
  readonly #app: uWS.TemplatedApp;
  readonly #users = new Map<number, Peer>();
  readonly #writer = new FrameWriter(CLIENT_MESSAGE_BYTES_MAX);
  readonly #reader = new FrameReader();
  readonly #send = new Send();
  readonly #misdeed: Misdeed;
  #sends = 0;
  #receipts = 0;

  constructor(misdeed: Misdeed) {
    this.#misdeed = misdeed;
    this.#app = uWS.App().ws<Peer>('/ws', {
      upgrade: (response, request, context) => {
        response.upgrade<Peer>(
          { ws: null, user: 0, seq: 0, pending: [], held: [] },
          request.getHeader('sec-websocket-key'),
          request.getHeader('sec-websocket-protocol'),
          request.getHeader('sec-websocket-extensions'),
          context,
        );
      },
      open: (ws) => {
        ws.getUserData().ws = ws;
      },
      message: (ws, message) => {
        this.#message(ws.getUserData(), new Uint8Array(message));
      },
      close: (ws) => {
        ws.getUserData().ws = null;
      },
    });
    let port = 0;
    this.#app.listen('127.0.0.1', 0, (socket) => {
      if (socket) port = uWS.us_socket_local_port(socket as unknown as uWS.us_socket);
    });
    this.port = port;
  }

  close(): void {
    this.#app.close();
  }

  #message(peer: Peer, bytes: Uint8Array): void {
    const reader = this.#reader.reset(bytes);
    while (reader.next()) this.#frame(peer, reader);
  }

  #frame(peer: Peer, reader: FrameReader): void {
    switch (reader.type) {
      case FrameType.hello: {
        const { user } = decodeHello(reader);
        peer.user = user;
        if (user !== 0) this.#users.set(user, peer);
        this.#tell(peer, (writer) => encodeWelcome(writer, welcome(user)));
        break;
      }
      case FrameType.register: {
        const { ref } = decodeRegister(reader);
        this.#tell(peer, (writer) =>
          encodeChallenge(writer, { ref, digits: 6, expiresMs: 60_000, resendAfterMs: 1000 }),
        );
        break;
      }
      case FrameType.verify: {
        const { ref, phone, pin } = decodeVerify(reader);
        if (pin !== PIN) throw new Error(`wrong PIN ${pin}`);
        const key = new Uint8Array(32);
        this.#tell(peer, (writer) =>
          encodeRegistered(writer, { ref, user: phone, device: 1, key, firstMessageId: 7 }),
        );
        break;
      }
      case FrameType.send:
        decodeSend(reader, this.#send);
        this.#sent(peer);
        break;
      case FrameType.ack:
        this.#accepted(peer, decodeAck(reader));
        break;
      default:
        throw new Error(`unexpected frame ${reader.type}`);
    }
  }

  #sent(peer: Peer): void {
    const { messageId, to, source, bodyStart, bodyEnd } = this.#send;
    const third = ++this.#sends === 3;
    const misdeed = third ? this.#misdeed : 'none';
    if (misdeed !== 'no-ack') {
      this.#tell(peer, (writer) => encodeSendAck(writer, messageId, TIME, 0, this.#sends));
    }
    const recipient = this.#users.get(to);
    if (recipient === undefined) throw new Error(`nobody is ${to}`);
    const message = { from: peer.user, id: messageId, body: source.slice(bodyStart, bodyEnd) };
    if (misdeed === 'lose') return;
    if (misdeed === 'swap') {
      recipient.held.push(message);
      return;
    }
    this.#deliver(recipient, message);
    if (misdeed === 'twice') this.#deliver(recipient, message);
    const held = recipient.held.pop();
    if (held !== undefined) this.#deliver(recipient, held);
  }

  #deliver(recipient: Peer, { from, id, body }: Message): void {
    const seq = ++recipient.seq;
    recipient.pending.push({ seq, from, id });
    this.#tell(recipient, (writer) => encodeDeliver(writer, seq, TIME, 0, from, id, body, 0, body.length));
  }

  #accepted(peer: Peer, seq: number): void {
    const ids: number[] = [];
    let from = 0;
    while (peer.pending.length > 0 && peer.pending[0]!.seq <= seq) {
      const entry = peer.pending.shift()!;
      from = entry.from;
      ids.push(entry.id);
    }
    const sender = this.#users.get(from);
    if (ids.length === 0 || sender === undefined) return;
    if (this.#misdeed === 'no-receipt' && ++this.#receipts === 3) return;
    const ranges = encodeRanges(rangesOfIds(ids));
    const receiptSeq = ++sender.seq;
    this.#tell(sender, (writer) =>
      encodeReceipt(writer, receiptSeq, TIME, peer.user, false, ranges, 0, ranges.length),
    );
  }

  #tell(peer: Peer, encode: (writer: FrameWriter) => void): void {
    const writer = this.#writer;
    writer.reset();
    encode(writer);
    peer.ws?.send(writer.view(), true);
  }
}

function welcome(user: number) {
  return {
    state: user === 0 ? WelcomeState.anonymous : WelcomeState.resumed,
    version: 1,
    capabilities: 0,
    epoch: 1,
    head: 0,
    truncated: 0,
    serverTime: TIME,
    heartbeatMs: 60_000,
    homePort: 0,
    pendingCount: 0,
    bodyBytesMax: 65_536,
    messageIdWindow: 256,
    deliverWindowBytes: 65_536,
    batchBytesMax: 262_144,
  };
}
