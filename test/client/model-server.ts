import { CloseCode } from '../../src/protocol/close-code.js';
import { ErrorCode, isRetryableError } from '../../src/protocol/error-code.js';
import { FrameReader } from '../../src/protocol/frame-reader.js';
import { FrameType } from '../../src/protocol/frame-type.js';
import { FrameWriter } from '../../src/protocol/frame-writer.js';
import { decodeAck } from '../../src/protocol/frames/ack.js';
import { BatchBuilder } from '../../src/protocol/frames/batch.js';
import { encodeChallenge } from '../../src/protocol/frames/challenge.js';
import { decodeClientState } from '../../src/protocol/frames/client-state.js';
import { copyBody, encodeDeliver } from '../../src/protocol/frames/deliver.js';
import {
  decodeEphemeral,
  Ephemeral,
  type EphemeralKind,
  encodeEphemeral,
} from '../../src/protocol/frames/ephemeral.js';
import { ErrorRef, encodeError } from '../../src/protocol/frames/error.js';
import { encodeGoAway } from '../../src/protocol/frames/go-away.js';
import { decodeHello } from '../../src/protocol/frames/hello.js';
import { encodeHome } from '../../src/protocol/frames/home.js';
import { encodeMore } from '../../src/protocol/frames/more.js';
import { decodePing, encodePong } from '../../src/protocol/frames/ping.js';
import { decodePull, Pull } from '../../src/protocol/frames/pull.js';
import { decodeReadReceipt, ReadReceipt } from '../../src/protocol/frames/read-receipt.js';
import { encodeReceipt } from '../../src/protocol/frames/receipt.js';
import { decodeRegister } from '../../src/protocol/frames/register.js';
import { encodeRegistered } from '../../src/protocol/frames/registered.js';
import { decodeRequest, decodeRequestBody } from '../../src/protocol/frames/request.js';
import { encodeResponse } from '../../src/protocol/frames/response.js';
import { decodeSend, Send } from '../../src/protocol/frames/send.js';
import { encodeDuplicateSendAck, encodeSendAck } from '../../src/protocol/frames/send-ack.js';
import { decodeVerify } from '../../src/protocol/frames/verify.js';
import { encodeWelcome, WelcomeState } from '../../src/protocol/frames/welcome.js';
import { BATCH_BYTES_MAX, BODY_BYTES_MAX, SERVER_MESSAGE_BYTES_MAX } from '../../src/protocol/limits.js';
import { encodeRanges, rangesOfIds } from '../../src/protocol/ranges.js';
import type { StructuredMap } from '../../src/protocol/structured.js';
import type { SimulatedClock } from '../../src/structures/simulated-clock.js';
import type { ServerEnd, ServerSide } from './model-network.js';

interface Entry {
  readonly seq: number;
  readonly time: number;
  readonly from: number;
  readonly kind: 'message' | 'delivered' | 'read';
  readonly ref: number;
  readonly body: Uint8Array;
}

interface Account {
  readonly user: number;
  device: number;
  key: Uint8Array;
  name: string;
  inbox: Entry[];
  acked: number;
  /** Every id that was stored, for ever: the model has no window. */
  seen: Set<number>;
}

/** Every PIN of the model. */
export const MODEL_PIN = '123456';

/**
 * A server just large enough to be spoken to: the rules of the protocol over plain maps, with switches for
 * trouble. What a real server does under load is tested with the real one.
 */
export class ModelServer implements ServerSide {
  epoch = 7;
  isUp = true;
  heartbeatMs = 30_000;
  window = 64 * 1024;
  homePort = 0;
  /** Nobody listens there. */
  readonly closedPorts = new Set<number>();
  /** Answers of SEND to be refused, first come first served: an error code each, 0: take it. */
  readonly refusals: number[] = [];
  /** Users whose inbox takes nothing. */
  readonly full = new Set<number>();
  /** SENDs that get no answer although they are stored. */
  muteAcks = 0;
  refusalRetryAfterMs = 0;
  refusalDetail = 0;
  /** Message ids in the order in which they came, repeats included. */
  readonly received: number[] = [];
  readonly accounts = new Map<number, Account>();
  readonly sessions = new Set<ModelSession>();
  readonly requests: { method: string; body: StructuredMap }[] = [];
  readonly clientStates: boolean[] = [];
  pullCount = 0;
  ackCount = 0;
  pingCount = 0;
  readonly ephemerals: { from: number; kind: number; peer: number; value: number }[] = [];
  readonly clock: SimulatedClock;
  #seq = 0;

  constructor(clock: SimulatedClock) {
    this.clock = clock;
  }

  accept(end: ServerEnd): { message(bytes: Uint8Array): void; closed(): void } | null {
    if (!this.isUp || this.closedPorts.has(Number(new URL(end.url).port))) return null;
    return new ModelSession(this, end);
  }

  nextSeq(): number {
    this.#seq += 3;
    return this.#seq;
  }

  register(user: number, name: string): Account {
    const before = this.accounts.get(user);
    const account: Account = {
      user,
      device: (before?.device ?? 0) + 1,
      key: new Uint8Array(32).fill((before?.device ?? 0) + 1),
      name,
      inbox: before?.inbox ?? [],
      acked: 0,
      seen: new Set(),
    };
    this.accounts.set(user, account);
    for (const session of [...this.sessions]) {
      if (session.user === user) session.close(CloseCode.deviceReplaced);
    }
    return account;
  }

  append(to: Account, entry: Omit<Entry, 'seq' | 'time'>): Entry {
    const stored = { ...entry, seq: this.nextSeq(), time: this.clock.wall() };
    to.inbox.push(stored);
    for (const session of this.sessions) if (session.user === to.user) session.push(stored);
    return stored;
  }

  /** What a client called `from` would have sent. */
  deliver(to: number, from: number, ref: number, text: string): void {
    const body = new TextEncoder().encode(text);
    this.append(this.accounts.get(to)!, { from, kind: 'message', ref, body });
  }

  goAway(delayMs: number, host = ''): void {
    for (const session of [...this.sessions]) {
      encodeGoAway(session.writer, { reason: CloseCode.goingAway, delayMs, host });
      session.flush();
      session.close(CloseCode.goingAway);
    }
  }

  /** The user's inbox has moved. */
  home(user: number, homePort: number, delayMs: number): void {
    const session = this.session(user);
    encodeHome(session.writer, { homePort, delayMs });
    session.flush();
  }

  session(user: number): ModelSession {
    for (const session of this.sessions) if (session.user === user) return session;
    throw new Error(`${user} is not connected`);
  }
}

export class ModelSession {
  user = 0;
  readonly writer = new FrameWriter(SERVER_MESSAGE_BYTES_MAX);
  readonly #server: ModelServer;
  readonly #end: ServerEnd;
  readonly #reader = new FrameReader();
  #mode: 'push' | 'pull' = 'push';
  #sent = 0;
  #unacked: { seq: number; bytes: number }[] = [];

  constructor(server: ModelServer, end: ServerEnd) {
    this.#server = server;
    this.#end = end;
    server.sessions.add(this);
  }

  flush(): void {
    if (this.writer.length > 0) this.#end.send(this.writer.copy());
    this.writer.reset();
  }

  close(code: number): void {
    this.#server.sessions.delete(this);
    this.#end.close(code, '');
  }

  closed(): void {
    this.#server.sessions.delete(this);
  }

  ephemeral(kind: EphemeralKind, peer: number, value: number, time: number): void {
    encodeEphemeral(this.writer, kind, peer, value, time);
    this.flush();
  }

  push(entry: Entry): void {
    if (this.#mode === 'pull') return;
    const unacked = this.#unacked.reduce((sum, item) => sum + item.bytes, 0);
    if (unacked + entry.body.length > this.#server.window) {
      this.#mode = 'pull';
      encodeMore(this.writer, entry.seq, 1, entry.body.length);
      this.flush();
      return;
    }
    this.#entry(entry);
    this.flush();
  }

  message(bytes: Uint8Array): void {
    const reader = this.#reader.reset(bytes);
    while (reader.next()) this.#frame(reader);
    this.flush();
  }

  #entry(entry: Entry): void {
    const { seq, time, from, kind, ref, body } = entry;
    if (kind === 'message') encodeDeliver(this.writer, seq, time, 0, from, ref, body, 0, body.length);
    else encodeReceipt(this.writer, seq, time, from, kind === 'read', body, 0, body.length);
    this.#sent = seq;
    this.#unacked.push({ seq, bytes: body.length });
  }

  #frame(reader: FrameReader): void {
    const server = this.#server;
    const account = server.accounts.get(this.user);
    switch (reader.type) {
      case FrameType.hello:
        this.#hello(reader);
        break;
      case FrameType.register: {
        const { ref } = decodeRegister(reader);
        encodeChallenge(this.writer, { ref, digits: 6, expiresMs: 600_000, resendAfterMs: 60_000 });
        break;
      }
      case FrameType.verify: {
        const { ref, phone, pin, name } = decodeVerify(reader);
        if (pin !== MODEL_PIN) {
          this.#error(ErrorRef.request, ref, ErrorCode.pinWrong, 0, 4);
          break;
        }
        const fresh = server.register(phone, name);
        const firstMessageId = fresh.device * 1000;
        encodeRegistered(this.writer, {
          ref,
          user: phone,
          device: fresh.device,
          key: fresh.key,
          firstMessageId,
        });
        break;
      }
      case FrameType.send: {
        const send = new Send();
        decodeSend(reader, send);
        this.#take(account!, send.messageId, send.to, 'message', copyBody(send));
        break;
      }
      case FrameType.receipt: {
        const receipt = new ReadReceipt();
        decodeReadReceipt(reader, receipt);
        const ranges = reader.bytes.slice(receipt.rangesStart, receipt.rangesEnd);
        this.#take(account!, receipt.messageId, receipt.to, 'read', ranges);
        break;
      }
      case FrameType.ack:
        server.ackCount += 1;
        this.#accept(account!, decodeAck(reader));
        break;
      case FrameType.pull: {
        const pull = new Pull();
        decodePull(reader, pull);
        server.pullCount += 1;
        this.#accept(account!, pull.seq);
        this.#pull(account!, pull);
        break;
      }
      case FrameType.ephemeral: {
        const frame = new Ephemeral();
        decodeEphemeral(reader, frame);
        server.ephemerals.push({ from: this.user, kind: frame.kind, peer: frame.peer, value: frame.value });
        break;
      }
      case FrameType.clientState:
        server.clientStates.push(decodeClientState(reader));
        break;
      case FrameType.ping:
        server.pingCount += 1;
        encodePong(this.writer, decodePing(reader));
        break;
      case FrameType.request: {
        const request = decodeRequest(reader);
        const body = decodeRequestBody(request);
        server.requests.push({ method: request.method, body });
        if (request.method === 'mute') break;
        if (request.method === 'no.such')
          this.#error(ErrorRef.request, request.id, ErrorCode.unknownMethod, 0, 0);
        else encodeResponse(this.writer, request.id, { echo: body, method: request.method });
        break;
      }
      default:
        throw new Error(`the client sent frame ${reader.type}`);
    }
  }

  #hello(reader: FrameReader): void {
    const server = this.#server;
    const hello = decodeHello(reader);
    if (hello.user === 0) {
      this.#welcome(WelcomeState.anonymous, 0, 0);
      return;
    }
    const account = server.accounts.get(hello.user);
    if (account === undefined || account.device !== hello.device || account.key[0] !== hello.key[0]) {
      this.close(
        account !== undefined && account.device > hello.device
          ? CloseCode.deviceReplaced
          : CloseCode.badCredentials,
      );
      return;
    }
    for (const other of [...server.sessions]) {
      if (other !== this && other.user === hello.user) other.close(CloseCode.connectionReplaced);
    }
    this.user = hello.user;
    const isReset = hello.epoch !== server.epoch || hello.seq < account.acked;
    if (!isReset) this.#accept(account, hello.seq);
    const pending = account.inbox.length;
    this.#welcome(
      isReset ? WelcomeState.reset : WelcomeState.resumed,
      account.inbox.at(-1)?.seq ?? 0,
      pending,
    );
    if (pending > 0) {
      this.#mode = 'pull';
      encodeMore(this.writer, account.inbox.at(-1)!.seq, pending, 0);
    }
  }

  #welcome(state: WelcomeState, head: number, pendingCount: number): void {
    encodeWelcome(this.writer, {
      state,
      version: 1,
      capabilities: 0,
      epoch: this.#server.epoch,
      head,
      truncated: 0,
      serverTime: this.#server.clock.wall(),
      heartbeatMs: this.#server.heartbeatMs,
      homePort: this.#end.url.includes(`:${this.#server.homePort}/`) ? 0 : this.#server.homePort,
      pendingCount,
      bodyBytesMax: BODY_BYTES_MAX,
      messageIdWindow: 256,
      deliverWindowBytes: this.#server.window,
      batchBytesMax: BATCH_BYTES_MAX,
    });
  }

  #take(sender: Account, id: number, to: number, kind: 'message' | 'read', body: Uint8Array): void {
    const server = this.#server;
    server.received.push(id);
    const refusal = server.full.has(to) ? ErrorCode.inboxFull : (server.refusals.shift() ?? 0);
    if (refusal !== 0) {
      this.#error(ErrorRef.message, id, refusal, server.refusalRetryAfterMs, server.refusalDetail);
      return;
    }
    const recipient = server.accounts.get(to);
    if (recipient === undefined) {
      this.#error(ErrorRef.message, id, ErrorCode.unknownRecipient, 0, 0);
      return;
    }
    if (sender.seen.has(id)) {
      encodeDuplicateSendAck(this.writer, id);
      return;
    }
    sender.seen.add(id);
    const entry = server.append(recipient, { from: sender.user, kind, ref: kind === 'read' ? 0 : id, body });
    if (server.muteAcks > 0) server.muteAcks -= 1;
    else encodeSendAck(this.writer, id, entry.time, 0, entry.seq);
  }

  #accept(account: Account, seq: number): void {
    if (seq > account.acked && seq > this.#sent && this.#sent > 0)
      throw new Error(`ack ${seq} beyond ${this.#sent}`);
    const done = account.inbox.filter((entry) => entry.seq <= seq);
    account.inbox = account.inbox.filter((entry) => entry.seq > seq);
    account.acked = Math.max(account.acked, seq);
    this.#unacked = this.#unacked.filter((item) => item.seq > seq);
    const bySender = new Map<number, number[]>();
    for (const entry of done) {
      if (entry.kind === 'message')
        bySender.set(entry.from, [...(bySender.get(entry.from) ?? []), entry.ref]);
    }
    for (const [sender, refs] of bySender) {
      const peer = this.#server.accounts.get(sender);
      if (peer === undefined) continue;
      const body = encodeRanges(rangesOfIds(refs));
      this.#server.append(peer, { from: account.user, kind: 'delivered', ref: 0, body });
    }
  }

  #pull(account: Account, pull: Pull): void {
    const builder = new BatchBuilder();
    this.flush();
    builder.begin(this.writer, Math.min(pull.bytesMax, 32 * 1024));
    let taken = 0;
    for (const entry of account.inbox) {
      const { seq, time, from, kind, ref, body } = entry;
      const fits =
        kind === 'message'
          ? builder.deliver(seq, time, 0, from, ref, body, 0, body.length)
          : builder.receipt(seq, time, from, kind === 'read', body, 0, body.length);
      if (!fits) break;
      taken += 1;
      this.#sent = seq;
      this.#unacked.push({ seq, bytes: body.length });
    }
    const hasMore = taken < account.inbox.length;
    builder.end(hasMore);
    if (!hasMore) this.#mode = 'push';
    this.flush();
  }

  #error(refKind: ErrorRef, ref: number, code: number, retryAfterMs: number, detail: number): void {
    const retryable = isRetryableError(code);
    encodeError(this.writer, { refKind, ref, code, retryable, retryAfterMs, detail, message: '' });
  }
}
